"""``mailname notify``: tell a running primary to notify its secondaries now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mailname.cli.control_option import control_option, json_option, obeyed

if TYPE_CHECKING:
    from pathlib import Path


@click.command("notify")
@click.argument("zone", required=False)
@control_option
@json_option
def command(zone: str | None, control: Path, as_json: bool) -> None:
    """Tell a running primary to notify its secondaries now: all its zones, or one."""
    obeyed(control, "notify", zone, as_json=as_json)
