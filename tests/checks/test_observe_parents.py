"""The walk from the root: as many zones as lie above the domain."""

from __future__ import annotations

from ipaddress import ip_address

from dns.rdatatype import RdataType
from tests.checks.small_world import PLAN, RESOLVER, TLD, SmallWorld, look, name, verdict_of, zone_of

from mailname.answer import ZoneTable


class TestWalk:
    async def test_follows_referrals_through_several_zones(self) -> None:
        """example.co.test: the root refers to test, test to co.test, and that delegates the domain."""
        world = SmallWorld(PLAN.replace("example.tech", "example.co.test"))
        second = ip_address("198.18.0.9")
        head = "$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n"
        glue = "\n".join(
            f"{server.name} A {address}\n{world.plan.domain} NS {server.name}"
            for server in world.plan.name_servers
            for address in server.addresses
        )
        world.hosts[TLD].table = ZoneTable({name("test."): zone_of(f"{head}co NS a.nic.co\na.nic.co A {second}\n", "test.")})
        world.host(str(second)).table = ZoneTable({name("co.test."): zone_of(f"{head}{glue}\n", "co.test.")})
        facts = await look(world)
        assert [str(probe.zone) for probe in facts.at_rung("tld") if probe.qtype == RdataType.NS] == ["test.", "co.test."]
        assert verdict_of(world.plan, facts).verdict == "well"

    async def test_tells_of_a_tld_that_does_not_exist(self) -> None:
        """NXDOMAIN from the root."""
        world = SmallWorld(PLAN.replace("example.tech", "example.tehc"))
        world.hosts[ip_address("198.18.0.1")].table = ZoneTable(
            {name("."): zone_of("$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\ntech NS a.nic.tech\n", ".")}
        )
        verdict = verdict_of(world.plan, await look(world))
        assert verdict.cause is not None
        assert verdict.cause.finding.code == "TLD-02"

    async def test_takes_a_denial_for_that_of_the_zone_that_denies(self) -> None:
        """The root's server has the TLD's zone as well, and answers from it without a referral: the TLD exists."""
        world = SmallWorld()
        head = "$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n"
        both = {name("."): zone_of(f"{head}tech NS a.\n", "."), name("tech."): zone_of(head, "tech.")}
        world.hosts[ip_address("198.18.0.1")].table = ZoneTable(both)
        verdict = verdict_of(world.plan, await look(world))
        assert verdict.cause is not None
        assert verdict.cause.finding.says.startswith("The registry of tech does not know example.tech")

    async def test_tells_of_parents_that_disagree(self) -> None:
        """One TLD server has the plan's delegation, the other not yet: a change is travelling."""
        world = SmallWorld()
        late = ip_address("198.18.0.8")
        head = "$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n"
        root = f"{head}tech NS a.nic.tech\ntech NS b.nic.tech\na.nic.tech A {TLD}\nb.nic.tech A {late}\n"
        world.hosts[ip_address("198.18.0.1")].table = ZoneTable({name("."): zone_of(root, ".")})
        old = f"{head}example NS ns9.example\nns9.example A 192.0.2.1\n"
        world.host(str(late)).table = ZoneTable({name("tech."): zone_of(old, "tech.")})
        verdict = verdict_of(world.plan, await look(world))
        assert verdict.cause is not None
        assert (verdict.cause.finding.code, verdict.also, verdict.verdict) == ("DELEG-05", (), "fragile")
        assert "1 of 2 servers" in verdict.cause.finding.says

    async def test_from_the_tld_down_does_not_ask_the_root(self) -> None:
        """--from tld takes the TLD's servers from the resolver."""
        world = SmallWorld()
        tech = zone_of(f"$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.nic\na.nic A {TLD}\n", "tech.")
        world.hosts[RESOLVER].table = world.hosts[RESOLVER].table.with_zone(tech.apex, tech)
        facts = await look(world, start="tld")
        assert list(facts.at_rung("root")) == []
        assert [str(probe.server) for probe in facts.at_rung("tld") if probe.qtype == RdataType.NS] == ["a.nic.tech."]
        assert verdict_of(world.plan, facts).verdict == "well"
