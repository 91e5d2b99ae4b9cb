"""An order at the lab's registry: where the real one looks at the name servers first, so does this one, by the same rules.

A registry that was told of a change passes it on to its servers one after the other (``Lab.registry_delay``).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mailname.checks import explain, judge, observe
from mailname.checks.assumed import before_registering
from mailname.checks.registries import decide, registry_of
from mailname.plan import NameServer

if TYPE_CHECKING:
    from mailname.checks.registries import Decision
    from mailname.lab.authority import Authority
    from mailname.lab.lab import Lab
    from mailname.lab.registry import Registration


@dataclass(frozen=True, slots=True)
class Order:
    """What was ordered, and what the registry said after its look; None where it does not look."""

    entry: Registration
    decision: Decision | None

    @property
    def refused(self) -> bool:
        """Whether the registry has everything as it was."""
        return self.decision is not None and self.decision.refuses

    @property
    def says(self) -> tuple[str, ...]:
        """Tell it, line by line."""
        if self.decision is None:
            return ()
        registry = self.decision.registry
        told = [f"{registry.name} looks at the name servers first: {'the order is refused' if self.refused else 'all is well'}"]
        for one in self.decision.objections:
            sure = "" if one.rule.verified else " (this rule was not verified in its own text)"
            told.append(f"{one.rule.level}: {one.says}{sure}")
        return tuple(told)


async def place_order(lab: Lab, entry: Registration | None = None) -> Order:
    """Order a delegation: the plan's, or another. What the registry takes, its servers learn at once or one after the other."""
    entry = entry or lab.wanted_registration()
    registry = registry_of(lab.internet.registry.apex.labels[0].decode("ascii"))
    decision = await _look(lab, entry) if registry.gate else None
    order = Order(entry, decision)
    if order.refused:
        return order
    if lab.registry_delay:
        lab.enter(entry)
        await lab.run(_Passing(lab))
    else:
        lab.register(entry)
    return order


async def _look(lab: Lab, entry: Registration) -> Decision:
    """Look at the name servers from where the registry stands, as if it had delegated the domain already."""
    glue = dict(entry.glue)
    servers = [
        NameServer(name=name, addresses=glue.get(name, ()), role="secondary", engine="builtin") for name in entry.name_servers
    ]
    world = replace(lab.world, start="servers", control_sockets={}, zone_file=None)
    facts = before_registering(await observe(lab.plan, network=lab.network, world=world), servers, entry.ds)
    verdict = explain(lab.plan, facts, judge(lab.plan, facts))
    registry = registry_of(lab.internet.registry.apex.labels[0].decode("ascii"))
    return decide(registry, lab.plan, facts, verdict.findings)


class _Passing:
    """A change on its way to the TLD's servers: each learns of it at its part of the delay, the last at the end."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Let the change set off."""
        lab = self._lab
        lab.internet.prepare()
        servers = lab.internet.tld_servers
        for number, server in enumerate(servers, 1):
            self._tasks.append(asyncio.create_task(self._reach(server, number * lab.registry_delay / len(servers))))

    async def _reach(self, server: Authority, seconds: float) -> None:
        await self._lab.clock.sleep(seconds)
        self._lab.internet.learn(server)

    async def stop(self) -> None:
        """Let it be lost on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
