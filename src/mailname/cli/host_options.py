"""What all commands about hosts share: the plan, which of its hosts, and how SSH is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailname.cli.control_option import json_option
from mailname.cli.plan_argument import read_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.host.ssh import Ssh
    from mailname.plan import Plan
    from mailname.plan.hosts import Host


ssh_config_option = click.option(
    "--ssh-config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The configuration that ssh reads instead of yours.",
)


def host_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``PLAN [HOST...]``, ``--ssh-config`` and ``--json``."""
    for option in (
        json_option,
        ssh_config_option,
        click.argument("hosts", metavar="[HOST]...", nargs=-1),
        click.argument("plan", type=click.Path(dir_okay=False, path_type=Path)),
    ):
        function = option(function)
    return function


def ssh_with(config: Path | None) -> Ssh:
    """Return how SSH is called in this command: one connection for each login, which ends with the command."""
    from mailname.host.ssh_shared import shared_ssh

    return click.get_current_context().with_resource(shared_ssh(config))


def chosen(file: Path, names: tuple[str, ...]) -> tuple[Plan, tuple[Host, ...]]:
    """Return the plan, and those of its hosts that are named: all where none is. Raises PlanError, UsageError."""
    from mailname.plan.hosts import hosts

    plan = read_plan(file, quiet=True)
    every = hosts(plan)
    found = []
    for name in names:
        fitting = [one for one in every if name.rstrip(".").lower() in _names(one)]
        if not fitting:
            known = ", ".join(one.name.to_text(omit_final_dot=True) for one in every)
            raise click.UsageError(f"the plan has no host {name}. It has: {known}.")
        found += fitting
    return plan, tuple(dict.fromkeys(found)) if names else every


def _names(host: Host) -> set[str]:
    full = [host.name] if host.name_server is None else [host.name, host.name_server.name]
    said = {one.to_text(omit_final_dot=True).lower() for one in full}
    return {*said, *(one.partition(".")[0] for one in said), *map(str, host.addresses), host.ssh.lower()}
