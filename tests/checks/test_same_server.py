"""Several addresses of one name server are asked everything once, and what is wrong at one of them alone is still found."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from dns.rdatatype import RdataType
from tests.checks.small_world import SERIAL, SmallWorld, codes, edited, look, verdict_of
from tests.checks.test_positions import ADDRESSES, BOTH

from mailname.checks import observe
from mailname.zone import Serial

if TYPE_CHECKING:
    from mailname.checks import Facts, Verdict

FIRST, SECOND = ADDRESSES[0], ADDRESSES[1]


def asked(facts: Facts, address: str) -> set[RdataType]:
    """Return the types that an address was asked for at the apex over UDP."""
    return {p.qtype for p in facts.asked_at(ip_address(address)) if p.transport == "udp" and p.qname == facts.domain}


class TestFurtherAddress:
    async def test_of_the_same_server_is_asked_what_tells_that_it_is_that(self) -> None:
        """The same SOA, NS set, MX and TXT; two families cost a fourth more questions than one, not twice as many."""
        world = SmallWorld(BOTH)
        async with world:  # patient: however busy this machine is, everybody answers soon
            facts = await observe(world.plan, network=world.network, world=replace(world.world(), timeout=20.0))
        kinds = [asked(facts, address) for address in ADDRESSES]
        assert sorted(len(one) for one in kinds) == [4, 4, 5, 5]  # with the addresses of the website
        assert all({RdataType.SOA, RdataType.NS, RdataType.MX, RdataType.TXT} <= one for one in kinds)
        assert verdict_of(world.plan, facts).verdict == "well"
        assert facts.queries <= 45

    @pytest.mark.parametrize(("without", "add"), [([("example.tech.", "NS")], "@ NS ns3.example.com."), ([], "")])
    async def test_that_says_something_else_is_asked_everything(self, without: list[tuple[str, str]], add: str) -> None:
        """Another NS set under the same serial, or an older copy: it is another machine."""
        world = SmallWorld(BOTH)
        older = SERIAL if without else Serial(int(SERIAL) - 1)
        world.serve(edited(world.zone, without=without, add=add, serial=older), SECOND)
        facts = await look(world)
        assert {RdataType.MX, RdataType.TXT} <= asked(facts, FIRST) & asked(facts, SECOND)

    @pytest.mark.parametrize("dead", [FIRST, SECOND])
    async def test_is_asked_everything_where_the_other_is_silent(self, dead: str) -> None:
        """Whichever of both was asked first."""
        world = SmallWorld(BOTH)
        world.host(dead).udp = world.host(dead).tcp = "silent"
        facts = await look(world)
        alive = SECOND if dead == FIRST else FIRST
        assert RdataType.MX in asked(facts, alive)
        assert codes(verdict_of(world.plan, facts)) == ("NS-01", ())


class TestWhatIsWrongAtOneAddress:
    @pytest.mark.parametrize("address", ADDRESSES)
    async def test_transfers_for_everybody_are_found_there(self, address: str) -> None:
        """Lists of who may transfer often name one family alone."""
        world = SmallWorld(BOTH)
        world.host(address).transfers = True
        verdict = verdict_of(world.plan, await look(world))
        assert codes(verdict) == ("NS-08", ())
        assert verdict.cause is not None
        assert verdict.cause.finding.addresses == (ip_address(address),)

    @pytest.mark.parametrize("address", ADDRESSES)
    async def test_a_filter_of_edns_is_found_there(self, address: str) -> None:
        world = SmallWorld(BOTH)
        world.host(address).edns = "refused"
        verdict = verdict_of(world.plan, await look(world))
        assert codes(verdict) == ("NS-10", ())
        assert verdict.cause is not None
        assert verdict.cause.finding.addresses == (ip_address(address),)

    @pytest.mark.parametrize("address", ADDRESSES)
    async def test_a_filter_of_one_type_is_found_there(self, address: str) -> None:
        """It drops what it does not know or like: each type that every server is asked for, in front of any address."""
        kinds = (RdataType.TXT, RdataType.A, RdataType.NS, RdataType.MX)
        for kind, verdict in zip(kinds, await asyncio.gather(*(filtered(address, kind) for kind in kinds)), strict=True):
            assert (codes(verdict), verdict.verdict) == (("NS-13", ()), "fragile"), kind
            assert verdict.cause is not None
            assert verdict.cause.finding.addresses == (ip_address(address),)
            assert f"the question for {kind.name} of" in verdict.cause.finding.says


async def filtered(address: str, kind: RdataType) -> Verdict:
    world = SmallWorld(BOTH)
    world.host(address).filtered = kind
    return verdict_of(world.plan, await look(world))
