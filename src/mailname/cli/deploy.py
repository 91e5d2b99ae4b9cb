"""``mailname deploy PLAN``: each name server of the plan with its engine as a service, over SSH."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailname.cli.control_option import json_option
from mailname.cli.exits import EXIT_FAILED, EXIT_FINDINGS, EXIT_UNKNOWN, EXIT_WELL
from mailname.cli.host_options import chosen, ssh_config_option, ssh_with
from mailname.errors import HostError, MailnameError

if TYPE_CHECKING:
    from mailname.cli.deploy_steps import Deployment
    from mailname.cli.deploy_view import View
    from mailname.host.deploying import Deploying


@click.command("deploy")
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--host", "names", metavar="NAME", multiple=True, help="Only this name server. Repeatable.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--remove", is_flag=True, help="Stop the servers and take away what was deployed; zones and history stay.")
@click.option("--purge", is_flag=True, help="With --remove: zones and history go as well.")
@click.option("--yes", is_flag=True, help="Do not ask: before removing, and before a line is added to what others wrote.")
@click.option("--wait", type=float, default=30.0, show_default=True, help="Seconds to wait until every server answers.")
@ssh_config_option
@json_option
def command(
    plan_file: Path,
    names: tuple[str, ...],
    ssh_config: Path | None,
    wait: float,
    *,
    dry_run: bool,
    remove: bool,
    purge: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Put each name server's engine on the plan's hosts, as a service of systemd, and publish the first zone.

    All is looked at before anything changes. A host needs SSH and sudo; for the built-in server Python 3.11 or newer and no
    Internet, for another engine Debian's package of it. Run it again after an upgrade of mailname or a change of the plan's name
    servers: what is as it should be is left alone, and no question is lost.

    Exit code 0 when every server answers over UDP and TCP with one serial; 1 when something is in the way, 3 when a host cannot
    be reached, and nothing was changed then; 4 when it failed and what ran before runs again.
    """
    from mailname.cli.deploy_steps import Deployment
    from mailname.cli.deploy_view import View
    from mailname.engines.engine import engine_named
    from mailname.plan.hosts import hosts

    if purge and not remove:
        raise click.UsageError("--purge goes with --remove.")
    plan, wanted = chosen(plan_file, names)
    servers = [one for one in wanted if one.name_server is not None]
    for one in servers:
        assert one.name_server is not None
        engine_named(one.name_server.engine)  # or what to do instead
    if not servers:
        raise click.UsageError("no name server is named: a mail host alone needs none.")
    view = View(plan_file, as_json=as_json, dry_run=dry_run)
    every = [one for one in hosts(plan) if one.name_server is not None]
    with view.progress() as tell:
        run = Deployment.of(plan, plan_file, ssh_with(ssh_config), every, set(servers), tell)
        asyncio.run(run.look())
    if any(one.trouble for one in run.chosen):
        return view.end(run, EXIT_UNKNOWN)
    if remove:
        return _remove(run, view, purge=purge, yes=yes, dry_run=dry_run)
    if any(one.faults for one in run.chosen):
        return view.end(run, EXIT_FINDINGS)
    return asyncio.run(_deploy(run, view, wait=wait, dry_run=dry_run, yes=yes))


def _remove(run: Deployment, view: View, *, purge: bool, yes: bool, dry_run: bool) -> int:
    """Take everything away, after a question."""
    there = [one for one in run.chosen if one.standing is not None and one.standing.has_anything]
    view.tell_removal(there, purge=purge)
    if not there or dry_run:
        return view.end_removal(there, removed=False)
    if not yes:
        click.confirm("Remove?", abort=True, err=True)
    try:
        with view.progress():
            asyncio.run(_each_removed(there, purge=purge))
    except MailnameError as error:
        return view.end(run, EXIT_FAILED, error)
    return view.end_removal(there, removed=True)


async def _each_removed(there: list[Deploying], *, purge: bool) -> None:
    await asyncio.gather(*(one.remove(purge=purge) for one in there))


async def _deploy(run: Deployment, view: View, *, wait: float, dry_run: bool, yes: bool) -> int:
    with view.progress() as run.tell:
        await run.decide(dry_run=dry_run)
    from mailname.cli.deploy_engine import DeployingEngine

    view.tell_changes(run)
    if dry_run:
        return view.end(run, EXIT_WELL)
    asked = [line for one in run.chosen if isinstance(one, DeployingEngine) for line in one.asks]
    if asked and not yes:
        click.confirm(f"Change what others have written: {'; '.join(asked)}?", abort=True, err=True)
    with view.progress() as run.tell:
        try:
            if any(one.what.python or one.what.release for one in run.chosen):
                run.tell("bringing the program to " + ", ".join(one.name for one in run.chosen))
                await run.carry()
            await run.change()
            if await run.wait(wait):
                await run.notify()
                await run.commit()
                return view.end(run, EXIT_WELL)
            trouble: MailnameError = HostError("not every server answers over UDP and TCP with the same serial", step="deploy")
            words = await run.words_of_servers()
        except MailnameError as error:
            trouble, words = error, {}
        except asyncio.CancelledError:
            await run.undo()
            raise
        left = await run.undo()
    return view.end(run, EXIT_FAILED, trouble, words, left)
