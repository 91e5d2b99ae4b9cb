"""``mailname status``: what a running server holds, or every server of a plan; since when, until when, and why not."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mailname.cli.console import print_json
from mailname.cli.control_option import json_option, order
from mailname.cli.exits import EXIT_FINDINGS
from mailname.cli.host_options import ssh_config_option
from mailname.cli.status_view import is_unwell, print_status, problem_of
from mailname.errors import HostError

_DEFAULT = Path("/run/mailname/control.sock")


@click.command("status")
@click.argument("what", metavar="[ZONE|PLAN]", required=False)
@click.option(
    "--control",
    metavar="[NAME=]PATH",
    multiple=True,
    help=f"The running server's control socket; with PLAN also NAME=PATH, repeatable. [default: {_DEFAULT}]",
)
@click.option("--network", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="With PLAN: a rehearsal's file.")
@ssh_config_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    what: str | None,
    control: tuple[str, ...],
    network: Path | None,
    ssh_config: Path | None,
    as_json: bool,
) -> None:
    """Tell what a running server holds of each zone, since when, until when, and why the last attempt failed.

    With a PLAN (a file), ask every name server of the plan, from outside and, where it can be reached, by its control socket or
    over SSH, and put both sides together.

    Exit code 1 when something is not well, 3 when nothing could be found out.
    """
    if what is not None and (what.endswith(".toml") or Path(what).is_file()):
        ctx.exit(_of_plan(Path(what), control, network, ssh_config, as_json=as_json))
    if network is not None or any("=" in one for one in control) or len(control) > 1:
        raise click.UsageError("--network, NAME=PATH and several sockets are for a plan: mailname status PLAN")
    path = Path(control[0] if control else os.environ.get("MAILNAME_CONTROL") or _DEFAULT)
    answer = order(path, "status", what)
    if not answer.pop("ok", False):
        raise HostError(str(answer.get("says", "the server gave no status")), remedy="See all zones: mailname status")
    if as_json:
        print_json(answer)
    else:
        print_status(answer)
    if any(is_unwell(one) for one in answer["zones"]) or problem_of(answer, "configuration") or problem_of(answer, "disk"):
        ctx.exit(EXIT_FINDINGS)


def _of_plan(file: Path, control: tuple[str, ...], network_file: Path | None, ssh_config: Path | None, *, as_json: bool) -> int:
    from mailname.cli.plan_argument import read_plan
    from mailname.cli.plan_controls import controls
    from mailname.cli.status_plan import tell

    plan = read_plan(file, quiet=True)
    found = controls(plan, control, network_file)
    return tell(plan, found.network, found.named, found.unnamed, ssh_config, as_json=as_json)
