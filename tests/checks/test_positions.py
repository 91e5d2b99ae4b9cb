"""A dead port or a packet filter at each place: one address, one transport or both; the cause names that place alone."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from tests.checks.small_world import PLAN, SmallWorld, codes, edited, look, signatures, verdict_of

from mailname.checks import observe
from mailname.dnssec.ds import ds_records
from mailname.plan import expand
from mailname.zone import Serial

if TYPE_CHECKING:
    from mailname.checks import Verdict

BOTH = PLAN.replace('"192.0.2.1"]\nrole', '"192.0.2.1", "2001:db8:1::1"]\nrole').replace(
    '"198.51.100.2"]\nrole', '"198.51.100.2", "2001:db8:2::2"]\nrole'
)
ADDRESSES = ("192.0.2.1", "2001:db8:1::1", "198.51.100.2", "2001:db8:2::2")
CAUSES = {("udp",): "NS-03", ("tcp",): "NS-02", ("udp", "tcp"): "NS-01"}
KEY = "mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="


@dataclass(frozen=True)
class Place:
    address: str
    transports: tuple[str, ...]
    kind: str

    async def verdict(self) -> Verdict:
        world = SmallWorld(BOTH)
        for transport in self.transports:
            setattr(world.host(self.address), transport, self.kind)
        async with world:
            # Six worlds are looked at at once: a busy machine may be late with all of them.
            patient = replace(world.world(), timeout=1.2)
            return verdict_of(world.plan, await observe(world.plan, network=world.network, world=patient))

    @property
    def wanted(self) -> str:
        """Two transports of one address are as good as no server there."""
        return CAUSES[self.transports]


PLACES = [Place(*one) for one in itertools.product(ADDRESSES, CAUSES, ("silent", "closed"))]


class TestEachPlace:
    @pytest.mark.parametrize("address", ADDRESSES)
    async def test_is_named_and_nothing_beside_it(self, address: str) -> None:
        """Each transport and both, dropped and refused: exactly one cause, and it has this address and no other."""
        places = [place for place in PLACES if place.address == address]
        verdicts = await asyncio.gather(*(place.verdict() for place in places))
        for place, verdict in zip(places, verdicts, strict=True):
            assert (codes(verdict), verdict.verdict) == ((place.wanted, ()), "fragile"), place
            assert verdict.cause is not None
            assert verdict.cause.proven, place
            says = verdict.cause.finding.says
            assert [one for one in ADDRESSES if one in says] == [address], says


class TestHealthy:
    async def test_both_families_are_well(self) -> None:
        """The world in which one place at a time is broken."""
        world = SmallWorld(BOTH)
        verdict = verdict_of(world.plan, await look(world))
        assert (verdict.verdict, verdict.findings) == ("well", ())

    async def test_a_signed_zone_with_its_ds_is_well(self) -> None:
        """The parent's DS leads to a key of the zone."""
        world = SmallWorld(PLAN.replace("website =", f'zone_text = "@ DNSKEY 257 3 13 {KEY}"\nwebsite ='))
        records = ds_records(expand(world.plan, Serial(1)))
        ds = "\n".join(f"{world.plan.domain} DS {one.to_text()}" for one in records)
        world.delegate({server.name: server.addresses for server in world.plan.name_servers}, ds + "\n")
        world.serve(edited(world.zone, add=signatures(records[0].key_tag)))
        verdict = verdict_of(world.plan, await look(world))
        assert (verdict.verdict, verdict.findings) == ("well", ())

    @pytest.mark.parametrize("domain", ["bücher.tech", "example.co.uk", "xn--bcher-kva.de"])
    async def test_other_names_are_well(self, domain: str) -> None:
        """In other scripts, and two levels below the TLD."""
        world = SmallWorld(PLAN.replace("example.tech", domain))
        verdict = verdict_of(world.plan, await look(world))
        assert (verdict.verdict, verdict.findings) == ("well", ())
