"""``mailname history``: what happened with a zone: transfers, NOTIFYs, failures, refusals; of a plan, what was published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from mailname.cli.console import err, out, print_json, print_prose
from mailname.cli.control_option import control_option, json_option
from mailname.cli.host_options import ssh_config_option
from mailname.cli.plan_argument import read_plan
from mailname.errors import HostError
from mailname.view.event_words import in_words, repeated

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIGNS = {"in": "<-", "out": "->"}
_COLOURS = {"failed": "red", "expired": "red", "refused": "yellow", "transfer": "green", "restored": "green"}


@click.command("history")
@click.argument("zone", metavar="[ZONE|PLAN]", required=False)
@click.option("--most", type=click.IntRange(1, 5000), default=30, show_default=True, help="How many events to tell.")
@click.option("--peer", metavar="ADDR", help="Only what happened with this server.")
@click.option("--restore", metavar="SERIAL", type=click.IntRange(0, 2**32 - 1), help="With PLAN: publish that version again.")
@click.option("--dry-run", is_flag=True, help="With --restore: show what would change, and change nothing.")
@click.option("--yes-really", is_flag=True, help="With --restore: publish even what looks like an accident.")
@click.option("--network", type=click.Path(path_type=Path, dir_okay=False), help="With PLAN: a rehearsal's network file.")
@ssh_config_option
@control_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    zone: str | None,
    most: int,
    peer: str | None,
    restore: int | None,
    network: Path | None,
    ssh_config: Path | None,
    control: Path,
    dry_run: bool,
    yes_really: bool,
    as_json: bool,
) -> None:
    """Tell what happened: each transfer, NOTIFY, failure, refusal and expiry, the newest first.

    What repeats itself stands on one line, with how often and since when.

    Of a PLAN: which versions were published, when, by whom, with which command, and what changed. With --restore one of them is
    published again, with a serial above all; the plan stays as it is, so change that, too.
    """
    import asyncio

    named = ctx.get_parameter_source("control") != click.core.ParameterSource.DEFAULT
    if zone is not None and (restore is not None or Path(zone).is_file()):
        from mailname.cli.history_changes import tell
        from mailname.cli.publish import publish_by

        plan = read_plan(Path(zone))
        place = (control if named else None), network, ssh_config
        if restore is None:
            asyncio.run(tell(plan, *place, most, as_json=as_json))
        else:
            code = publish_by(plan, *place, dry_run=dry_run, yes_really=yes_really, wait=30.0, as_json=as_json, restore=restore)
            if not dry_run:
                err.print(f"{zone} says what it said: the next mailname publish goes by that. Change it as well.", markup=False)
            ctx.exit(code)
        return
    if restore is not None or dry_run or yes_really or network is not None or ssh_config is not None:
        raise click.UsageError("--restore, --dry-run, --yes-really, --network and --ssh-config are for a plan: history PLAN")

    from mailname.server.control import ask

    request = {"do": "history", "most": 5000 if peer else most} | ({"zone": zone} if zone else {})
    answer = asyncio.run(ask(control, request))
    if not answer.pop("ok", False):
        raise HostError(str(answer.get("says", "the server gave no history")), remedy="See: mailname status")
    if peer:
        answer["events"] = [one for one in answer["events"] if _is_of(one, peer)][:most]
    if as_json:
        print_json(answer)
        return
    if answer["problem"]:
        print_prose(out, f"[yellow]{escape(answer['problem'])}[/]")
    if not answer["events"]:
        print_prose(out, "Nothing has happened yet.")
    for one in answer["events"]:
        print_prose(out, line(one, with_zone=zone is None), hang=22)


def _is_of(event: Mapping[str, Any], peer: str) -> bool:
    return event["peer"] in (peer, f"[{peer}]") or event["peer"].rpartition(":")[0].strip("[]") == peer


def line(event: Mapping[str, Any], *, with_zone: bool) -> str:
    """Write one event as a line: when, with whom, and what in words."""
    colour = _COLOURS.get(event["what"], "")
    if event["what"] == "notify" and event["result"] != "acknowledged":
        colour = "yellow"
    words = escape(in_words(event))
    zone = f"{escape(event['zone'].rstrip('.') or '.')} " if with_zone else ""
    peer = f"{_SIGNS[event['direction']]} {escape(event['peer'])} " if event["peer"] else ""
    return f"[dim]{event['end']}[/]  {zone}{peer}" + (f"[{colour}]{words}[/]" if colour else words) + escape(repeated(event))
