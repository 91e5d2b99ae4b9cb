"""``mailname status``: what a running server holds, since when, until when, and why the last attempt failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mailname.cli.console import print_json
from mailname.cli.control_option import control_option, json_option, order
from mailname.cli.exits import EXIT_FINDINGS
from mailname.cli.status_view import is_unwell, print_status
from mailname.errors import HostError

if TYPE_CHECKING:
    from pathlib import Path


@click.command("status")
@click.argument("zone", required=False)
@control_option
@json_option
@click.pass_context
def command(ctx: click.Context, zone: str | None, control: Path, as_json: bool) -> None:
    """Tell what a running server holds: serials, timers, last transfers, and what went wrong.

    Exit code 1 when a zone is not served, expired, or its last refresh failed.
    """
    answer = order(control, "status", zone)
    if not answer.pop("ok", False):
        raise HostError(str(answer.get("says", "the server gave no status")))
    if as_json:
        print_json(answer)
    else:
        print_status(answer)
    if any(is_unwell(one) for one in answer["zones"]):
        ctx.exit(EXIT_FINDINGS)
