"""``mailname host prepare``: shows what would change on each host, asks, and does it."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING

import click

from mailname.cli.exits import EXIT_FAILED, EXIT_FINDINGS, EXIT_UNKNOWN, EXIT_USAGE, EXIT_WELL
from mailname.cli.host_options import chosen, host_options, ssh_with

if TYPE_CHECKING:
    from pathlib import Path

    from mailname.errors import HostError
    from mailname.host.prepare import Audit, Prepared
    from mailname.host.ssh import Ssh
    from mailname.plan.hosts import Host
    from mailname.plan.model import Hosts


@click.command("prepare")
@host_options
@click.option("--dry-run", is_flag=True, help="Only show what would be changed. Exit code 1 when there is something.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--reboot", is_flag=True, help="Then restart each host, one after the other, and prove that all is back.")
@click.option(
    "--guard",
    metavar="SECONDS",
    type=click.IntRange(10, 3600),
    default=120,
    show_default=True,
    help="After how long the host restores sshd and the packet filter by itself, unless the administrator has come in anew.",
)
def prepare(
    plan: Path,
    hosts: tuple[str, ...],
    ssh_config: Path | None,
    guard: int,
    *,
    dry_run: bool,
    yes: bool,
    reboot: bool,
    as_json: bool,
) -> int:
    """Make the machines safe: show the change as a diff, ask, do it in an order that cannot lock out, and prove it.

    What holds already is left as it is. Before sshd or the packet filter changes, a timer on the host is armed that restores
    both; it is stopped only by a new SSH session of the administrator. HOST is a name of the plan; without one, all hosts.

    Exit code 1 when something is left that only you can mend, 3 when a host could not be looked at, 4 when something failed and
    was put back.
    """
    from mailname.cli import host_prepare_view as view

    read, wanted = chosen(plan, hosts)
    ssh = ssh_with(ssh_config)
    with view.err.status("looking at " + ", ".join(map(view.name_of, wanted))):
        audits, troubles = asyncio.run(_audit(wanted, read.hosts, ssh))
    if not as_json:
        view.print_audits(audits, troubles)
    changing = [one for one in audits if one.changes]
    if changing and not dry_run and not yes:
        if as_json:
            raise click.UsageError("--json asks nothing: add --yes or --dry-run")
        if not click.confirm(f"Change {', '.join(view.name_of(one.host) for one in changing)} so?", err=True):
            view.err.print("Nothing was changed.")
            return EXIT_USAGE
    prepared: list[Prepared] = []
    if changing and not dry_run:
        prepared = asyncio.run(_apply(changing, read.hosts, ssh, plan, guard))
    if reboot and not dry_run and not any(one.trouble for one in prepared):
        prepared = asyncio.run(_reboot(audits, prepared, read.hosts, ssh))
    code = _exit_code(audits, prepared, troubles, dry_run=dry_run)
    if as_json:
        view.print_as_json(audits, prepared, troubles, well=code == EXIT_WELL)
    elif not dry_run:
        view.print_prepared(audits, prepared, str(plan))
    return code


async def _audit(wanted: tuple[Host, ...], said: Hosts, ssh: Ssh) -> tuple[list[Audit], list[tuple[Host, HostError]]]:
    from mailname.errors import HostError
    from mailname.host.prepare import Audit, audit

    found = await asyncio.gather(*(audit(host, said, ssh) for host in wanted), return_exceptions=True)
    audits, troubles = [], []
    for host, one in zip(wanted, found, strict=True):
        if isinstance(one, Audit):
            audits.append(one)
        elif isinstance(one, HostError):
            troubles.append((host, one))
        else:
            raise one
    return audits, troubles


async def _apply(changing: list[Audit], said: Hosts, ssh: Ssh, plan: Path, seconds: int) -> list[Prepared]:
    from mailname.cli import host_prepare_view as view
    from mailname.host.prepare import Preparation

    async def one(found: Audit) -> Prepared:
        name = view.name_of(found.host)
        password_file = plan.with_name(f"{plan.stem}.{name}.password")
        preparation = Preparation(found, said, ssh, password_file, seconds, functools.partial(view.tell, name))
        return await preparation.apply()

    return list(await asyncio.gather(*map(one, changing)))


async def _reboot(audits: list[Audit], prepared: list[Prepared], said: Hosts, ssh: Ssh) -> list[Prepared]:
    """Restart one host after the other, so that one name server answers all the time; the first that fails ends it."""
    from mailname.cli import host_prepare_view as view
    from mailname.errors import HostError
    from mailname.host.prepare import Prepared
    from mailname.host.reboot import reboot

    became = {one.host: one for one in prepared}
    for found in audits:
        one = became.setdefault(found.host, Prepared(found.host))
        name = view.name_of(found.host)
        try:
            one.results = await reboot(found.host, said, ssh, functools.partial(view.tell, name))
        except HostError as error:
            one.trouble = error
            break
        one.rebooted = True
    return list(became.values())


def _exit_code(audits: list[Audit], prepared: list[Prepared], troubles: list[tuple[Host, HostError]], *, dry_run: bool) -> int:
    from mailname.host.step import Outcome

    if any(one.trouble for one in prepared):
        return EXIT_FAILED
    if troubles:
        return EXIT_UNKNOWN
    if dry_run and any(one.changes for one in audits):
        return EXIT_FINDINGS
    left = any(one.left_alone for one in audits)
    results = [result for one in prepared for result in one.results]
    told = {one.host for one in prepared}
    results += [result for one in audits if one.host not in told for result in one.results]
    wrong = any(result.outcome is Outcome.DOES_NOT_HOLD for result in results)
    return EXIT_FINDINGS if left or wrong else EXIT_WELL
