"""What the name servers of a plan have counted: asked at their control sockets, here or over SSH, all at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailname.checks.observe_sides import CONTROL_TIMEOUT, server_at
from mailname.checks.over_ssh import told_over_ssh
from mailname.errors import HostError
from mailname.server.control import ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dns.name import Name

    from mailname.plan import NameServer, Plan

NOW = 1.0  # seconds over which "now" is counted


@dataclass(frozen=True, slots=True)
class Window:
    """How far to look back: so many spans of this name."""

    name: str
    span: str
    spans: int


WINDOWS = {
    one.name: one
    for one in (
        Window("hour", "minute", 60),
        Window("day", "minute", 1440),
        Window("week", "hour", 168),
        Window("month", "hour", 720),
    )
}


@dataclass(frozen=True, slots=True)
class Told:
    """What one server told, how it was asked, and why it told nothing."""

    how: str
    report: Mapping[str, Any] | None
    says: str = ""


async def look(
    plan: Plan,
    controls: Mapping[Name, Path],
    unnamed: Sequence[Path],
    window: Window,
    most: int,
    ssh_config: Path | None = None,
) -> dict[Name, Told]:
    """Ask every name server of a plan.

    Args:
        plan: whom to ask.
        controls: the control sockets on this machine, by name server.
        unnamed: control sockets on this machine whose servers are found by the addresses that they listen on.
        window: how far to look back.
        most: zones and networks to name.
        ssh_config: what ssh's option -F takes.

    """
    servers = plan.name_servers
    answers = await asyncio.gather(*(_one(server, controls.get(server.name), window, most, ssh_config) for server in servers))
    told = {server.name: answer for server, answer in zip(servers, answers, strict=True)}
    for path in unnamed:
        here = await at_control(path, window, most)
        server = server_at(plan, (here.report or {}).get("listen") or ())
        if server is not None and told[server.name].report is None:
            told[server.name] = here
    return told


async def _one(server: NameServer, control: Path | None, window: Window, most: int, ssh_config: Path | None) -> Told:
    if control is not None:
        return await at_control(control, window, most)
    if server.ssh is not None:
        words = ("traffic", "--over", window.name, "--most", str(most))
        report, says = await told_over_ssh(server.ssh, *words, member="clients", config=ssh_config)
        return Told(f"ssh {server.ssh} mailname {' '.join(words)} --json", report, says)
    return Told("", None, "not asked: there is no ssh in the plan, and no --control")


async def at_control(path: Path, window: Window, most: int) -> Told:
    """Ask the server of a control socket on this machine, twice, so that it tells what it is asked now, too."""
    order = {"do": "traffic", "most": most, "history": window.span, "spans": window.spans}
    try:
        first = await ask(path, order, timeout=CONTROL_TIMEOUT)
        if not first.pop("ok", False):
            return Told(str(path), None, str(first.get("says", "it gave no counts")))
        await asyncio.sleep(NOW)
        later = await ask(path, {"do": "traffic", "most": 0}, timeout=CONTROL_TIMEOUT)
    except HostError as error:
        return Told(str(path), None, error.problem)
    questions = later.get("questions")
    grown = questions - first["questions"] if isinstance(questions, int) else 0
    return Told(str(path), {**first, "now": {"seconds": NOW, "questions": max(grown, 0)}})
