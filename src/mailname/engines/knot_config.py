"""The configuration of Knot DNS from a plan. Pure; no secret is in it: the keys are in a file that it includes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mailname.engines.engine import LONGEST_RETRY
from mailname.engines.several_plans import ALONE, all_listen, catalog_file, listens, marks, plan_file
from mailname.plan import expand_all
from mailname.server.network import Endpoint
from mailname.server.zonefiles import SUFFIX, file_stem
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name

    from mailname.engines.engine import Places
    from mailname.plan import Plan
    from mailname.plan.model import CatalogTable, NameServer
    from mailname.server.network import IPAddress

CONFIG = Path("knot.conf")
INCLUDED = ALONE
_HEAD = "# Written by mailname from the plan: change that, not this file."
#: Knot takes over the serial that we have published, and makes IXFR of what differs; it refuses a lower one.
_PRIMARY = ("zonefile-load: difference", "zonefile-sync: -1", "journal-content: changes")
#: A copy is in its file as soon as it is served: a server that is killed goes on from it.
_SECONDARY = ("zonefile-load: whole", "zonefile-sync: 0", f"retry-max-interval: {LONGEST_RETRY}")
_MODULES = """\
mod-rrl:
  - id: mailname
    rate-limit: 200
    slip: 2
mod-stats:
  - id: mailname
    request-protocol: on
    server-operation: off
    response-code: on
    reply-nodata: off
    edns-presence: on
    flag-presence: on
    query-type: on
    request-bytes: off
    response-bytes: off
"""


def zone_file(server: NameServer, places: Places, apex: Name) -> Path:
    """Return where a zone's text lies."""
    return (places.zones if server.role == "primary" else places.state) / (file_stem(apex) + SUFFIX)


def whole(places: Places) -> str:
    """Return ``knot.conf`` of a server that is wholly ours and runs on its own."""
    log = f'log:\n  - target: "{places.log}"\n    any: info\n    zone: debug\n' if places.log is not None else ""
    return (
        f'{_HEAD}\nserver:\n    rundir: "{places.state}"\n    udp-workers: 1\n    tcp-workers: 1\n    background-workers: 1\n'
        f'database:\n    storage: "{places.state}"\n    journal-db-max-size: 100M\n'
        f'control:\n    listen: "{places.control}"\n{log}include: "{places.folder / INCLUDED}"\n'
    )


def included(plan: Plan, server: NameServer, places: Places) -> dict[Path, str]:
    """Return the plan's file: our zones. Where the whole server is ours, also where it listens, and the key."""
    followed = plan.catalog.name if plan.catalog is not None and server.role == "secondary" else plan.domain
    lines = [_HEAD, f"# {server.role} of {_bare(followed)}: {_bare(server.name)}"]
    lines += [f"# {one}" for one in marks(server, places)]
    if places.is_whole:
        if (key_file := _key_file(plan, places)) is not None:
            lines.append(f'include: "{key_file}" # the secret: mode 640 or less')
        lines += _server(places, listens(server, places))
    file = plan_file(plan, server, places)
    own = "mailname" if places.is_whole else f"mailname-{file.stem}"
    peers = _Peers(plan, server, places, own)
    lines += peers.definitions
    common = [f"    {line}" for line in (_PRIMARY if server.role == "primary" else _SECONDARY)]
    common.append("    module: [ mod-rrl/mailname, mod-stats/mailname ]")
    if plan.catalog is not None and server.role == "secondary":
        return {file: "\n".join([*lines, *_followed(plan.catalog, places, own, [*common, *peers.exchanged])]) + "\n"}
    lines += ["zone:"]
    member: list[str] = []
    found: dict[Path, str] = {}
    if plan.catalog is not None:
        made = [f"  - domain: {plan.catalog.name.to_text()}", "    catalog-role: generate"]
        if places.is_whole:
            lines += [*made, *peers.exchanged]
        else:
            with_all = _Peers(plan, server, places, f"mailname-{file_stem(plan.catalog.name)}")
            text = [_HEAD, *with_all.definitions, "zone:", *made, *with_all.exchanged]
            found[catalog_file(plan.catalog.name)] = "\n".join(text) + "\n"
        member = ["    catalog-role: member", f"    catalog-zone: {plan.catalog.name.to_text()}"]
        member += [f"    catalog-group: {group}" for group in plan.catalog.groups[:1]]  # Knot has one for each zone
    for zone in expand_all(plan, Serial(0)):
        lines += [f"  - domain: {zone.apex.to_text()}", f'    file: "{zone_file(server, places, zone.apex)}"']
        lines += [*common, *peers.exchanged, *member]
    return {file: "\n".join(lines) + "\n"} | found


def shared(server: NameServer, places: Places, others: Iterable[str]) -> str:
    """Return what is said once for all plans of a host."""
    return "\n".join([_HEAD, *_server(places, all_listen(listens(server, places), others))]) + "\n"


def include_lines(plan: Plan, server: NameServer, places: Places, shared_file: Path) -> tuple[str, ...]:
    """Return the lines that include our files."""
    key_file = _key_file(plan, places)
    catalog = plan.catalog if server.role == "primary" else None
    files = [shared_file, *([key_file] if key_file is not None else [])]
    files += [places.folder / catalog_file(catalog.name)] if catalog is not None else []
    return tuple(f'include: "{file}"' for file in (*files, places.folder / plan_file(plan, server, places)))


def _key_file(plan: Plan, places: Places) -> Path | None:
    return places.key_file if plan.transfer_key is not None else None


def _server(places: Places, listen: list[str]) -> list[str]:
    """Return that the server says no more than it must, and where it listens."""
    lines = ["server:", '    identity: ""', '    version: ""', '    nsid: ""']
    lines += [f"    listen: [ {', '.join(listen)} ]"] if listen else []
    if not places.is_whole:  # refusals are in the journal of systemd then; Knot writes them at this level alone
        lines += ["log:", "  - target: stdout", "    zone: debug"]
    return lines + _MODULES.splitlines()


class _Peers:
    """Whom a server notifies or asks: their definitions, and what a zone says of them."""

    def __init__(self, plan: Plan, server: NameServer, places: Places, own: str) -> None:
        """Find them; ``own`` begins all their identities."""
        self.definitions: list[str] = []
        self.exchanged: list[str] = []
        peers = _peers(plan, server)
        if not peers:
            return
        signed = plan.transfer_key is not None and places.key_file is not None
        key = f"    key: {plan.transfer_key.name.to_text()}" if signed and plan.transfer_key is not None else None
        self.definitions = _remotes(peers, server, places, own, key) + _access(peers, server, places, own, key)
        names = ", ".join(_identity(own, number) for number, _ in enumerate(peers))
        self.exchanged = [f"    {'notify' if server.role == 'primary' else 'master'}: [ {names} ]", f"    acl: [ {own} ]"]


def _followed(catalog: CatalogTable, places: Places, own: str, each: list[str]) -> list[str]:
    """Return the catalog (RFC 9432) that a secondary follows: its zones are those that the primary lists there."""
    template = ["template:", f"  - id: {own}-member", f'    file: "{places.state}/%s.zone"', *each]
    found = ["zone:", f"  - domain: {catalog.name.to_text()}", f'    file: "{places.state / (file_stem(catalog.name) + SUFFIX)}"']
    plain = [line for line in each if not line.startswith("    module:")]
    return [*template, *found, *plain, "    catalog-role: interpret", f"    catalog-template: {own}-member"]


def _peers(plan: Plan, server: NameServer) -> list[IPAddress]:
    """Return whom it notifies, or asks, at addresses of the families that it has itself."""
    others = plan.secondaries if server.role == "primary" else (plan.primary,)
    families = {address.version for address in server.addresses}
    return [address for one in others for address in one.addresses if address.version in families]


def _remotes(peers: Iterable[IPAddress], server: NameServer, places: Places, own: str, key: str | None) -> list[str]:
    lines = ["remote:"]
    for number, address in enumerate(peers):
        host, port = places.place(Endpoint(address))
        lines += [f"  - id: {_identity(own, number)}", f"    address: {host}@{port}"]
        source = _own_address(server, places, address)
        lines += [f"    via: {source}"] if source is not None else []
        lines += [key] if key is not None else []
    return lines


def _own_address(server: NameServer, places: Places, peer: IPAddress) -> IPAddress | None:
    """Return the address to speak from: one by which the others know this server."""
    own = places.listen or server.addresses
    if places.speaks_from:  # a rehearsal: IPv4 alone
        return places.source(own[0])
    return next((address for address in own if address.version == peer.version), None)


def _access(peers: Iterable[IPAddress], server: NameServer, places: Places, own: str, key: str | None) -> list[str]:
    """Return who may transfer, or notify: where addresses are real, both the address and the key must be right."""
    listed = ", ".join(dict.fromkeys(str(places.source(address)) for address in peers))
    lines = ["acl:", f"  - id: {own}", f"    address: [ {listed} ]"]
    lines += [key] if key is not None else []
    return [*lines, f"    action: {'transfer' if server.role == 'primary' else 'notify'}"]


def _identity(own: str, number: int) -> str:
    return f"{own}-{number + 1}"


def _bare(name: Name) -> str:
    return name.to_text(omit_final_dot=True)
