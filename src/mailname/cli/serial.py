"""``mailname serial``: which serial each server holds, who is ahead, and the way back to the one that is wanted."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailname.cli.console import err, out, print_json
from mailname.cli.control_option import json_option
from mailname.cli.exits import EXIT_FINDINGS, EXIT_WELL
from mailname.cli.plan_argument import read_plan
from mailname.view.span import span

if TYPE_CHECKING:
    from mailname.engines.serials import Serials
    from mailname.zone import Serial
    from mailname.zone.serial_repair import Action


@click.command("serial")
@click.argument("subject", metavar="PLAN|ZONE")
@click.option("--to", "to", metavar="N|today", help="Bring every server to this serial, by two steps where it is lower.")
@click.option("--repair", is_flag=True, help="Raise the serial above what any server holds, so that all follow.")
@click.option("--without", metavar="NAME", multiple=True, help="Do not ask or wait for this server of the plan. Repeatable.")
@click.option("--dry-run", is_flag=True, help="Show the steps and the waiting, and change nothing.")
@click.option("--wait", type=float, default=60.0, show_default=True, help="Seconds to wait for the secondaries.")
@click.option("--control", type=click.Path(path_type=Path), envvar="MAILNAME_CONTROL", help="The primary's control socket.")
@click.option("--network", type=click.Path(path_type=Path, dir_okay=False), help="The network file of a rehearsal.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    subject: str,
    to: str | None,
    repair: bool,
    without: tuple[str, ...],
    dry_run: bool,
    wait: float,
    control: Path | None,
    network: Path | None,
    as_json: bool,
) -> None:
    """Tell which serial the zone file and each server hold, and who is ahead of whom (RFC 1982); with --to or --repair, mend it.

    ZONE is a zone of the running primary; then its configured secondaries are asked. It may be interrupted and run again.
    Exit code 1 while not every server holds the same.
    """
    if to is not None and repair:
        raise click.UsageError("--to and --repair are two ways; give one.")
    serials = _subject(subject, without, control, network)
    ctx.exit(asyncio.run(_serial(serials, to, repair=repair, dry_run=dry_run, wait=wait, as_json=as_json)))


def _subject(subject: str, without: tuple[str, ...], control: Path | None, network: Path | None) -> Serials:
    from mailname.cli.publish import surroundings
    from mailname.engines.serials import Serials, name_of, servers_of
    from mailname.server.control import DEFAULT_PATH
    from mailname.server.network import DirectNetwork

    try:
        left_out = tuple(name_of(one) for one in without)
        if not Path(subject).is_file():
            if subject.endswith(".toml") or "/" in subject:
                raise click.UsageError(f"there is no plan {subject}")
            return Serials(name_of(subject), control or DEFAULT_PATH, DirectNetwork())
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    plan = read_plan(Path(subject))
    if wrong := [str(one) for one in left_out if one not in {server.name for server in plan.secondaries}]:
        raise click.UsageError(f"--without {wrong[0]}: the plan has no secondary of this name")
    socket, world = surroundings(plan, control, network)
    return Serials(plan.domain, socket, world, servers_of(plan, left_out))


def _wanted(serials: Serials, to: str | None) -> Serial:
    from mailname.zone.serial import Serial, next_serial

    today = datetime.now(UTC).date()
    if to is None:
        return next_serial(today, serials.known)
    if to == "today":
        return next_serial(today, ())
    try:
        return Serial(int(to))
    except ValueError as error:
        raise click.UsageError(f"--to {to}: a serial is a number from 0 to 4294967295, or 'today'") from error


async def _serial(serials: Serials, to: str | None, *, repair: bool, dry_run: bool, wait: float, as_json: bool) -> int:
    from mailname.zone.serial_repair import Done

    console = err if as_json else out
    await serials.look()
    for line in _explained(serials):
        console.print(line, markup=False)
    in_step = _in_step(serials)
    if to is None and (not repair or in_step):
        if as_json:
            print_json(_json(serials, None, "in step" if in_step else "not in step"))
        if not in_step:
            err.print("Mend it: the same command with --repair (above all), or --to N (a serial of your choice).", markup=False)
        return EXIT_WELL if in_step else EXIT_FINDINGS
    wanted = _wanted(serials, to)
    for line in _foretold(serials, wanted):
        console.print(line, markup=False)
    if dry_run:
        if as_json:
            print_json(_json(serials, wanted, "dry run"))
        return EXIT_WELL
    action = await serials.go(wanted, wait, lambda done: console.print(_said(serials, done), markup=False))
    if as_json:
        print_json(_json(serials, wanted, "done" if isinstance(action, Done) else "waiting"))
    if isinstance(action, Done):
        return EXIT_WELL
    _tell_what_is_missing(serials)
    return EXIT_FINDINGS


def _in_step(serials: Serials) -> bool:
    return len(set(serials.known)) == 1 and not any(answer.serial is None for answer in serials.answers)


def _explained(serials: Serials) -> list[str]:
    """Say what is held where, one line each."""
    from mailname.zone.serial_repair import relation

    lines = [f"{_bare(serials)}:"]
    primary = serials.primary
    lines.append(f"  primary serves {serials.served}" if serials.served is not None else "  primary serves no version")
    if serials.announced not in {serials.served, None}:
        lines.append(f"  primary has announced {serials.announced}, and never serves a lower one")
    if serials.file is None:
        lines.append(f"  zone file {serials.path} cannot be read: {serials.file_says}")
    elif serials.file != primary:
        meaning = {"behind": "lower than what was announced: the server refuses it", "ahead": "not loaded yet: mailname reload"}
        lines.append(
            f"  zone file {serials.path} holds {serials.file}, {meaning.get(relation(serials.file, primary), 'not loaded')}"
        )
    for answer in serials.answers:
        who = (
            f"  {answer.server.name} ({answer.server.at})"
            if answer.server.name != str(answer.server.at)
            else f"  {answer.server.at}"
        )
        if answer.serial is None:
            lines.append(f"{who}: not known, {answer.says}")
            continue
        meaning = {
            "in step": "in step",
            "behind": f"behind by {(primary.value - answer.serial.value) % 2**32}: it will fetch what the primary serves",
            "ahead": f"ahead by {(answer.serial.value - primary.value) % 2**32}: it refuses what the primary serves (RFC 1982)",
            "no order": "half of the circle away: neither is newer (RFC 1982 section 3.2), it does not fetch",
        }
        lines.append(f"{who} holds {answer.serial}, {meaning[relation(answer.serial, primary)]}")
    return lines


def _foretold(serials: Serials, wanted: Serial) -> list[str]:
    """Say which steps there will be, and how long each may take."""
    from mailname.zone.serial import highest
    from mailname.zone.serial_repair import steps

    top = highest(serials.known) or wanted
    way = steps(top, wanted)
    if not way:
        return [f"every server that holds {wanted} stays with it"]
    lines = [f"from {top} to {wanted}: " + ", then ".join(f"{one}" for one in way)]
    if len(way) > 1:
        lines.append("each step waits until every secondary has the one before: it would refuse the next one (RFC 1982)")
    if serials.timers is not None:
        lines.append(
            f"a secondary has a step at once by NOTIFY; without, within {span(serials.timers.refresh)} (refresh), and "
            f"{span(serials.timers.retry)} (retry) after a failure; it has expired after {span(serials.timers.expire)}"
        )
    return lines


def _said(serials: Serials, action: Action) -> str:
    from mailname.zone.serial_repair import Done, Publish, Stuck

    match action:
        case Publish(serial):
            return f"the primary serves {serial}"
        case Done():
            return "every server holds it"
        case Stuck():
            return "no serial is newer than all that are held"
    return f"waiting until every secondary holds {serials.primary}"


def _tell_what_is_missing(serials: Serials) -> None:
    zone = _bare(serials)
    for answer in serials.answers:
        if answer.serial != serials.primary and not answer.server.is_primary:
            seen = f"holds {answer.serial}" if answer.serial is not None else answer.says
            err.print(
                f"{answer.server.name}: {seen}. Let it ask: mailname notify {zone}; there: mailname retransfer {zone}",
                markup=False,
            )
    err.print("Then the same command again; it goes on from here. A server that is gone for good: --without NAME.", markup=False)


def _bare(serials: Serials) -> str:
    return serials.apex.to_text(omit_final_dot=True)


def _json(serials: Serials, wanted: Serial | None, state: str) -> dict[str, Any]:
    from mailname.zone.serial import highest
    from mailname.zone.serial_repair import relation, steps

    def value(serial: Serial | None) -> int | None:
        return serial.value if serial is not None else None

    top = highest(serials.known)
    timers = serials.timers
    return {
        "schema": "mailname.serial/1",
        "zone": serials.apex.to_text(),
        "state": state,
        "file": {"path": str(serials.path), "serial": value(serials.file), "says": serials.file_says},
        "primary": {"serves": value(serials.served), "announced": value(serials.announced)},
        "servers": [
            {
                "server": answer.server.name,
                "address": str(answer.server.at),
                "serial": value(answer.serial),
                "relation": relation(answer.serial, serials.primary) if answer.serial is not None else "not known",
                "says": answer.says,
            }
            for answer in serials.answers
        ],
        "wanted": value(wanted),
        "steps": [one.value for one in steps(top, wanted)] if wanted is not None and top is not None else [],
        "seconds": {"refresh": timers.refresh, "retry": timers.retry, "expire": timers.expire} if timers else None,
    }
