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
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from dns.name import Name

    from mailname.plan import NameServer, Plan

    #: Gives a server an order and returns its answer. Raises HostError.
    Asker = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]

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
    others: Mapping[Name, Asker] | None = None,
    seconds: float = NOW,
) -> dict[Name, Told]:
    """Ask every name server of a plan.

    Args:
        plan: whom to ask.
        controls: the control sockets on this machine, by name server.
        unnamed: control sockets on this machine whose servers are found by the addresses that they listen on.
        window: how far to look back.
        most: zones and networks to name.
        ssh_config: what ssh's option -F takes.
        others: how servers of other programs are given orders, by name server.
        seconds: over which "now" is counted.

    """
    servers = plan.name_servers

    async def one(server: NameServer) -> Told:
        control = controls.get(server.name)
        if control is not None:
            return await at_control(control, window, most, seconds)
        if others is not None and (asker := others.get(server.name)) is not None:
            return await _twice(asker, f"ssh {server.ssh}", window, most, seconds)
        if server.ssh is not None:
            words: tuple[str, ...] = ("traffic", "--over", window.name, "--most", str(most))
            words += ("--for", f"{seconds:g}") if seconds != NOW else ()
            report, says = await told_over_ssh(server.ssh, *words, member="clients", config=ssh_config)
            return Told(f"ssh {server.ssh} mailname {' '.join(words)} --json", report, says)
        return Told("", None, "not asked: there is no ssh in the plan, and no --control")

    answers = await asyncio.gather(*map(one, servers))
    told = {server.name: answer for server, answer in zip(servers, answers, strict=True)}
    for path in unnamed:
        here = await at_control(path, window, most, seconds)
        server = server_at(plan, (here.report or {}).get("listen") or ())
        if server is not None and told[server.name].report is None:
            told[server.name] = here
    return told


async def at_control(path: Path, window: Window, most: int, seconds: float = NOW) -> Told:
    """Ask the server of a control socket on this machine, twice, so that it tells what it is asked now, too."""

    async def give(order: Mapping[str, Any]) -> Mapping[str, Any]:
        return await ask(path, dict(order), timeout=CONTROL_TIMEOUT)

    return await _twice(give, str(path), window, most, seconds)


async def _twice(give: Asker, how: str, window: Window, most: int, seconds: float) -> Told:
    order = {"do": "traffic", "most": most, "history": window.span, "spans": window.spans}
    try:
        first = dict(await give(order))
        if not first.pop("ok", False):
            return Told(how, None, str(first.get("says", "it gave no counts")))
        begun = asyncio.get_running_loop().time()
        await asyncio.sleep(seconds)
        later = await give({"do": "traffic", "most": 0})
    except HostError as error:
        return Told(how, None, error.problem)
    questions = later.get("questions")
    grown = questions - first["questions"] if isinstance(questions, int) else 0
    took = round(asyncio.get_running_loop().time() - begun, 3)
    return Told(how, {**first, "now": {"seconds": took, "questions": max(grown, 0)}})
