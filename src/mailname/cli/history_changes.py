"""``mailname history PLAN``: which versions were published, by whom and what changed; and one of them as a new version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.markup import escape

from mailname.cli.console import err, out, print_json, print_prose

if TYPE_CHECKING:
    from pathlib import Path

    from mailname.engines.published import Published
    from mailname.plan import Plan

SCHEMA = "mailname.changes/1"


async def tell(
    plan: Plan, control: Path | None, network: Path | None, ssh_config: Path | None, most: int, *, as_json: bool
) -> None:
    """Print what was published, the newest first. Raises HostError."""
    from mailname.cli.engine_place import driven_here
    from mailname.cli.host_options import ssh_with
    from mailname.cli.publish import goes_by_ssh, place_by_ssh, surroundings
    from mailname.engines.keeping_published import kept
    from mailname.engines.primary_place import PrimaryHere
    from mailname.plan import expand_all
    from mailname.zone import Serial

    if goes_by_ssh(plan, control, network, ssh_config):
        place = await place_by_ssh(plan, ssh_with(ssh_config))
    else:
        place = driven_here(plan, control, network) or PrimaryHere(surroundings(plan, control, network)[0])
    found = {}
    for zone in expand_all(plan, Serial(0)):
        found[zone.apex.to_text()] = tuple(reversed(await kept(place, zone.apex)))[:most]
    if as_json:
        print_json(
            {
                "schema": SCHEMA,
                "zones": [{"zone": zone, "versions": [one.to_json() for one in those]} for zone, those in found.items()],
            }
        )
        return
    for name, those in found.items():
        if len(found) > 1:
            out.print(f"[bold]{escape(name.rstrip('.'))}[/]")
        if not those:
            print_prose(out, "No version was published yet by this mailname.")
        for one in those:
            _print(one)
    newest = next((one for one in next(iter(found.values()))[1:] if one.can_be_restored), None)
    if newest is not None:
        err.print(f"To have an earlier one again: mailname history PLAN --restore {newest.serial}", markup=False)


def _print(one: Published) -> None:
    at = f"{datetime.fromtimestamp(one.at, UTC):%Y-%m-%dT%H:%M:%SZ}"
    by = f"{one.by.user} on {one.by.host}: {one.by.command}" if one.by.command else "by another way than mailname publish"
    print_prose(out, f"[dim]{at}[/]  serial [bold]{one.serial}[/]  {escape(by)}", hang=22)
    for line in one.changes:
        colour = {"+": "green", "-": "red"}.get(line[:1], "dim")
        print_prose(out, f"  [{colour}]{escape(line)}[/]", hang=4)
