"""``mailname status PLAN``: every name server of a plan, both sides of each transfer put together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from mailname.checks.observe_sides import Inside, Seen, look
from mailname.cli.console import out, print_json, print_prose
from mailname.cli.engine_place import askers
from mailname.cli.exits import EXIT_FINDINGS, EXIT_UNKNOWN, EXIT_WELL
from mailname.cli.span import span
from mailname.cli.status_view import bare, cause_facts, print_fact
from mailname.server.network_map import MappedNetwork
from mailname.transfer.seen_together import View, cause_between, cause_of_primary
from mailname.transfer.side import side_of
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dns.name import Name

    from mailname.checks.observe_sides import Sides
    from mailname.plan import NameServer, Plan
    from mailname.server.network import Network
    from mailname.transfer.cause import Cause

SCHEMA = "mailname.status-plan/1"


@dataclass(frozen=True, slots=True)
class _Server:
    """One name server and one zone: all that is known, and what is wrong."""

    server: NameServer
    seen: tuple[Seen, ...]
    inside: Inside
    status: Mapping[str, Any] | None
    cause: Cause | None

    @property
    def name(self) -> str:
        return self.server.name.to_text(omit_final_dot=True)

    @property
    def well(self) -> bool:
        """Whether it serves the zone at every address, by UDP and TCP, and knows of nothing that is wrong."""
        return self.cause is None and self.not_taken_over is None and all(one.is_well for one in self.seen)

    @property
    def not_taken_over(self) -> str | None:
        """When and why its configuration file was refused; None where that is the one at work, or nobody could ask."""
        configuration = (self.inside.status or {}).get("configuration")
        return configuration.get("problem") if isinstance(configuration, dict) else None

    def to_json(self) -> dict[str, Any]:
        return {
            "server": self.name,
            "role": self.server.role,
            "engine": self.server.engine,
            "well": self.well,
            "addresses": [
                {
                    "address": str(one.address),
                    "serial": one.serial.value if one.serial else None,
                    "expires_in": one.expire,
                    "rcode": one.rcode,
                    "udp": one.udp,
                    "tcp": one.tcp,
                    "says": one.says,
                }
                for one in self.seen
            ],
            "asked": {"how": self.inside.how or None, "says": self.inside.says},
            "configuration": {"problem": self.not_taken_over},
            "status": self.status,
            "cause": self.cause.to_json() if self.cause else None,
        }


def tell(
    plan: Plan,
    network: Network,
    controls: Mapping[Name, Path],
    unnamed: Sequence[Path],
    ssh_config: Path | None = None,
    *,
    as_json: bool,
) -> int:
    """Ask all, print it, and return the exit code: 0 well, 1 not well, 3 nothing could be found out."""
    others = {} if isinstance(network, MappedNetwork) else askers(plan, controls, ssh_config)
    sides = asyncio.run(look(plan, network, controls, unnamed, others, ssh_config))
    zones = [(zone, _judged(plan, sides, zone)) for zone in sides.zones]
    well = all(server.well for _, servers in zones for server in servers)
    if as_json:
        told = [{"zone": zone.to_text(), "servers": [server.to_json() for server in servers]} for zone, servers in zones]
        print_json({"schema": SCHEMA, "domain": plan.domain.to_text(), "well": well, "zones": told})
    else:
        for number, (zone, servers) in enumerate(zones):
            if number:
                out.print()
            _print(zone, servers)
    found = any(server.status or any(seen.rcode for seen in server.seen) for _, servers in zones for server in servers)
    return EXIT_WELL if well else EXIT_FINDINGS if found else EXIT_UNKNOWN


def _judged(plan: Plan, sides: Sides, zone: Name) -> list[_Server]:
    views = {server.name: _view(sides, zone, server) for server in plan.name_servers}
    primary = views[plan.primary.name]
    found = []
    for server in plan.name_servers:
        view, inside = views[server.name], sides.inside[server.name]
        if server.role == "primary":
            others = tuple(views[one.name] for one in plan.secondaries)
            cause = cause_of_primary(zone.to_text(), view, others)
        else:
            cause = cause_between(zone.to_text(), view, primary)
        found.append(_Server(server, sides.outside[zone, server.name], inside, inside.zone(zone), cause))
    return found


def _view(sides: Sides, zone: Name, server: NameServer) -> View:
    name, addresses = server.name.to_text(omit_final_dot=True), [str(address) for address in server.addresses]
    status = sides.inside[server.name].zone(zone)
    seen = sides.outside[zone, server.name]
    reached = [one for one in seen if one.is_from_here]
    serials: list[Serial] = [one.serial for one in seen if one.serial is not None]
    if not seen and status and isinstance(status.get("serial"), int):  # a catalog: what it says itself
        serials.append(Serial(status["serial"]))
    return View(
        name,
        frozenset(addresses),
        side_of(status, name, addresses) if status else None,
        serials[0] if serials else None,
        next((one.says for one in seen if one.says), ""),
        lacks_zone=status is None and sides.inside[server.name].status is not None,
        udp=any(one.udp for one in reached) if reached else None,
        tcp=any(one.tcp for one in reached) if reached else None,
        seen=bool(seen),
    )


def _print(zone: Name, servers: list[_Server]) -> None:
    well = all(server.well for server in servers)
    state = "[green]in step[/]" if well else "[red]not well[/]"
    print_prose(out, f"[bold]{escape(bare(zone.to_text()))}[/] {state}")
    for one in sorted(servers, key=lambda one: (one.well, one.cause is None, one.server.role != "primary")):
        colour = "green" if one.well else "red"
        print_prose(out, f"[{colour}]{escape(one.name)}[/] {one.server.role} ({one.server.engine})")
        if one.cause:
            for label, text in cause_facts(one.cause.to_json()):
                print_fact(label, text)
            for name, says in one.cause.heard:
                print_fact("heard", f"[dim]{escape(name)}:[/] {escape(says)}")
        if one.not_taken_over:
            print_fact(
                "config", f"[red]the file is not taken over, and a start would fail with it. {escape(one.not_taken_over)}[/]"
            )
        for seen in one.seen:
            print_fact("outside", _outside(seen, copy=one.server.role == "secondary"))
        print_fact("inside", _inside(one))


def _outside(seen: Seen, *, copy: bool) -> str:
    if seen.serial is None:
        return f"{seen.address} [red]{escape(seen.says)}[/]"
    expire = f", expires in {span(seen.expire)}" if copy and seen.expire is not None else ""
    return f"{seen.address} serial {seen.serial}{expire}" + (f"; [red]{escape(seen.says)}[/]" if seen.says else "; UDP and TCP")


def _inside(one: _Server) -> str:
    if one.status is None:
        other = "it does not have the zone" if one.inside.status else f"{one.server.engine} is asked from outside only"
        says = one.inside.says or other
        return f"[dim]{escape(says)}[/]"
    serial = f", serial {one.status['serial']}" if one.status.get("serial") is not None else ""
    return escape(f"{one.status.get('state')}{serial}") + f" [dim]({escape(one.inside.how)})[/]"
