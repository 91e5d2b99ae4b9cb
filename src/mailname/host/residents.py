"""HOST-08 and HOST-12: who else lives on the host, and who holds the name server's port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.host.listening import listeners
from mailname.host.step import judged, unknown

if TYPE_CHECKING:
    from mailname.host.facts import Facts
    from mailname.host.listening import Listener
    from mailname.host.step import Result
    from mailname.plan.hosts import Host

#: The programs that may hold port 53, by engine. Port 53 of the built-in one is systemd's until the first question.
_SERVERS = {"builtin": ("mailname", "python3"), "bind": ("named",), "knot": ("knotd",), "nsd": ("nsd",)}
_RESOLVERS = ("systemd-resolve", "unbound", "dnsmasq", "pdns_recursor")
_STRANGERS = {
    "a web server": ("nginx", "apache2", "httpd", "lighttpd", "caddy", "haproxy", "traefik", "docker-proxy"),
    "PHP": ("php-fpm", "php"),
    "a database": ("mysqld", "mariadbd", "postgres", "redis-server", "mongod", "memcached", "etcd", "clickhouse-serv"),
    "a file server": ("smbd", "nmbd", "vsftpd", "proftpd", "rpc.nfsd", "rpc.mountd"),
}


def is_ours(one: Listener, host: Host) -> bool:
    """Tell whether it is the plan's name server, or systemd that holds its sockets until the first question."""
    if host.name_server is None:
        return False
    engine = host.name_server.engine
    return one.program.startswith(_SERVERS[engine]) or (engine == "builtin" and one.program == "systemd")


def kind(one: Listener) -> str:
    """Return what sort of thing it is that belongs on another machine; empty for all others."""
    return next((kind for kind, names in _STRANGERS.items() if any(one.program.startswith(name) for name in names)), "")


def judge_nothing_else(facts: Facts, host: Host) -> Result:
    """Judge whether a web server, PHP, a database or a file server is open to the world."""
    code = "HOST-08"
    if facts["listening"].code:
        return unknown(code, "'ss' does not tell what listens.")
    strangers = [
        one for one in listeners(facts) if kind(one) and not one.is_local and (one.port, one.protocol) not in host.open_ports
    ]
    packages = sorted({one.package for one in strangers} - {""})
    return judged(
        code,
        list(dict.fromkeys(f"{kind(one)} lives here: {one}." for one in strangers)),
        [] if strangers else ["no web server, PHP, database or file server is open to the world."],
        "Give it another machine, or let it listen at 127.0.0.1 only.",
        f"sudo apt-get remove {' '.join(packages)}" if packages else "",
    )


def judge_port_53(facts: Facts, host: Host) -> Result:
    """Judge whether port 53 is the name server's: a resolver that listens on a public address, or on all, is in its way."""
    code = "HOST-12"
    if host.name_server is None:
        return judged(code, [], ["no name server is wanted here."], "")
    if facts["listening"].code:
        return unknown(code, "'ss' does not tell what listens.")
    held = [one for one in listeners(facts) if one.port == 53]
    right: list[str] = []
    others: dict[tuple[str, str, str], list[str]] = {}
    for one in held:
        if is_ours(one, host):
            right.append(f"{one.program} holds 53/{one.protocol} at {one.address}.")
        elif one.is_local and one.program.startswith(_RESOLVERS):
            right.append(f"{one.program} holds 53/{one.protocol} at {one.address} only, which is in nobody's way.")
        else:
            others.setdefault((one.program or "something", one.unit, one.package), []).append(one.address)
    engine = host.name_server.engine
    wrong = [
        f"port 53 is held by {_named(*who)}, at {', '.join(dict.fromkeys(where))}; the plan wants {engine} there."
        for who, where in others.items()
    ]
    fix, command = "Let it ask a resolver that answers: name one in /etc/resolv.conf.", "cat /etc/resolv.conf"
    if others:
        fix, command = _freed(next(iter(others)))
    wrong += _asks_nobody(facts)
    return judged(code, wrong, list(dict.fromkeys(right)) or ([] if wrong else ["free."]), fix, command)


def _named(program: str, unit: str, package: str) -> str:
    of = ", ".join(word for word in (unit, f"package {package}" if package else "") if word)
    return f"{program} ({of})" if of else program


def _freed(who: tuple[str, str, str]) -> tuple[str, str]:
    """Return how the port becomes free, and what to type."""
    program, unit, _ = who
    if program.startswith("systemd-resolve"):
        return "Move its stub off the port; the host then asks the servers that the stub asked.", "mailname host prepare PLAN"
    if not unit.endswith((".service", ".socket")):
        return "Find out who started it, and end it for good.", "sudo ss -lntup 'sport = :53'"
    fix = "Stop it for good where it is not wanted here; a resolver of the host's own may stay, at 127.0.0.1 alone."
    return fix, f"sudo systemctl disable --now {unit}"


def _asks_nobody(facts: Facts) -> list[str]:
    """Return that the host asks a resolver of its own that is not there: the stub was moved, and /etc/resolv.conf was not."""
    asked = [words[1] for words in map(str.split, facts["resolver"].lines) if len(words) > 1 and words[0] == "nameserver"]
    there = [one for one in listeners(facts) if one.port == 53]
    answered = any(one.address.partition("%")[0] in asked or one.is_everywhere for one in there)
    if asked and all(one.startswith("127.") or one == "::1" for one in asked) and not answered:
        return [f"/etc/resolv.conf asks {' and '.join(asked)}, where nobody listens: the host can resolve no name."]
    return []
