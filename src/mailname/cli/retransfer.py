"""``mailname retransfer``: tell a running secondary to transfer a zone now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mailname.cli.control_option import control_option, json_option, obeyed

if TYPE_CHECKING:
    from pathlib import Path


@click.command("retransfer")
@click.argument("zone", required=False)
@control_option
@json_option
def command(zone: str | None, control: Path, as_json: bool) -> None:
    """Tell a running secondary to transfer now, whatever the serial: all its zones, or one."""
    obeyed(control, "retransfer", zone, as_json=as_json)
