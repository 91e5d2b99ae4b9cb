"""The configuration of NSD from a plan. Pure; no secret is in it: the keys are in a file that it includes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mailname.engines.engine import LONGEST_RETRY
from mailname.engines.several_plans import ALONE, all_listen, listens, marks, plan_file
from mailname.plan import expand_all
from mailname.server.network import Endpoint
from mailname.server.zonefiles import SUFFIX, file_stem
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name

    from mailname.engines.engine import Places
    from mailname.plan import Plan
    from mailname.plan.model import NameServer
    from mailname.server.network import IPAddress

CONFIG = Path("nsd.conf")
INCLUDED = ALONE
_HEAD = "# Written by mailname from the plan: change that, not this file."
#: What holds for the whole server. What was fetched is in its file within a second: a server that is killed goes on from it.
HARDENED = """\
  hide-version: yes
  hide-identity: yes
  minimal-responses: yes
  refuse-any: yes
  rrl-ratelimit: 200
  rrl-slip: 2
  verbosity: 2
  xfrd-reload-timeout: 0
  zonefiles-write: 1
"""


def zone_file(server: NameServer, places: Places, apex: Name) -> Path:
    """Return where a zone's text lies."""
    return (places.zones if server.role == "primary" else places.state) / (file_stem(apex) + SUFFIX)


def whole(places: Places) -> str:
    """Return ``nsd.conf`` of a server that is wholly ours and runs on its own, as whoever starts it."""
    log = f'  logfile: "{places.log}"\n  log-time-ascii: no\n' if places.log is not None else ""
    return (
        f'{_HEAD}\nserver:\n  username: ""\n  pidfile: ""\n  server-count: 1\n  zonesdir: ""\n  database: ""\n{log}'
        f'  xfrdfile: "{places.state / "xfrd.state"}"\n  zonelistfile: "{places.state / "zone.list"}"\n'
        f'  xfrdir: "{places.state}"\n'
        f'remote-control:\n  control-enable: yes\n  control-interface: "{places.control}"\n'
        f'include: "{places.folder / INCLUDED}"\n'
    )


def included(plan: Plan, server: NameServer, places: Places) -> str:
    """Return the plan's file: our zones. Where the whole server is ours, also where it listens, and the key."""
    key = plan.transfer_key.name.to_text() if plan.transfer_key is not None and places.key_file is not None else "NOKEY"
    lines = [_HEAD, f"# {server.role} of {_bare(plan.domain)}: {_bare(server.name)}"]
    lines += [f"# {one}" for one in marks(server, places)]
    if places.is_whole:
        if key != "NOKEY":
            lines.append(f'include: "{places.key_file}" # the secret: mode 640 or less')
        lines += _server(listens(server, places))
    peers = _peers(plan, server)
    for zone in expand_all(plan, Serial(0)):
        lines += ["zone:", f'  name: "{_bare(zone.apex)}"', f'  zonefile: "{zone_file(server, places, zone.apex)}"']
        lines += _as_primary(peers, places, key) if server.role == "primary" else _as_secondary(peers, places, key)
        lines += _sources(peers, server, places)
    return "\n".join(lines) + "\n"


def shared(server: NameServer, places: Places, others: Iterable[str]) -> str:
    """Return what is said once for all plans of a host."""
    lines = [_HEAD, *_server(all_listen(listens(server, places), others))]
    lines += ["remote-control:", "  control-enable: yes", f'  control-interface: "{places.control}"']
    return "\n".join(lines) + "\n"


def include_lines(plan: Plan, server: NameServer, places: Places, shared_file: Path) -> tuple[str, ...]:
    """Return the lines that include our files."""
    key_file = places.key_file if plan.transfer_key is not None else None
    files = (shared_file, *([key_file] if key_file is not None else []), places.folder / plan_file(plan, server, places))
    return tuple(f'include: "{file}"' for file in files)


def _server(listen: list[str]) -> list[str]:
    """Return where the server listens, and that it says no more than it must."""
    return ["server:", *(f"  ip-address: {at}" for at in listen), *HARDENED.splitlines()]


def _peers(plan: Plan, server: NameServer) -> list[IPAddress]:
    """Return whom it notifies, or asks, at addresses of the families that it has itself."""
    others = plan.secondaries if server.role == "primary" else (plan.primary,)
    families = {address.version for address in server.addresses}
    return [address for one in others for address in one.addresses if address.version in families]


def _as_primary(peers: Iterable[IPAddress], places: Places, key: str) -> list[str]:
    """Return who is told, and who may transfer.

    NSD 4.6 could make IXFR from its files (``create-ixfr``), but repeats records in them that did not change: a secondary that
    looks closely refuses that, and fetches the whole zone after it. So the whole zone is sent at once.
    """
    told = [f"  notify: {_at(places, address)} {key}" for address in peers]
    return [*told, *_allowed("provide-xfr", peers, places, key)]


def _as_secondary(peers: Iterable[IPAddress], places: Places, key: str) -> list[str]:
    asked = [f"  request-xfr: {_at(places, address)} {key}" for address in peers]
    return [*asked, *_allowed("allow-notify", peers, places, key), "  min-retry-time: 5", f"  max-retry-time: {LONGEST_RETRY}"]


def _allowed(what: str, peers: Iterable[IPAddress], places: Places, key: str) -> list[str]:
    """Return who may do something: both the address and the key must be right."""
    return [f"  {what}: {address} {key}" for address in dict.fromkeys(places.source(address) for address in peers)]


def _sources(peers: Iterable[IPAddress], server: NameServer, places: Places) -> list[str]:
    """Return the addresses to speak from: those by which the others know this server."""
    own = places.listen or server.addresses
    if places.speaks_from:  # a rehearsal: IPv4 alone
        return [f"  outgoing-interface: {places.source(own[0])}"]
    first = (next((address for address in own if address.version == version), None) for version in _versions(peers))
    return [f"  outgoing-interface: {address}" for address in first if address is not None]


def _versions(peers: Iterable[IPAddress]) -> list[int]:
    return list(dict.fromkeys(address.version for address in peers))


def _at(places: Places, address: IPAddress) -> str:
    host, port = places.place(Endpoint(address))
    return f"{host}@{port}"


def _bare(name: Name) -> str:
    return name.to_text(omit_final_dot=True)
