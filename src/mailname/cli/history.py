"""``mailname history``: what happened with a zone: transfers, NOTIFYs, failures, refusals, expiries, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from mailname.cli.console import out, print_json, print_prose
from mailname.cli.control_option import control_option, json_option
from mailname.errors import HostError
from mailname.view.event_words import in_words, repeated

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SIGNS = {"in": "<-", "out": "->"}
_COLOURS = {"failed": "red", "expired": "red", "refused": "yellow", "transfer": "green", "restored": "green"}


@click.command("history")
@click.argument("zone", required=False)
@click.option("--most", type=click.IntRange(1, 5000), default=30, show_default=True, help="How many events to tell.")
@click.option("--peer", metavar="ADDR", help="Only what happened with this server.")
@control_option
@json_option
def command(zone: str | None, most: int, peer: str | None, control: Path, as_json: bool) -> None:
    """Tell what happened: each transfer, NOTIFY, failure, refusal and expiry, the newest first.

    What repeats itself stands on one line, with how often and since when.
    """
    import asyncio

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
