"""``mailname version``: what runs here."""

from __future__ import annotations

import platform
from importlib.metadata import version as version_of

import click

from mailname import __version__
from mailname.cli.console import out, print_json


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
        print_json({"schema": "mailname.version/1", **facts})
        return
    for name, value in facts.items():
        out.print(f"{name:<10} {value}")


def _is_compiled() -> bool:
    """Tell whether the answering core runs compiled: an extension module stands in for its source."""
    from mailname.answer import plain

    return not (plain.__file__ or "").endswith(".py")
