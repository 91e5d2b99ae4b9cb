"""What has to be changed so that a host knows its own name, can ask for others, and leaves port 53 to the name server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.host import wanted_files as files
from mailname.host.change import Change, file, file_diff, order
from mailname.host.listening import listeners
from mailname.host.own_name import judge_own_name
from mailname.host.step import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.host.facts import Facts
    from mailname.plan.hosts import Host

_STUB = "/run/systemd/resolve/stub-resolv.conf"
_DIRECT = "/run/systemd/resolve/resolv.conf"


def name_changes(facts: Facts, host: Host) -> Iterator[Change]:
    """Set the host's name, and let ``/etc/hosts`` lead to it: sudo waits ten seconds a time for a name that leads nowhere."""
    if judge_own_name(facts, host).outcome is not Outcome.DOES_NOT_HOLD:
        return
    name = host.name.to_text(omit_final_dot=True).lower()
    short = name.partition(".")[0]
    kept = facts.kept()
    own = {line.split()[3].partition("/")[0] for line in facts["addresses"].lines if len(line.split()) > 3}
    hosts = kept.get(files.HOSTS, "")
    new_hosts = files.hosts_file(hosts, name, [str(one) for one in host.addresses if str(one) in own])
    if new_hosts != hosts:
        shown = file_diff(files.HOSTS, hosts, new_hosts)
        yield Change("own name", ("HOST-09",), shown, (file(files.HOSTS, new_hosts),))
    running = next(iter(facts["name"].lines), "").strip().lower()
    if running not in (short, name) or kept.get(files.HOSTNAME, "").strip().lower() not in (short, name):
        now, new = kept.get(files.HOSTNAME), f"{short}\n"
        set_now = f"hostname -F {files.HOSTNAME}"
        yield Change(
            "own name",
            ("HOST-09",),
            file_diff(files.HOSTNAME, now, new) if now != new else (f"+ host name {short}: set",),
            (file(files.HOSTNAME, new), order(set_now)),
        )
    if facts["cloud"].code == 0 and kept.get(files.CLOUD) != files.CLOUD_TEXT:
        shown = file_diff(files.CLOUD, kept.get(files.CLOUD), files.CLOUD_TEXT)
        yield Change("own name", ("HOST-09",), shown, (file(files.CLOUD, files.CLOUD_TEXT),))


def resolver_changes(facts: Facts, host: Host) -> Iterator[Change]:
    """Take systemd-resolved's stub off port 53; the host then asks the servers that the stub asked."""
    stub = [one for one in listeners(facts) if one.port == 53 and one.program.startswith("systemd-resolve")]
    if host.name_server is None or not stub:
        return
    now = facts.kept().get(files.RESOLVED)
    uses_stub = facts["resolver"].lines[:1] == [_STUB]
    shown = file_diff(files.RESOLVED, now, files.RESOLVED_TEXT) if now != files.RESOLVED_TEXT else ()
    move = f"""set -e
if [ "$(readlink -f /etc/resolv.conf)" = {_STUB} ]; then
  if grep -q ^nameserver {_DIRECT}; then
    ln -sfn {_DIRECT} /etc/resolv.conf.mailname && mv -T /etc/resolv.conf.mailname /etc/resolv.conf
  else
    echo 'systemd-resolved knows no server that could be asked instead of its stub:' >&2
    echo 'name one (DNS= in /etc/systemd/resolved.conf; systemctl restart systemd-resolved), and run this again' >&2
    exit 1
  fi
fi
systemctl restart systemd-resolved"""
    yield Change(
        "port 53",
        ("HOST-12",),
        (
            *shown,
            *((f"- /etc/resolv.conf -> {_STUB}", f"+ /etc/resolv.conf -> {_DIRECT}") if uses_stub else ()),
            "+ unit systemd-resolved: restarted, without its stub on port 53",
        ),
        (file(files.RESOLVED, files.RESOLVED_TEXT, after=move),),
    )
