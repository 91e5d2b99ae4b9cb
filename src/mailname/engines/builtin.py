"""The built-in engine: the configuration of ``mailname serve`` for one name server of a plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mailname.plan import expand_all
from mailname.server.network import Endpoint
from mailname.server.zonefiles import SUFFIX, file_stem
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dns.name import Name

    from mailname.engines.engine import Places
    from mailname.plan import Plan
    from mailname.plan.model import CatalogTable, NameServer
    from mailname.server.network import IPAddress

CONFIG = Path("server.toml")


class Builtin:
    """mailname's own server."""

    name = "builtin"

    def render(self, plan: Plan, server: NameServer, places: Places) -> Mapping[Path, str]:
        """Return ``server.toml``. The primary notifies the plan's secondaries, and nobody else may transfer."""
        listen = places.listen or server.addresses
        at = [places.place(Endpoint(address)) for address in listen]
        lines = [
            f"# mailname serve, for {_bare(server.name)}: {server.role} of {_bare(plan.domain)}. Written from the plan.",
            f"listen = [{', '.join(_quoted(_at(host, port)) for host, port in at)}]",
            f"state = {_quoted(str(places.state))}",
        ]
        if places.control is not None:
            lines.append(f"control = {_quoted(str(places.control))}")
        over_tls = places.tls if plan.primary.tls_pin is not None else None
        if over_tls is not None and server.role == "primary":
            lines.append(f"tls_listen = [{', '.join(_quoted(str(address)) for address in listen)}]")
            lines += ["", "[tls] # mailname key pin prints what the plan calls tls_pin"]
            lines += [f"certificate = {_quoted(str(over_tls[0]))}", f"key = {_quoted(str(over_tls[1]))}"]
        key = plan.transfer_key.name if plan.transfer_key is not None and places.key_file is not None else None
        if key is not None:
            lines += ["", "[[key]] # the secret is in the file, which only its owner may read"]
            lines.append(f"file = {_quoted(str(places.key_file))}")
            lines.append(f"name = {_quoted(_bare(key))} # stands for all keys of the file: see mailname key rotate")
        if server.role == "primary":
            for name in dict.fromkeys(one.key for one in plan.updates):
                lines += [
                    "",
                    "[[key]] # of who may update some names",
                    f"file = {_quoted(str(places.keys / f'{_bare(name)}.key'))}",
                ]
        if plan.catalog is not None:
            lines += _catalog(plan, plan.catalog, server, places, key, tls=over_tls is not None)
        for apex in () if plan.catalog and server.role == "secondary" else [one.apex for one in expand_all(plan, Serial(0))]:
            lines += ["", "[[zone]]", f"name = {_quoted(_bare(apex))}", f"role = {_quoted(server.role)}"]
            if server.role == "primary":
                lines.append(f"file = {_quoted(str(places.zones / (file_stem(apex) + SUFFIX)))}")
                lines += _secondaries("zone", plan, server, key, tls=over_tls is not None)
                if apex == plan.domain:
                    lines += _updates(plan)
            else:
                lines += _primaries("zone", plan, server, key, tls=over_tls is not None)
        return {CONFIG: "\n".join(lines) + "\n"}


def _reachable(theirs: Iterable[IPAddress], ours: Iterable[IPAddress]) -> list[IPAddress]:
    """Return the addresses of the families that we have ourselves."""
    families = {address.version for address in ours}
    return [address for address in theirs if address.version in families]


def _catalog(plan: Plan, catalog: CatalogTable, server: NameServer, places: Places, key: Name | None, *, tls: bool) -> list[str]:
    """Return the catalog's table. A zone's groups, and who may take it over, ``mailname publish`` writes beside its file."""
    lines = ["", "[[catalog]]", f"name = {_quoted(_bare(catalog.name))}"]
    if server.role == "primary":
        lines += ['role = "producer"', f"folder = {_quoted(str(places.zones))}"]
        return lines + _secondaries("catalog", plan, server, key, tls=tls)
    lines.append('role = "consumer" # the zones are those that the primary lists there')
    return lines + _primaries("catalog", plan, server, key, tls=tls)


def _secondaries(of: str, plan: Plan, server: NameServer, key: Name | None, *, tls: bool) -> list[str]:
    lines: list[str] = []
    for other in plan.secondaries:
        lines += _peers(f"{of}.secondary", _reachable(other.addresses, server.addresses), key, "tls = true" if tls else "")
    return lines


def _primaries(of: str, plan: Plan, server: NameServer, key: Name | None, *, tls: bool) -> list[str]:
    pin = f"tls_pin = {_quoted(plan.primary.tls_pin or '')}" if tls else ""
    return _peers(f"{of}.primary", _reachable(plan.primary.addresses, server.addresses), key, pin)


def _peers(kind: str, addresses: Iterable[IPAddress], key: Name | None, tls: str) -> list[str]:
    lines: list[str] = []
    for address in addresses:
        lines += [f"[[{kind}]]", f"address = {_quoted(str(address))}"]
        if key is not None:
            lines.append(f"key = {_quoted(_bare(key))}")
        if tls:
            lines.append(tls)
    return lines


def _updates(plan: Plan) -> list[str]:
    lines: list[str] = []
    for one in plan.updates:
        lines += ["[[zone.update]]", f"key = {_quoted(_bare(one.key))}"]
        lines.append(f"names = [{', '.join(_quoted(_bare(name)) for name in one.names)}]")
        if one.types:
            lines.append(f"types = [{', '.join(map(_quoted, one.types))}]")
    return lines


def _at(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bare(name: Name) -> str:
    return name.to_text(omit_final_dot=True)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML basic string
