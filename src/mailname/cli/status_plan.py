"""``mailname status PLAN``: every name server of a plan, both sides of each transfer put together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.markup import escape

from mailname.checks.judged_sides import JudgedServer, judged
from mailname.checks.observe_sides import Seen, look
from mailname.cli.console import out, print_json, print_prose
from mailname.cli.engine_place import askers
from mailname.cli.exits import EXIT_FINDINGS, EXIT_UNKNOWN, EXIT_WELL
from mailname.cli.status_view import bare, cause_facts, print_fact
from mailname.server.network_map import MappedNetwork
from mailname.view.span import span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dns.name import Name

    from mailname.plan import Plan
    from mailname.server.network import Network

SCHEMA = "mailname.status-plan/1"


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
    zones = [(zone, judged(plan, sides, zone)) for zone in sides.zones]
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


def _print(zone: Name, servers: list[JudgedServer]) -> None:
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
        if one.disk:
            print_fact("disk", f"[red]{escape(one.disk)}[/]")
        for seen in one.seen:
            print_fact("outside", _outside(seen, copy=one.server.role == "secondary"))
        print_fact("inside", _inside(one))


def _outside(seen: Seen, *, copy: bool) -> str:
    if seen.serial is None:
        return f"{seen.address} [red]{escape(seen.says)}[/]"
    expire = f", expires in {span(seen.expire)}" if copy and seen.expire is not None else ""
    return f"{seen.address} serial {seen.serial}{expire}" + (f"; [red]{escape(seen.says)}[/]" if seen.says else "; UDP and TCP")


def _inside(one: JudgedServer) -> str:
    if one.status is None:
        other = "it does not have the zone" if one.inside.status else f"{one.server.engine} is asked from outside only"
        says = one.inside.says or other
        return f"[dim]{escape(says)}[/]"
    serial = f", serial {one.status['serial']}" if one.status.get("serial") is not None else ""
    return escape(f"{one.status.get('state')}{serial}") + f" [dim]({escape(one.inside.how)})[/]"
