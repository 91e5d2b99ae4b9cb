"""The page over a rehearsal: things are broken and mended from it, and the verdict follows before one's eyes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mailname.checks import Place
from mailname.cli.web import endpoint, tell_where
from mailname.errors import HostError
from mailname.lab import Lab
from mailname.lab.faults import FAULTS
from mailname.lab.journey import walk
from mailname.web.check_log import CheckLog
from mailname.web.domain import Domain, Surroundings
from mailname.web.door import Door
from mailname.web.live import Live
from mailname.web.rounds import Rounds
from mailname.web.serving import listen_at, served
from mailname.web.site import Site

if TYPE_CHECKING:
    from pathlib import Path

    from mailname.lab.fault import Fault
    from mailname.plan import Plan

_EVERY = 20.0  # seconds: what was changed by hand is seen, too


class BreakableLab:
    """A lab that can be broken, and is mended by being built anew: then nothing is left of the fault.

    Attributes:
        lab: the one that runs now.

    """

    def __init__(self, plan: Plan, plan_file: Path, lab: Lab, broken: tuple[str, ...]) -> None:
        self.plan = plan
        self.plan_file = plan_file
        self.lab = lab
        self.broken = broken
        self.is_secret = False
        self._first = lab
        self._mended = 0
        self._one_at_a_time = asyncio.Lock()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What can be broken in this plan."""
        return tuple(one for one in FAULTS.values() if self._can_have(one))

    def _can_have(self, fault: Fault) -> bool:
        try:
            fault.refuse(self.plan)
        except HostError:
            return False
        return True

    def around(self) -> Surroundings:
        """Return where the check looks from now."""
        world = self.lab.world
        place = Place(str(self.plan_file), str(self._first.network_file), world.control_sockets)
        return Surroundings(self.lab.network, world, place, dict(world.control_sockets))

    async def break_one(self, fault: str, *, secretly: bool = False) -> None:
        """Break one thing. Raises HostError when that cannot be."""
        async with self._one_at_a_time:
            await self.lab.inject(fault)
            self.is_secret = secretly
            self.broken = (*self.broken, fault)

    async def mend(self) -> None:
        """Build everything anew, and walk the journey in it. Raises HostError when a step does not succeed."""
        async with self._one_at_a_time:
            await self.lab.stop()
            self._mended += 1
            folder = self._first.folder / f"mended-{self._mended}"
            folder.mkdir()
            self.lab = Lab(self.plan, folder, real_addresses=self._first.network.direct)
            await self.lab.start()
            failed = [step.title async for step in walk(self.lab) if not step.ok]
            self.lab.network.save(self._first.network_file)  # other terminals look on by the same file
            self.broken, self.is_secret = (), False
            if failed:
                raise HostError(f"it does not run as the plan says: {', '.join(failed)}", step="mend")


async def show(plan: Plan, plan_file: Path, lab: Lab, broken: tuple[str, ...], listen: str) -> None:
    """Serve the page until cancelled."""
    rehearsed = BreakableLab(plan, plan_file, lab, broken)
    domain = Domain(plan, str(plan_file), rehearsed.around)
    live, log, door = Live(), CheckLog(), Door()
    site = Site(Rounds([domain], live, log, _EVERY), live, log, door, rehearsed)
    address, port = endpoint(listen)
    listening = listen_at(address, port)
    try:
        async with served(site, [listening], frozenset({address, "localhost", "127.0.0.1", "::1"})):
            tell_where(door, address, listening.getsockname()[1])
            await asyncio.Event().wait()
    finally:
        await rehearsed.lab.stop()
