"""``mailname traffic``: what the world asks, of a running server or of every name server of a plan, side by side."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailname.cli.console import print_json
from mailname.cli.control_option import json_option
from mailname.cli.exits import EXIT_UNKNOWN
from mailname.cli.host_options import ssh_config_option
from mailname.cli.plan_controls import DEFAULT, controls
from mailname.errors import ObservationError

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.checks.observe_traffic import Told, Window
    from mailname.checks.traffic_share import Share
    from mailname.plan import Plan

SCHEMA = "mailname.traffic-plan/1"


@click.command("traffic")
@click.argument("plan_file", metavar="[PLAN]", required=False, type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option(
    "--control",
    metavar="[NAME=]PATH",
    multiple=True,
    help=f"The running server's control socket; with PLAN also NAME=PATH, repeatable. [default: {DEFAULT}]",
)
@click.option("--network", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="With PLAN: a rehearsal's file.")
@ssh_config_option
@click.option(
    "--over", type=click.Choice(["hour", "day", "week", "month"]), default="day", show_default=True, help="How far back."
)
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(0.1, 3600),
    default=1.0,
    show_default=True,
    help='Seconds over which "now" is counted.',
)
@click.option("--most", type=click.IntRange(0, 1000), default=5, show_default=True, help="Zones and networks to name.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    plan_file: Path | None,
    control: tuple[str, ...],
    network: Path | None,
    ssh_config: Path | None,
    over: str,
    seconds: float,
    most: int,
    *,
    as_json: bool,
) -> None:
    """Tell what the world asks: how much, for which types, by which way, from which networks, now and over time.

    With a PLAN, ask every name server of the plan, by its control socket or over SSH, and tell which one resolvers prefer.

    Exit code 3 when no server tells anything.
    """
    from mailname.checks.observe_traffic import WINDOWS, at_control
    from mailname.cli.traffic_view import print_servers

    window = WINDOWS[over]
    if plan_file is not None:
        if not _of_plan(plan_file, control, network, ssh_config, window, seconds, most, as_json=as_json):
            ctx.exit(EXIT_UNKNOWN)
        return
    if network is not None or any("=" in one for one in control) or len(control) > 1:
        raise click.UsageError("--network, NAME=PATH and several sockets are for a plan: mailname traffic PLAN")
    path = Path(control[0] if control else os.environ.get("MAILNAME_CONTROL") or DEFAULT)
    told = asyncio.run(at_control(path, window, most, seconds))
    if told.report is None:
        raise ObservationError(told.says, remedy="Start one: mailname serve --config FILE; or name its socket: --control PATH")
    if as_json:
        print_json(dict(told.report))
    else:
        print_servers({"this server": told}, [], window)


def _of_plan(
    file: Path,
    control: tuple[str, ...],
    network: Path | None,
    ssh_config: Path | None,
    window: Window,
    seconds: float,
    most: int,
    *,
    as_json: bool,
) -> bool:
    """Ask all, print it, and return whether any told something."""
    from mailname.checks.observe_traffic import look
    from mailname.cli.engine_place import orders
    from mailname.cli.plan_argument import read_plan
    from mailname.cli.traffic_view import print_servers
    from mailname.view.traffic_words import sentence, shares_of

    plan = read_plan(file, quiet=True)
    found = controls(plan, control, network)
    others = orders(plan, ssh_config)
    told = asyncio.run(look(plan, found.named, found.unnamed, window, most, ssh_config, others, seconds))
    by_name = {name.to_text(omit_final_dot=True): one for name, one in told.items()}
    parts, why = shares_of(by_name)
    if as_json:
        print_json(
            {
                "schema": SCHEMA,
                "domain": plan.domain.to_text(),
                "over": window.name,
                "servers": [_server(plan, name, told[name]) for name in told],
                "shares": [_share(one) for one in parts],
                "says": sentence(parts) or why,
            }
        )
    else:
        print_servers(by_name, parts, window, why)
    return any(one.report is not None for one in told.values())


def _server(plan: Plan, name: Name, told: Told) -> dict[str, Any]:
    (server,) = (one for one in plan.name_servers if one.name == name)
    return {
        "server": name.to_text(omit_final_dot=True),
        "role": server.role,
        "engine": server.engine,
        "asked": {"how": told.how or None, "says": told.says},
        "traffic": dict(told.report) if told.report is not None else None,
    }


def _share(share: Share) -> dict[str, Any]:
    return {
        "server": share.server,
        "questions": share.questions,
        "share": round(share.share, 4),
        "least": round(share.least, 4),
        "most": round(share.most, 4),
        "spans": share.spans,
    }
