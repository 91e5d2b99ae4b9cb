"""``mailname publish``: diff, guard, serial, load, NOTIFY, and wait until every server answers with the new serial."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from mailname.cli.console import err, out, print_json
from mailname.cli.control_option import json_option
from mailname.cli.diff_view import diff_json, print_diff
from mailname.cli.engine_place import driven_by_ssh, driven_here
from mailname.cli.exits import EXIT_FINDINGS, EXIT_WELL
from mailname.cli.host_options import ssh_config_option, ssh_with
from mailname.cli.plan_argument import read_plan
from mailname.errors import HostError

if TYPE_CHECKING:
    from mailname.engines.primary_place import PrimaryPlace
    from mailname.engines.publish import Arrival, Publication, Publishing
    from mailname.host.ssh import Ssh
    from mailname.plan import Plan
    from mailname.server.network import Network


@click.command("publish")
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--control", type=click.Path(path_type=Path), envvar="MAILNAME_CONTROL", help="The primary's control socket.")
@click.option("--network", type=click.Path(path_type=Path, dir_okay=False), help="The network file of a rehearsal.")
@ssh_config_option
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes-really", is_flag=True, help="Publish even what looks like an accident.")
@click.option("--wait", type=float, default=30.0, show_default=True, help="Seconds to wait for every server.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    plan_file: Path,
    control: Path | None,
    network: Path | None,
    ssh_config: Path | None,
    dry_run: bool,
    yes_really: bool,
    wait: float,
    as_json: bool,
) -> None:
    """Show what changes, raise the serial, load it without a restart, and wait until every server of the plan has it.

    Without a control socket here, the primary is reached over SSH, by the plan's ssh line.

    Exit code 0 only when every address of every name server answers with the new serial; 1 when some do not, 4 when nothing was
    published.
    """
    plan = read_plan(plan_file)
    ctx.exit(publish_by(plan, control, network, ssh_config, dry_run=dry_run, yes_really=yes_really, wait=wait, as_json=as_json))


def publish_by(
    plan: Plan,
    control: Path | None,
    network: Path | None,
    ssh_config: Path | None,
    *,
    dry_run: bool,
    yes_really: bool,
    wait: float,
    as_json: bool,
    restore: int | None = None,
) -> int:
    """Publish a plan, or one of the versions that were published, with a higher serial; return the exit code."""
    ssh = ssh_with(ssh_config) if goes_by_ssh(plan, control, network, ssh_config) else None
    told = {"dry_run": dry_run, "yes_really": yes_really, "as_json": as_json}
    return asyncio.run(_publish(plan, control, network, ssh, **told, wait=wait, restore=restore))


def goes_by_ssh(plan: Plan, control: Path | None, network_file: Path | None, ssh_config: Path | None) -> bool:
    """Tell whether the primary is asked over SSH: no socket is named, none is here, and there is a way in."""
    from mailname.server.control import DEFAULT_PATH

    if control is not None or network_file is not None:
        return False
    return ssh_config is not None or (plan.primary.ssh is not None and not DEFAULT_PATH.exists())


async def place_by_ssh(plan: Plan, ssh: Ssh) -> PrimaryPlace:
    """Log in on the primary's host, and return the server there. Raises HostError."""
    if plan.primary.engine != "builtin":
        return await driven_by_ssh(plan, plan.primary, ssh)
    from mailname.host.primary_by_ssh import PrimaryBySsh
    from mailname.plan.hosts import hosts

    host = next(one for one in hosts(plan) if one.name_server == plan.primary)
    return PrimaryBySsh(ssh, await ssh.log_in(host, plan.hosts.administrator))


def surroundings(plan: Plan, control: Path | None, network_file: Path | None) -> tuple[Path, Network]:
    """Return the primary's control socket and the network to ask through: a rehearsal's, or those of this machine."""
    from mailname.server.control import DEFAULT_PATH
    from mailname.server.network import DirectNetwork
    from mailname.server.network_map import MappedNetwork

    if network_file is None:
        return control or DEFAULT_PATH, DirectNetwork()
    mapped = MappedNetwork.load(network_file)
    return control or mapped.control.get(plan.primary.name, DEFAULT_PATH), mapped


async def _publish(
    plan: Plan,
    control: Path | None,
    network_file: Path | None,
    ssh: Ssh | None,
    *,
    dry_run: bool,
    yes_really: bool,
    wait: float,
    as_json: bool,
    restore: int | None,
) -> int:
    from mailname.engines.keeping_published import one_of
    from mailname.engines.publish import Publishing

    prose = err if as_json else out
    socket, network = surroundings(plan, control, network_file)
    place = await place_by_ssh(plan, ssh) if ssh is not None else driven_here(plan, control, network_file)
    if place is None and control is None and network_file is None and not socket.exists():
        name = plan.primary.name.to_text(omit_final_dot=True)
        raise HostError(
            f"no server listens here on the control socket {socket}, and the plan does not tell how SSH reaches {name}",
            remedy=f'Write into its table of the plan: ssh = "{plan.hosts.administrator}@{plan.primary.addresses[0]}". '
            "Or, by hand on this machine: mailname serve --config FILE",
            step="control",
        )
    publishing = Publishing(plan, socket, network, datetime.now(UTC).date(), place=place)
    if restore is not None:
        publishing.restored = await one_of(publishing.primary, plan, restore)
    publications = await publishing.prepare()
    for one in publications:
        _show(one, prose_to_err=as_json)
    if dry_run:
        if as_json:
            print_json(_json(publications, [], published=False))
        return EXIT_WELL
    objections = [objection for one in publications for objection in one.objections]
    if objections and not yes_really:
        raise HostError(
            "this looks like an accident, so nothing was published: " + " ".join(one.says for one in objections),
            remedy="If it is meant: mailname publish PLAN --yes-really",
            step="guard",
        )
    await publishing.write_and_load()
    if publishing.unkept:
        err.print(f"[yellow]careful:[/] the history does not have this version: {escape(publishing.unkept)}")
    for one in publications:
        word = "loaded" if one.needs_writing else "unchanged, still"
        prose.print(f"[bold]{_bare(one)}[/]: {word} serial {one.new.serial}")
    arrivals = await _wait(publishing, wait, prose_to_err=as_json)
    if as_json:
        print_json(_json(publications, arrivals, published=True))
    missing = [arrival for arrival in arrivals if not arrival.arrived]
    for late in missing:
        err.print(f"[red]not there:[/] {escape(str(late.server))} {late.at}: {escape(late.says)}")
    if missing:
        err.print(f"Find the cause: mailname check PLAN{' --network FILE' if network_file else ''}", markup=False)
        return EXIT_FINDINGS
    prose.print(f"[green]every server answers with the new serial[/] ({len(arrivals)} addresses)")
    return EXIT_WELL


def _bare(one: Publication) -> str:
    return escape(one.new.apex.to_text(omit_final_dot=True))


def _show(one: Publication, *, prose_to_err: bool) -> None:
    console = err if prose_to_err else out
    if one.unreadable:
        console.print(f"[bold]{_bare(one)}[/]: serial {one.new.serial}, {one.new.record_count} records")
        console.print(
            f"  [yellow]careful:[/] the zone file cannot be read, so what changes is not known: {escape(one.unreadable)}"
        )
    elif one.old is None:
        console.print(f"[bold]{_bare(one)}[/]: first publication, serial {one.new.serial}, {one.new.record_count} records")
    elif not one.needs_writing:
        console.print(f"[bold]{_bare(one)}[/]: nothing changed since serial {one.old.serial}")
    else:
        console.print(f"[bold]{_bare(one)}[/]: serial {one.old.serial} → {one.new.serial}")
    if one.joins:
        console.print("  joins the catalog, and appears at every secondary that follows it")
    if one.needs_writing and one.old is not None:
        print_diff(console, one.changes)
    for record in one.by_update:
        word = "kept, by update:" if record.kept else "[yellow]overruled by the plan, was by update:[/]"
        console.print(f"  {word} {escape(record.says)}")
    for objection in one.objections:
        console.print(f"  [yellow]careful:[/] {escape(objection.says)}")


async def _wait(publishing: Publishing, seconds: float, *, prose_to_err: bool) -> list[Arrival]:
    console = err if prose_to_err else out
    open_ends: dict[str, str] = {}
    with console.status("waiting for the name servers …") as spinner:

        def tell(one: Arrival) -> None:
            where = f"{one.server.to_text(omit_final_dot=True)} {one.at}"
            if one.arrived:
                open_ends.pop(where, None)
                console.print(f"  [green]✓[/] {escape(where)} answers serial {one.seen}")
            else:
                open_ends[where] = f"{where} {one.says}"
            spinner.update("waiting: " + escape("; ".join(open_ends.values())) if open_ends else "waiting …")

        return await publishing.wait(seconds, tell)


def _json(publications: list[Publication], arrivals: list[Arrival], *, published: bool) -> dict[str, object]:
    return {
        "schema": "mailname.publish/1",
        "published": published,
        "zones": [
            {
                "zone": one.new.apex.to_text(),
                "file": str(one.path),
                "old_serial": one.old.serial.value if one.old else None,
                "serial": one.new.serial.value,
                "changed": one.needs_writing,
                "joins_catalog": one.joins,
                "changes": diff_json(one.changes),
                "by_update": [{"record": record.says, "kept": record.kept} for record in one.by_update],
                "objections": [{"code": objection.code, "says": objection.says} for objection in one.objections],
            }
            for one in publications
        ],
        "servers": [
            {
                "server": one.server.to_text(),
                "address": str(one.at),
                "zone": one.zone.to_text(),
                "serial": one.seen.value if one.seen else None,
                "arrived": one.arrived,
                "says": one.says,
            }
            for one in arrivals
        ],
    }
