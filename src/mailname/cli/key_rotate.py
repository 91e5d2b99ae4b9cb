"""``mailname key rotate``: a new transfer key, both for a while, then the new one alone."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailname.cli.console import err, out, print_json
from mailname.cli.control_option import json_option
from mailname.cli.exits import EXIT_FINDINGS, EXIT_WELL
from mailname.cli.plan_argument import read_plan

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.engines.rotation import Rotation, Use


@click.command("rotate")
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--control", type=click.Path(path_type=Path), envvar="MAILNAME_CONTROL", help="The primary's control socket.")
@click.option("--network", type=click.Path(path_type=Path, dir_okay=False), help="The network file of a rehearsal.")
@click.option("--finish", is_flag=True, help="Only go on with a rotation that was begun; begin none.")
@click.option("--dry-run", is_flag=True, help="Tell how far it has got, and change nothing.")
@click.option("--wait", type=float, default=10.0, show_default=True, help="Seconds to wait for the other servers.")
@json_option
@click.pass_context
def rotate(
    ctx: click.Context,
    plan_file: Path,
    control: Path | None,
    network: Path | None,
    finish: bool,
    dry_run: bool,
    wait: float,
    as_json: bool,
) -> None:
    """Rotate the key that signs the plan's transfers, on the primary's host.

    The first run puts a new key before the old one in the primary's key file: both are good. Copy the file to the other servers.
    Run it again: once every server has signed with the new key, the old one goes. It may be interrupted at any point.

    Exit code 0 when the old key is gone; 1 while a server has not used the new one.
    """
    from mailname.cli.publish import surroundings
    from mailname.engines.rotation import Rotation
    from mailname.server.clock import SystemClock
    from mailname.server.network_map import MappedNetwork

    plan = read_plan(plan_file)
    socket, world = surroundings(plan, control, network)
    known = world.control if isinstance(world, MappedNetwork) else {}
    others = {server.name: known[server.name] for server in plan.secondaries if server.name in known}
    rotation = Rotation(plan, socket, world, SystemClock(), others)
    again = "mailname key rotate " + shlex.quote(str(plan_file))
    ctx.exit(asyncio.run(_rotate(rotation, again, begin=not finish, dry_run=dry_run, wait=wait, as_json=as_json)))


async def _rotate(rotation: Rotation, again: str, *, begin: bool, dry_run: bool, wait: float, as_json: bool) -> int:
    prose = err if as_json else out
    await rotation.look(change=not dry_run)
    begun = False
    if not rotation.under_way and not rotation.interrupted_at_the_end and begin and not dry_run:
        await rotation.begin()
        begun = True
        prose.print(
            f"made the key {_bare(rotation.new.name)}; the old one is good, too, until every server uses it", markup=False
        )
    if not rotation.under_way:
        state = "finished" if rotation.interrupted_at_the_end else "no rotation under way"
        prose.print(f"{state}: the key is {_bare(rotation.new.name)}, in {rotation.path}", markup=False)
        if as_json:
            print_json(_json(rotation, state, [], [], []))
        return EXIT_WELL
    if not begun and not dry_run:
        await rotation.share()
    uses, strangers = await (rotation.uses() if dry_run else rotation.wait(wait))
    missing = [use for use in uses if not use.has_moved]
    for use in uses:
        prose.print(f"{_bare(use.server)}: {_says(use)}", markup=False)
    for address in strangers:
        prose.print(f"{address}, no server of the plan, signs with the old key, which will not be taken any more", markup=False)
    if missing or dry_run:
        if as_json:
            print_json(_json(rotation, "waiting" if missing else "ready", uses, strangers, []))
        for use in missing:
            err.print(f"Copy {rotation.path} to {_bare(use.server)}, readable only by the server's user; there: mailname reload")
        err.print(f"Then: {again}", markup=False)
        return EXIT_FINDINGS
    await rotation.finish()
    still = await rotation.still_accepted()
    prose.print(f"the old key is gone from {rotation.path}; the key is {_bare(rotation.new.name)}", markup=False)
    for server in still:
        prose.print(
            f"{_bare(server)} still takes the old key: copy {rotation.path} there once more, and there: mailname reload",
            markup=False,
        )
    if as_json:
        print_json(_json(rotation, "finished", uses, strangers, still))
    return EXIT_WELL


def _says(use: Use) -> str:
    if use.has_moved:
        return f"signs with the new key, last at {use.new_at}"
    if use.old_at is not None:
        return f"has not used the new key yet; it signed with the old one at {use.old_at}"
    return "has not used the new key yet; it has not asked at all since the primary's server was started or loaded the key"


def _json(rotation: Rotation, state: str, uses: list[Use], strangers: list[str], still: list[Name]) -> dict[str, Any]:
    return {
        "schema": "mailname.key-rotate/1",
        "state": state,
        "file": str(rotation.path),
        "new": rotation.new.name.to_text(),
        "old": [key.name.to_text() for key in (*rotation.keys[1:], *rotation.gone)],
        "servers": [
            {
                "server": use.server.to_text(),
                "addresses": [str(address) for address in use.addresses],
                "uses_new_key": use.has_moved,
                "new_key_at": use.new_at,
                "old_key_at": use.old_at,
            }
            for use in uses
        ],
        "others_with_old_key": strangers,
        "still_take_old_key": [name.to_text() for name in still],
    }


def _bare(name: Name) -> str:
    return name.to_text(omit_final_dot=True)
