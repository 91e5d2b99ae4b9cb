"""HOST-07, HOST-08 and HOST-12: what lives on the host, and whether the plan explains it."""

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
_SERVERS = {"builtin": ("mailname", "python3", "systemd"), "bind": ("named",), "knot": ("knotd",), "nsd": ("nsd",)}
_RESOLVERS = ("systemd-resolve", "unbound", "dnsmasq", "pdns_recursor")
#: What takes answers to its own questions, and serves nobody.
_CLIENTS = ("dhclient", "dhcpcd", "systemd-network", "systemd-timesyn", "chronyd", "ntpd")
_STRANGERS = {
    "a web server": ("nginx", "apache2", "httpd", "lighttpd", "caddy", "haproxy", "traefik", "docker-proxy"),
    "PHP": ("php-fpm", "php"),
    "a database": ("mysqld", "mariadbd", "postgres", "redis-server", "mongod", "memcached", "etcd", "clickhouse-serv"),
    "a file server": ("smbd", "nmbd", "vsftpd", "proftpd", "rpc.nfsd", "rpc.mountd"),
}


def _kind(one: Listener) -> str:
    return next((kind for kind, names in _STRANGERS.items() if any(one.program.startswith(name) for name in names)), "")


def _explained(one: Listener, host: Host) -> bool:
    if one.is_local or one.program.startswith(_CLIENTS):
        return True
    if one.port == 53 and host.name_server is not None:
        return True  # HOST-12 judges who holds it
    return (one.port, one.protocol) in host.open_ports


def judge_boot(facts: Facts, host: Host) -> Result:
    """Judge whether only wanted services start, and whether what was started is well."""
    code = "HOST-07"
    if facts["listening"].code:
        return unknown(code, "'ss' does not tell what listens.")
    right = list[str]()
    wrong = [
        f"{one} listens to the world, and the plan does not explain it."
        for one in listeners(facts)
        if not _explained(one, host) and not _kind(one)
    ]
    failed = [line.split()[0] for line in facts["failed"].lines if line.strip()]
    if failed:
        wrong.append(f"failed to start: {', '.join(failed)}.")
    wanted = (
        "ssh.service",
        "ssh.socket",
        "sshd.service",
        "nftables.service",
        "fail2ban.service",
        "chrony.service",
        "cron.service",
    )
    masked = [line.split()[0] for line in facts["masked"].lines if line.split()[:1] and line.split()[0] in wanted]
    if masked:
        wrong.append(f"masked, so that it cannot start at the next boot: {', '.join(masked)}.")
    enabled = {line.split()[0] for line in facts["enabled"].lines if line.strip()}
    if not enabled & {"ssh.service", "ssh.socket", "sshd.service"}:
        wrong.append("sshd does not start at the next boot.")
    else:
        right.append(f"{len(listeners(facts))} sockets listen, all explained." if not wrong else "sshd starts at boot.")
    return judged(
        code,
        wrong,
        right,
        'Stop what is not wanted for good, its socket too, or say it in the plan: open_ports = ["PORT/PROTOCOL"].',
        "sudo systemctl disable --now UNIT",
    )


def judge_nothing_else(facts: Facts, host: Host) -> Result:
    """Judge whether a web server, PHP, a database or a file server is open to the world."""
    code = "HOST-08"
    if facts["listening"].code:
        return unknown(code, "'ss' does not tell what listens.")
    wrong = [
        f"{kind} lives here: {one}."
        for one in listeners(facts)
        if (kind := _kind(one)) and not one.is_local and (one.port, one.protocol) not in host.open_ports
    ]
    return judged(
        code,
        wrong,
        [] if wrong else ["no web server, PHP, database or file server is open to the world."],
        "Give it another machine, or let it listen at 127.0.0.1 only.",
        "sudo apt-get remove PACKAGE",
    )


def judge_port_53(facts: Facts, host: Host) -> Result:
    """Judge whether port 53 is the name server's: a resolver that listens on a public address, or on all, is in its way."""
    code = "HOST-12"
    if host.name_server is None:
        return judged(code, [], ["no name server is wanted here."], "")
    if facts["listening"].code:
        return unknown(code, "'ss' does not tell what listens.")
    ours = _SERVERS[host.name_server.engine]
    held = [one for one in listeners(facts) if one.port == 53]
    wrong, right = [], []
    for one in held:
        if one.program.startswith(ours):
            right.append(f"{one.program} holds 53/{one.protocol} at {one.address}.")
        elif one.is_local and one.program.startswith(_RESOLVERS):
            right.append(f"{one.program} holds 53/{one.protocol} at {one.address} only, which is in nobody's way.")
        else:
            wrong.append(f"port 53 is held by {one}, at {one.address}; the plan wants {host.name_server.engine} there.")
    return judged(
        code,
        wrong,
        list(dict.fromkeys(right)) or ([] if wrong else ["free."]),
        "Free the port; a resolver of the host's own may stay at 127.0.0.1.",
        "mailname host prepare PLAN",
    )
