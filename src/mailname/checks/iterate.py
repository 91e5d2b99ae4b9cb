"""The addresses of a host without a resolver: asking from the root down ourselves (RFC 1034 section 5.3.3).

Where only root hints are given, the resolver of this machine belongs to another world. Each zone on the way is found once. The
answer is kept as a fact of the rung "resolver", with what an alias leads to in it, as a resolver gives it; the steps are not.

Not implemented: caching by TTL. One look is too short for that.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import dns.name
import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.asking import Addressee
from mailname.checks.observe_parents import Referral, glue_in, referral_in

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.checks.asking import Asker
    from mailname.checks.facts import Probe
    from mailname.server.network import IPAddress

_MOST_STEPS = 16  # referrals on the way to one answer
_MOST_ALIASES = 8
_MOST_SERVERS = 4  # of one zone, before it is given up
_MOMENT = 1 / 4  # of one try's time, before the next server of a zone is asked as well
_DEEPEST = 6  # name servers whose names need other name servers first


@dataclass(slots=True)
class Iterator:
    """Finds addresses from the root down, and remembers the zones on the way."""

    asker: Asker
    _zones: dict[Name, Referral] = field(default_factory=dict)
    _under_way: set[Name] = field(default_factory=set)

    async def addresses(self, host: Name, depth: int = 0) -> tuple[IPAddress, ...]:
        """Return a host's addresses, none where nobody could say."""
        if depth > _DEEPEST or host in self._under_way:
            return ()
        self._under_way.add(host)
        try:
            kinds = (RdataType.A, RdataType.AAAA)
            probes = await asyncio.gather(*(self._answer(host, kind, depth) for kind in kinds))
        finally:
            self._under_way.discard(host)
        found: list[IPAddress] = []
        for probe in probes:
            if probe is not None:
                self.asker.probes.append(probe)
                found += [a for r in probe.answer for a in glue_in(replace(probe, additional=(r,)), r.owner)]
        return self.asker.wanted(tuple(dict.fromkeys(found)))

    async def answer(self, name: Name, kind: RdataType) -> Probe | None:
        """Return what is said of a name, and keep it; None where nobody could say."""
        probe = await self._answer(name, kind, 0)
        if probe is not None:
            self.asker.probes.append(probe)
        return probe

    async def _answer(self, host: Name, kind: RdataType, depth: int) -> Probe | None:
        """Return the answer for one type, followed through aliases; None where nobody could say."""
        whole: Probe | None = None
        name = host
        for _ in range(_MOST_ALIASES):
            probe = await self._final(name, kind, depth)
            if probe is None:
                break
            probe = replace(probe, rung="resolver", zone=dns.name.root)
            whole = probe if whole is None else replace(whole, answer=(*whole.answer, *probe.answer))
            target = _end_of_aliases(probe, name)
            if target == name or probe.rdatas(target, kind):
                break
            name = target
        return whole

    async def _final(self, name: Name, kind: RdataType, depth: int) -> Probe | None:
        referral = self._deepest(name)
        for _ in range(_MOST_STEPS):
            probe = await self._ask(referral, name, kind, depth)
            if probe is None:
                return None
            below = referral_in(probe)
            if probe.answer or probe.aa or below is None:
                return probe
            self._zones.setdefault(below.zone, below)
            referral = below
        return None

    def _deepest(self, name: Name) -> Referral:
        known = [zone for zone in self._zones if name.is_subdomain(zone)]
        if known:
            return self._zones[max(known, key=len)]
        return Referral(dns.name.root, dict(self.asker.world.root_hints))

    async def _ask(self, zone: Referral, name: Name, kind: RdataType, depth: int) -> Probe | None:
        """Ask the servers of a zone, each a moment after the one before, until one says something of use."""
        going: set[asyncio.Task[Probe]] = set()
        asked = 0
        try:
            for server, glue in zone.servers.items():
                if asked >= _MOST_SERVERS:
                    break
                for address in (self.asker.wanted(glue) or await self.addresses(server, depth + 1))[:2]:
                    asked += 1
                    whom = Addressee("tld", zone.zone, server, self.asker.at(address))
                    going.add(asyncio.create_task(self.asker.ask(whom, name, kind, keep=False)))
                    if (probe := await _first_useful(going, self.asker.world.timeout * _MOMENT)) is not None:
                        return probe
            while going:
                if (probe := await _first_useful(going, None)) is not None:
                    return probe
        finally:
            for task in going:
                task.cancel()
            await asyncio.gather(*going, return_exceptions=True)
        return None


async def _first_useful(going: set[asyncio.Task[Probe]], patience: float | None) -> Probe | None:
    """Wait for the next of these questions; return its answer if it says something, and forget those that do not."""
    done, _ = await asyncio.wait(going, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    going -= done
    found = (task.result() for task in done)
    return next((p for p in found if p.answered and p.rcode in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)), None)


def _end_of_aliases(probe: Probe, name: Name) -> Name:
    """Return the name at which the chain of aliases in an answer ends."""
    for _ in range(_MOST_ALIASES):
        target = next(
            (r.rdata.target for r in probe.answer if r.owner == name and r.rdtype == RdataType.CNAME),  # type: ignore[attr-defined]  # CNAME
            None,
        )
        if target is None:
            return name
        name = target
    return name
