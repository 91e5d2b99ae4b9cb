"""``mailname version``: what runs here."""

from __future__ import annotations

import platform
from importlib.machinery import PathFinder
from importlib.metadata import version as version_of
from pathlib import Path

import click

from mailname import __version__


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> None:
    """Tell the version and what it runs on."""
    facts = {
        "mailname": __version__,
        "core": "compiled" if _is_compiled() else "uncompiled",
        "python": platform.python_version(),
        "dnspython": version_of("dnspython"),
        "system": f"{platform.system()} {platform.machine()}",
    }
    if as_json:
        from mailname.cli.console import print_json

        print_json({"schema": "mailname.version/1", **facts})
        return
    for name, value in facts.items():
        click.echo(f"{name:<10} {value}")


def _is_compiled() -> bool:
    """Tell whether the answering core runs compiled: an extension module stands in for its source."""
    found = PathFinder.find_spec("plain", [str(Path(__file__).parent.parent / "answer")])
    return found is not None and not (found.origin or "").endswith(".py")
