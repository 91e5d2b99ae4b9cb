"""The rounds: each domain is checked again and again, a few at a time, and who looks at the page is told what changed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailname.web.check_log import CheckLog
    from mailname.web.domain import Domain
    from mailname.web.live import Live

AT_ONCE = 4
FEW = 5  # so many domains have their servers asked on each round; of more, only who is looked at


class Rounds:
    """Looks at all domains in turn.

    Args:
        domains: whom.
        live: who is told of changes.
        log: where verdicts are kept.
        every: seconds from one look at a domain to the next.

    """

    def __init__(self, domains: Sequence[Domain], live: Live, log: CheckLog, every: float) -> None:
        self.domains = {one.name: one for one in domains}
        self.live = live
        self.log = log
        self.every = every
        self.finished_at: float | None = None
        self._places = asyncio.Semaphore(AT_ONCE)
        self._checks: dict[str, asyncio.Task[None]] = {}

    @property
    def are_late(self) -> bool:
        """Tell whether the last round ended so long ago that something holds it up."""
        return self.finished_at is not None and time.monotonic() - self.finished_at > 3 * self.every + 60

    async def run(self) -> None:
        """Go on until cancelled."""
        try:
            while True:
                began = time.monotonic()
                await asyncio.gather(*(self.check(one) for one in self.domains.values()))
                self.finished_at = time.monotonic()
                await asyncio.sleep(max(0.0, began + self.every - time.monotonic()))
        finally:
            for task in self._checks.values():
                task.cancel()

    async def check(self, domain: Domain) -> None:
        """Look at one domain; whoever asks while it is being looked at waits for the same look."""
        task = self._checks.get(domain.name)
        if task is None or task.done():
            task = self._checks[domain.name] = asyncio.create_task(self._check(domain))
        await asyncio.shield(task)

    async def check_anew(self, domain: Domain) -> None:
        """Look at one domain after all that has happened until now: a look that has begun already does not count."""
        task = self._checks.get(domain.name)
        if task is not None and not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(task)
        await self.check(domain)

    async def _check(self, domain: Domain) -> None:
        async with self._places:
            await domain.check()
            if domain.look is not None and not domain.problem:
                self.log.note(domain.name, domain.look.facts.at, domain.look.verdict)
        if len(self.domains) <= FEW:
            await domain.ask_servers(anew=True)
        self.live.tell(domain.name)
