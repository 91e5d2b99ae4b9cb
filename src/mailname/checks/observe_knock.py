"""While a machine is waited for in vain, see whether it lives: by TCP connections to ports that many have."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mailname.checks.asking import outcome_of
from mailname.checks.facts_knock import Knock
from mailname.checks.outcome import Outcome
from mailname.checks.patience import patiently
from mailname.server.network import Endpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mailname.server.network import IPAddress, Network

#: SSH, mail, web: whatever answers there, even with a refusal, tells that the machine is up.
PORTS = (22, 25, 80, 443)


async def beside(
    asking: Awaitable[object], heard: Callable[[], bool], network: Network, address: IPAddress, *, patience: float
) -> tuple[Knock, ...]:
    """Ask; where nothing is heard for ``patience`` seconds, knock meanwhile. Nothing is told of a machine that was heard."""
    knocking = asyncio.ensure_future(_knock_later(heard, network, address, patience))
    try:
        await asking
        return () if heard() else await knocking
    finally:
        knocking.cancel()


async def _knock_later(heard: Callable[[], bool], network: Network, address: IPAddress, patience: float) -> tuple[Knock, ...]:
    await asyncio.sleep(patience)
    if heard():
        return ()
    return tuple(await asyncio.gather(*(_knock(network, address, port, patience) for port in PORTS)))


async def _knock(network: Network, address: IPAddress, port: int, patience: float) -> Knock:
    try:
        await patiently(_connect(network, Endpoint(address, port)), patience)
    except (OSError, EOFError) as error:
        return Knock(address, port, outcome_of(error))
    return Knock(address, port, Outcome.ANSWER)


async def _connect(network: Network, at: Endpoint) -> None:
    """Connect and hang up, in one task: what is given up in between leaves no connection behind."""
    _, writer = await network.open_tcp(at)
    writer.close()
