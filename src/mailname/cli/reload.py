"""``mailname reload``: tell a running server to read its zone files again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mailname.cli.control_option import control_option, json_option, obeyed

if TYPE_CHECKING:
    from pathlib import Path


@click.command("reload")
@click.argument("zone", required=False)
@control_option
@json_option
def command(zone: str | None, control: Path, as_json: bool) -> None:
    """Tell a running server to read its configuration and zone files again, or one zone's file.

    A file that is no good is told with its line; the zone keeps its last good version, and the other zones are not touched.
    """
    obeyed(control, "reload", zone, as_json=as_json)
