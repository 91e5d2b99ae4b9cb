"""``mailname schema``: the JSON Schemas of the plan, and of what a check says and keeps."""

from __future__ import annotations

import click

from mailname.cli.console import print_json


@click.command("schema")
@click.option("--check", "of", flag_value="check", help="The schema of what 'mailname check --json' prints.")
@click.option("--check-list", "of", flag_value="check-list", help="The schema of a line that 'mailname check LIST' writes.")
@click.option("--facts", "of", flag_value="facts", help="The schema of what 'mailname check --save' keeps.")
@click.option("--host-check", "of", flag_value="host-check", help="The schema of what 'mailname host check --json' prints.")
def command(of: str | None) -> None:
    """Print the JSON Schema of the plan, for editors.

    Save it (mailname schema > mailname.schema.json) and write as the plan's first line:
    #:schema ./mailname.schema.json
    """
    if of == "facts":
        from mailname.checks.facts_schema import facts_schema

        print_json(facts_schema())
        return
    if of == "host-check":
        from mailname.host.check_schema import host_check_schema

        print_json(host_check_schema())
        return
    if of is not None:
        from mailname.checks.verdict_schema import check_schema, list_schema

        print_json(check_schema() if of == "check" else list_schema())
        return
    from mailname.plan.schema import json_schema

    print_json(json_schema())
