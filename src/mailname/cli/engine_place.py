"""Where a plan's server of another program is, and how it is asked: on this machine, or over SSH."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from dns.name import Name

    from mailname.engines.driven import Driven
    from mailname.engines.machine import Machine
    from mailname.host.ssh import Ssh
    from mailname.plan import NameServer, Plan
    from mailname.server.network import IPAddress


def driven_at(plan: Plan, server: NameServer, machine: Machine, listen: tuple[IPAddress, ...] = ()) -> Driven:
    """Return the server of a machine where Debian's package has its things.

    Raises:
        HostError: mailname cannot set up this program.

    """
    from mailname.engines.driven import Driven
    from mailname.engines.engine import driven_engine

    engine = driven_engine(server.engine)
    assert engine is not None, "the caller looked"
    key = f"{plan.transfer_key.name.to_text(omit_final_dot=True)}.key" if plan.transfer_key is not None else None
    return Driven(plan, server, engine, engine.placed(listen, key), machine)


async def driven_by_ssh(plan: Plan, server: NameServer, ssh: Ssh) -> Driven:
    """Log in on a server's host. Raises HostError."""
    from mailname.host.machine_by_ssh import MachineBySsh
    from mailname.plan.hosts import hosts

    host = next(one for one in hosts(plan) if one.name_server == server)
    return driven_at(plan, server, MachineBySsh(ssh, await ssh.log_in(host, plan.hosts.administrator)))


def driven_here(plan: Plan, control: Path | None, network_file: Path | None) -> Driven | None:
    """Return the plan's primary on this machine, where it is another's program and no socket is named."""
    if plan.primary.engine == "builtin" or control is not None or network_file is not None:
        return None
    from mailname.engines.machine import ThisMachine

    return driven_at(plan, plan.primary, ThisMachine())


def orders(plan: Plan, ssh_config: Path | None) -> dict[Name, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]]:
    """Return how each server of another program is given orders over SSH, where the plan says how that reaches it.

    What it is asked is kept here, as it keeps no history itself.
    """
    import time

    from mailname.host.ssh import Ssh
    from mailname.server.traffic_elsewhere import TrafficElsewhere
    from mailname.watch.history import usual_file

    folder = usual_file().parent / "traffic"

    def giver(server: NameServer) -> Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]:
        async def give(order: Mapping[str, Any]) -> Mapping[str, Any]:
            told = await (await driven_by_ssh(plan, server, Ssh(ssh_config))).ask(dict(order))
            if order["do"] != "traffic" or "history" not in order or not told.get("ok"):
                return told
            kept = TrafficElsewhere(folder / f"{server.name.to_text(omit_final_dot=True)}.sqlite")
            return await asyncio.to_thread(kept.told, told, time.time(), order["history"], order["spans"])

        return give

    return {one.name: giver(one) for one in plan.name_servers if one.engine != "builtin" and one.ssh is not None}


def askers(
    plan: Plan, controls: Mapping[Name, Path], ssh_config: Path | None
) -> dict[Name, Callable[[], Awaitable[Mapping[str, Any]]]]:
    """Return how each server of another program is asked for its status, where the plan says how SSH reaches it."""
    from mailname.cli.host_options import ssh_with

    def asker(server: NameServer) -> Callable[[], Awaitable[Mapping[str, Any]]]:
        async def ask() -> Mapping[str, Any]:
            return await (await driven_by_ssh(plan, server, ssh)).status()

        return ask

    others = [one for one in plan.name_servers if one.engine != "builtin" and one.ssh is not None and one.name not in controls]
    if not others:
        return {}
    ssh = ssh_with(ssh_config)
    return {one.name: asker(one) for one in others}
