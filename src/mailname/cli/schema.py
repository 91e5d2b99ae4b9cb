"""``mailname schema``: the plan's JSON Schema."""

from __future__ import annotations

import click

from mailname.cli.console import print_json


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the plan, for editors.

    Save it (mailname schema > mailname.schema.json) and write as the plan's first line:
    #:schema ./mailname.schema.json
    """
    from mailname.plan.schema import json_schema

    print_json(json_schema())
