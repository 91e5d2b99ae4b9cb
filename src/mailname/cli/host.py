"""``mailname host``: the machines that the name servers and the mail live on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from mailname.cli.exits import EXIT_FINDINGS, EXIT_UNKNOWN, EXIT_WELL
from mailname.cli.host_options import chosen, host_options, ssh_with
from mailname.cli.host_prepare import prepare
from mailname.cli.host_security_group import security_group

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mailname.host.step import Result
    from mailname.host.survey import Surveyed


@click.group("host")
def command() -> None:
    """Look after the machines of a plan: are they safe, and make them so."""


@command.command("check")
@host_options
@click.option("--resolver", metavar="ADDRESS", help="Whom to ask for the names of addresses. [default: this machine's resolver]")
@click.option("--no-trial", is_flag=True, help="Do not ban a test address for a moment to see whether bans land.")
def check(
    plan: Path, hosts: tuple[str, ...], ssh_config: Path | None, resolver: str | None, *, no_trial: bool, as_json: bool
) -> int:
    """Tell of each step of a safe host whether it holds, what shows it, and how to mend it. Changes nothing.

    The hosts' own state is asked over SSH, and their ports are tried from here. HOST is a name of the plan; without one, all
    hosts are looked at.

    Exit code 1 when a step does not hold, 3 when something could not be found out.
    """
    from mailname.cli.console import err, print_json
    from mailname.cli.host_view import print_hosts
    from mailname.cli.vantage import resolver_named
    from mailname.host.check_schema import SCHEMA
    from mailname.host.survey import survey

    read, wanted = chosen(plan, hosts)
    with err.status("looking at " + ", ".join(one.name.to_text(omit_final_dot=True) for one in wanted)):
        found = asyncio.run(
            survey(wanted, read.hosts, ssh_with(ssh_config), resolver=resolver_named(resolver), trial=not no_trial)
        )
    code = exit_code(found)
    if as_json:
        print_json({"schema": SCHEMA, "well": code == EXIT_WELL, "hosts": [one.to_json() for one in found]})
    else:
        print_hosts(found, str(plan))
    return code


def exit_code(found: Sequence[Surveyed]) -> int:
    """Return 1 where a step does not hold, else 3 where something could not be found out, else 0."""
    from mailname.host.step import Outcome

    results: list[Result] = [result for one in found for result in one.results]
    if any(result.outcome is Outcome.DOES_NOT_HOLD for result in results):
        return EXIT_FINDINGS
    if any(one.trouble is not None for one in found) or any(result.outcome is Outcome.UNKNOWN for result in results):
        return EXIT_UNKNOWN
    return EXIT_WELL


command.add_command(prepare)
command.add_command(security_group)
