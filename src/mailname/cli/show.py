"""``mailname show``: what a plan means - the zone, a server's configuration, the registrar's worksheet, or what would change."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import dns.rdatatype
from rich.markup import escape

from mailname.cli.console import err, out, print_json, print_mistake
from mailname.cli.plan_argument import load_plan
from mailname.cli.registrar_sheet import print_sheet
from mailname.errors import HostError
from mailname.view.worksheet import DEFAULT, sheet_json, styles

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.errors import Mistake
    from mailname.plan import Loaded, Plan
    from mailname.plan.guard import Objection
    from mailname.plan.registrar_styles import Panel, Style
    from mailname.zone import Zone
    from mailname.zone.diff import Change

_PUBLISHED = ":published"  # stands for --diff without a file


@click.command("show")
@click.argument("plan_file", metavar="PLAN", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--zone", "zone_only", is_flag=True, help="Only the zone, as a zone file.")
@click.option("--registrar", is_flag=True, help="What to type at the registrar: name servers, glue, DS.")
@click.option("--style", metavar="FORM", help="The worksheet in one registrar's form, such as ionos or one-form.")
@click.option("--server", metavar="NAME", help="The configuration of this name server, for: mailname serve --config FILE")
@click.option(
    "--diff",
    "published",
    metavar="[FILE|SERVER]",
    is_flag=False,
    flag_value=_PUBLISHED,
    type=click.Path(dir_okay=False),
    help="What would change: against this zone file, what this server serves, or what the running primary has published.",
)
@click.option(
    "--control", type=click.Path(path_type=Path), envvar="MAILNAME_CONTROL", help="With --diff: the primary's control socket."
)
@click.option("--network", type=click.Path(path_type=Path, dir_okay=False), help="With --diff: the network file of a rehearsal.")
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), help="With --diff SERVER: the transfer key's file.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON document.")
@click.option("--serial", type=click.IntRange(0, 2**32 - 1), help="The zone's serial. Default: today's, YYYYMMDD00 in UTC.")
@click.pass_context
def command(
    ctx: click.Context,
    plan_file: Path | None,
    zone_only: bool,
    registrar: bool,
    style: str | None,
    server: str | None,
    published: str | None,
    control: Path | None,
    network: Path | None,
    key: Path | None,
    as_json: bool,
    serial: int | None,
) -> None:
    """Show the zone that PLAN means.

    Without an option: the zone with a summary above it; the output is a zone file all the same. Warnings go to standard
    error. Nothing is changed anywhere.
    """
    from mailname.plan import expand_all
    from mailname.plan.registrar import worksheet
    from mailname.zone import Serial

    if plan_file is None and published not in (None, _PUBLISHED):
        plan_file, published = Path(str(published)), _PUBLISHED  # mailname show --diff PLAN
    if plan_file is None:
        raise click.UsageError("Missing argument 'PLAN'.", ctx)
    loaded = load_plan(plan_file)
    for warning in () if as_json else loaded.warnings:
        print_mistake(warning)
    plan = loaded.plan
    if server is not None:
        from mailname.cli.show_server import print_configuration

        print_configuration(plan, server)
        return
    olds = _published(plan, published, control, network, key)
    zones = expand_all(plan, Serial(int(datetime.now(UTC).strftime("%Y%m%d")) * 100 if serial is None else serial))
    sheet = worksheet(plan, zones[0])
    form = _find_form(style)
    differences = []
    for place, (name, old) in enumerate(olds):
        # Under the serial that is published, so that only what the plan changes is shown.
        new = expand_all(plan, old.serial)[place] if old and serial is None else zones[place]
        differences.append(_Difference.of(name, old, new))
    if as_json:
        print_json(_document(loaded, zones, sheet_json(sheet, *form), differences))
    elif registrar or style is not None:
        print_sheet(out, sheet, *form)
    elif differences:
        for difference in differences:
            _print_difference(difference)
    elif zone_only:
        _print_zone(zones[0], "")
    else:
        _print_zone(zones[0], _summary(plan, zones[0]))
        for zone in zones[1:]:
            out.print()
            _print_zone(zone, f"{zone.apex}  {_count(zone.record_count, 'record')}")
        if out.is_terminal:
            err.print(
                f"[dim]Next: mailname show {escape(str(plan_file))} --registrar, mailname rehearse {escape(str(plan_file))}[/]"
            )


@dataclass(frozen=True, slots=True)
class _Difference:
    """What publishing would change in one zone."""

    name: str
    apex: Name
    is_first: bool
    changes: tuple[Change, ...]
    objections: tuple[Objection, ...]

    @classmethod
    def of(cls, name: str, old: Zone | None, new: Zone) -> _Difference:
        from mailname.plan.guard import guard
        from mailname.zone.diff import diff

        return cls(name, new.apex, old is None, diff(old, new), guard(old, new))


def _find_form(name: str | None) -> tuple[Style, Panel | None]:
    try:
        return styles().find(name or DEFAULT)
    except HostError as error:
        raise click.BadParameter(f"{error.problem}. {error.remedy}", param_hint="--style") from error


def _published(
    plan: Plan, where: str | None, control: Path | None, network: Path | None, key: Path | None
) -> list[tuple[str, Zone | None]]:
    """Return what to compare with: its name, and the zone if there is one."""
    if where == _PUBLISHED:
        return asyncio.run(_ask_the_primary(plan, control, network))
    if where is None:
        return []
    if Path(where).is_file() or not _may_be_a_server(where):
        return [(where, _read(where, plan))]
    from mailname.cli.show_live import live_zones

    return asyncio.run(live_zones(plan, where, key, network))


def _may_be_a_server(text: str) -> bool:
    """Tell whether a text that names no file may name a server: a name or an address, perhaps with a port."""
    return "/" not in text and not text.endswith((".zone", ".db", ".txt"))


def _read(file: str, plan: Plan) -> Zone:
    from mailname.server.zonefiles import read_zone_file

    if not Path(file).is_file():
        raise click.UsageError(f"cannot read the zone file {file}: there is no such file.")
    return read_zone_file(Path(file), plan.domain).zone


async def _ask_the_primary(plan: Plan, control: Path | None, network_file: Path | None) -> list[tuple[str, Zone | None]]:
    """Return each zone's file on the running primary, and what it holds."""
    from mailname.cli.publish import surroundings
    from mailname.engines.publish import Publishing

    socket, network = surroundings(plan, control, network_file)
    publications = await Publishing(plan, socket, network, datetime.now(UTC).date()).prepare()
    if unreadable := next((one.unreadable for one in publications if one.unreadable), ""):
        remedy = "Publishing replaces it: mailname publish PLAN"
        raise HostError(f"the published zone file cannot be read: {unreadable}", remedy=remedy, step="show")
    return [(str(one.path), one.old) for one in publications]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _say(name: object) -> str:
    return str(name).rstrip(".")


def _summary(plan: Plan, zone: Zone) -> str:
    """Say in a few aligned lines who does what; write_zone puts a semicolon before each."""
    rows: list[tuple[str, str, str]] = [
        (
            _say(server.name),
            server.role,
            ", ".join(map(str, server.addresses)) + ("" if server.engine == "builtin" else f"  ({server.engine})"),
        )
        for server in plan.name_servers
    ]
    rows += [
        (_say(host.name), f"MX {host.preference}", ", ".join(map(str, host.addresses)) or "(address elsewhere)")
        for host in plan.mail_hosts
    ]
    if plan.website:
        rows.append((_say(plan.domain), "website", ", ".join(map(str, plan.website))))
    if plan.catalog is not None:
        rows.append((_say(plan.catalog.name), "catalog", f"from {_say(plan.primary.name)}"))
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"  {name:<{first}}  {role:<{second}}  {addresses}" for name, role, addresses in rows]
    return "\n".join([f"{_spoken(plan)}: {_count(zone.record_count, 'record')}, serial {zone.serial}", *lines])


def _spoken(plan: Plan) -> str:
    """Return the domain, with its U-labels where it has any."""
    import idna

    name = _say(plan.domain)
    return f"{idna.decode(name)} ({name})" if "xn--" in name else name


def _print_zone(zone: Zone, header: str) -> None:
    from mailname.zone.text import write_zone

    for line in write_zone(zone, header=header).rstrip("\n").split("\n"):
        before, semicolon, comment = line.partition(";")
        if out.is_terminal and semicolon and '"' not in line:
            out.print(f"{escape(before)}[dim];{escape(comment)}[/]")
        else:
            out.print(line, markup=False)


def _print_difference(difference: _Difference) -> None:
    from mailname.cli.diff_view import print_diff

    if difference.is_first:
        out.print(f"{difference.name} holds no zone yet; all of it is new.", markup=False)
    elif not difference.changes:
        out.print(f"Nothing: {difference.name} is what the plan means.", markup=False)
    print_diff(out, difference.changes, apex=difference.apex, indent="")
    for objection in difference.objections:
        err.print(f"[yellow]Careful:[/] {escape(objection.says)}")


def _document(loaded: Loaded, zones: tuple[Zone, ...], sheet: dict[str, Any], differences: list[_Difference]) -> dict[str, Any]:
    from mailname.zone.text import write_zone

    plan = loaded.plan
    document: dict[str, Any] = {
        "schema": "mailname.show/1",
        "domain": str(plan.domain),
        "contact": plan.contact,
        "primary": str(plan.primary.name),
        "secondaries": [str(server.name) for server in plan.secondaries],
        "catalog": str(plan.catalog.name) if plan.catalog else None,
        "zones": [
            {
                "zone": str(zone.apex),
                "serial": int(zone.serial),
                "records": zone.record_count,
                "rrsets": [
                    {
                        "owner": str(rrset.owner),
                        "ttl": rrset.ttl,
                        "type": dns.rdatatype.to_text(rrset.rdtype),
                        "data": [rdata.to_text() for rdata in rrset.rdatas],
                    }
                    for rrset in zone.rrsets()
                ],
                "text": write_zone(zone),
            }
            for zone in zones
        ],
        "registrar": sheet,
        "warnings": [_mistake(warning) for warning in loaded.warnings],
    }
    if differences:
        from mailname.cli.diff_view import diff_json

        document["diff"] = [change for one in differences for change in diff_json(one.changes)]
        document["objections"] = [{"code": two.code, "says": two.says} for one in differences for two in one.objections]
    return document


def _mistake(mistake: Mistake) -> dict[str, Any]:
    at = mistake.at
    return {"file": at.file, "line": at.line, "column": at.column, "problem": mistake.problem, "remedy": mistake.remedy}
