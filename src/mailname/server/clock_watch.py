"""Looks at the machine's clocks now and then: whether somebody set the one on the wall, and whether the machine slept."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from mailname.server.clock import moment
from mailname.server.context import log
from mailname.transfer.moment import JUMP, ClockWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.server.clock import Clock

_LOOK = 5.0  # seconds between two looks, while the machine is awake


async def watch_clock(clock: Clock, jumped: Callable[[float], None], wake: Callable[[], None]) -> None:
    """Watch until cancelled.

    Args:
        clock: the clock.
        jumped: called with the seconds by which the wall clock was set.
        wake: called when the machine has slept: pauses of asyncio do not count that time, zones do.

    """
    loop, moved = asyncio.get_running_loop(), asyncio.Event()
    clock.when_moved(moved.set)
    watch = ClockWatch(moment(clock))
    awake = clock.monotonic() - loop.time()
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK):
                await moved.wait()
        moved.clear()
        if (seconds := watch.on_look(moment(clock))) != 0.0:
            log.warning("the wall clock was set %s by %.0f seconds", "forward" if seconds > 0 else "back", abs(seconds))
            jumped(seconds)
        slept = clock.monotonic() - loop.time() - awake
        if slept > JUMP:
            awake += slept
            log.info("this machine slept for %.0f seconds: all timers are looked at", slept)
            wake()
