"""The registries' rules: data that says where it is from, and what becomes of a junk second name server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.checks.small_world import PLAN, SmallWorld, look, verdict_of

from mailname.checks.registries import Decision, Registry, decide, registries, registry_of, sentence_of, sentence_on_junk

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "registries.md"
KNOWN = registries()


async def decided(tld: str, world: SmallWorld) -> Decision:
    facts = await look(world)
    return decide(registry_of(tld), world.plan, facts, verdict_of(world.plan, facts).findings)


def rules(decision: Decision) -> set[str]:
    return {one.rule.rule for one in decision.objections}


class TestData:
    @pytest.mark.parametrize("registry", KNOWN, ids=lambda registry: registry.tlds[0])
    def test_each_says_where_it_is_from(self, registry: Registry) -> None:
        """And each of its rules is one that can be judged."""
        assert registry.source
        assert registry.looks
        assert registry.junk in {"accepted", "refused", "suspended", "deleted", "unknown"}

    def test_each_tld_has_one_registry(self) -> None:
        """The last is the measure for those that are not listed."""
        tlds = [tld for registry in KNOWN for tld in registry.tlds]
        assert len(tlds) == len(set(tlds))
        assert registry_of("nowhere") is KNOWN[-1]

    def test_the_page_lists_them_all(self) -> None:
        """With the same words, and with what was not verified."""
        rows = re.findall(r"^\| (`[^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        assert rows == [
            (
                " ".join(f"`{tld}`" for tld in one.tlds),
                f"{one.name}: looks {one.looks}; {one.failing}",
                one.junk,
                "read there" if one.verified else "not verified",
            )
            for one in KNOWN
            if "*" not in one.tlds
        ]


class TestJunkSecondServer:
    async def test_is_judged_as_the_data_says(self) -> None:
        """A second name server that does not exist: where it is not accepted, a rule that must be kept is broken."""
        world = SmallWorld()
        world.host("192.0.2.1").udp = "silent"
        world.host("192.0.2.1").tcp = "silent"
        facts = await look(world)
        findings = verdict_of(world.plan, facts).findings
        for registry in KNOWN:
            if registry.junk != "unknown":
                refuses = decide(registry, world.plan, facts, findings).refuses
                assert refuses == (registry.junk != "accepted"), registry.name

    def test_is_told_of_as_not_verified_where_it_is_hearsay(self) -> None:
        """Nobody should bet a domain on it."""
        assert "not verified" in sentence_on_junk(registry_of("tech"))
        assert "not verified" not in sentence_on_junk(registry_of("de"))


class TestDecide:
    async def test_a_healthy_domain_keeps_all_rules(self) -> None:
        """But for the plan's usual TTL, which one registry wants longer."""
        world = SmallWorld()
        facts = await look(world)
        findings = verdict_of(world.plan, facts).findings
        for registry in KNOWN:
            assert rules(decide(registry, world.plan, facts, findings)) <= {"ns-ttl", "soa-range", "retry-share"}, registry.name

    async def test_a_short_ttl_of_the_ns_records_counts_where_it_is_a_rule(self) -> None:
        """Twenty-four hours are wanted in Iceland."""
        short, long = SmallWorld(), SmallWorld(PLAN.replace("[[name_server]]", "ttl = 86400\n[[name_server]]", 1))
        decision = await decided("is", short)
        assert rules(decision) == {"ns-ttl"}
        assert "wanted are 86400" in decision.objections[0].says
        assert "ISNIC warns for eight weeks" in sentence_of(decision, "example.is")
        assert rules(await decided("is", long)) == set()

    async def test_glue_that_is_missing_counts_even_where_nobody_looks_at_the_servers(self) -> None:
        """Without glue Nominet cannot build the delegation."""
        world = SmallWorld()
        world.delegate(dict.fromkeys((server.name for server in world.plan.name_servers), ()))
        assert (await decided("uk", world)).refuses

    async def test_as_json_is_verified_only_when_all_of_it_is(self) -> None:
        """No rule at all is no proof."""
        world = SmallWorld()
        facts = await look(world)
        verified = {tld: decide(registry_of(tld), world.plan, facts, ()).to_json()["verified"] for tld in ("no", "tech", "de")}
        assert verified == {"no": True, "tech": False, "de": False}
