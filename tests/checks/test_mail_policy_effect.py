"""Policies that can be read and do not do what they are for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.checks.small_world import PLAN, RESOLVER, SmallWorld, edited, look, name, verdict_of, zone_of
from tests.mail.test_dkim_key import rsa_key

from mailname.checks import Severity, observe

REPORTS = "v=DMARC1; p=none; rua=mailto:d@example.tech,mailto:d@reports.example"
ALLOWED = "example.tech._report._dmarc.reports.example."


def planned(*records: tuple[str, str, str]) -> SmallWorld:
    """Return a world whose plan has these records (owner, type, data)."""
    more = (f"[[record]]\nname = '{owner}'\ntype = '{kind}'\ndata = '{data}'\n" for owner, kind, data in records)
    return SmallWorld(PLAN + "".join(more))


def txt(owner: str, text: str) -> tuple[str, str, str]:
    pieces = (text[at : at + 200] for at in range(0, len(text), 200))
    return owner, "TXT", " ".join(f'"{piece}"' for piece in pieces)


async def found(world: SmallWorld) -> dict[str, tuple[Severity, str]]:
    verdict = verdict_of(world.plan, await look(world))
    return {finding.code: (finding.severity, finding.says) for finding in verdict.findings}


class TestDkimKey:
    async def test_of_2048_bits_is_well(self) -> None:
        assert await found(planned(txt("s1._domainkey.example.tech", f"v=DKIM1; k=rsa; p={rsa_key(2048)}"))) == {}

    @pytest.mark.parametrize(
        ("text", "code", "severity"),
        [
            (f"v=DKIM1; p={rsa_key(1024)}", "POL-06", Severity.NOTE),
            ("v=DKIM1; p=", "POL-06", Severity.NOTE),
            (f"v=DKIM1; p={rsa_key(512)}", "POL-03", Severity.FRAGILE),
            (f"v=DKIM1; p={rsa_key(2048)[:100]}", "POL-03", Severity.FRAGILE),
        ],
        ids=["1024 bits", "revoked", "512 bits", "cut off"],
    )
    async def test_that_is_weak_or_none_is_told(self, text: str, code: str, severity: Severity) -> None:
        told = await found(planned(txt("s1._domainkey.example.tech", text)))
        assert {key: how for key, (how, _) in told.items()} == {code: severity}


class TestSpf:
    @pytest.mark.parametrize(
        "text", ["v=spf1 mx -all", "v=spf1 -all", "v=spf1 include:_spf.example.net -all", "v=spf1 ip4:198.51.100.2 -all"]
    )
    async def test_that_allows_the_mail_host_or_cannot_be_told_is_well(self, text: str) -> None:
        assert await found(planned(txt("@", text))) == {}

    async def test_that_forbids_the_mail_host_is_a_note(self) -> None:
        """It may be meant: a host that only receives."""
        told = await found(planned(txt("@", "v=spf1 ip4:203.0.113.0/24 -all")))
        assert list(told) == ["POL-07"]
        severity, says = told["POL-07"]
        assert severity is Severity.NOTE
        assert "does not allow mail.example.tech (198.51.100.2) to send" in says


class TestReports:
    async def test_to_a_domain_that_has_not_agreed_are_told(self) -> None:
        world = planned(txt("_dmarc", REPORTS))
        zone = zone_of("$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n", "reports.example.")
        world.hosts[RESOLVER].table = world.hosts[RESOLVER].table.with_zone(zone.apex, zone)
        told = await found(world)
        assert list(told) == ["POL-08"]
        assert "go to reports.example, which has not said that it takes them" in told["POL-08"][1]

    async def test_to_a_domain_that_has_agreed_are_well(self) -> None:
        world = planned(txt("_dmarc", REPORTS))
        text = f'$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n{ALLOWED} TXT "v=DMARC1"\n'
        zone = zone_of(text, "reports.example.")
        world.hosts[RESOLVER].table = world.hosts[RESOLVER].table.with_zone(zone.apex, zone)
        assert await found(world) == {}

    async def test_within_the_domain_ask_nobody(self) -> None:
        world = planned(txt("_dmarc", "v=DMARC1; p=none; rua=mailto:d@example.tech,mailto:d@mail.example.tech"))
        facts = await look(world)
        assert [p for p in facts.at_rung("resolver") if "_report" in str(p.qname)] == []


class TestMtaSts:
    async def test_without_its_host_is_told(self) -> None:
        told = await found(planned(txt("_mta-sts", "v=STSv1; id=1")))
        assert list(told) == ["POL-09"]
        assert "mta-sts.example.tech, where senders fetch it, has no address" in told["POL-09"][1]

    @pytest.mark.parametrize("record", [("mta-sts", "A", "192.0.2.1"), ("mta-sts", "CNAME", "policies.example.net.")])
    async def test_with_its_host_is_well(self, record: tuple[str, str, str]) -> None:
        """An alias to whoever serves policies for many is usual."""
        told = await found(planned(txt("_mta-sts", "v=STSv1; id=1"), record))
        assert list(told) == ["MAIL-06"]  # of the policy there is nothing to say; the mail host of this world has no TLS

    async def test_that_is_not_announced_asks_nothing_more(self) -> None:
        facts = await look(SmallWorld())
        assert [p for p in facts.probes if p.qname == name("mta-sts.example.tech.")] == []


class TestWithEdit:
    async def test_is_the_cause_of_the_difference_to_the_plan(self) -> None:
        """Somebody announced a policy by hand: told as that, and the difference beneath it."""
        world = SmallWorld()
        world.serve(edited(world.zone, add='_mta-sts TXT "v=STSv1; id=1"'))
        verdict = verdict_of(world.plan, await look(world))
        assert verdict.cause is not None
        assert (verdict.cause.finding.code, [f.code for f in verdict.cause.explains]) == ("POL-09", ["ZONE-02"])


class TestIncludedSpf:
    @pytest.mark.parametrize("by_resolver", [True, False])
    @pytest.mark.parametrize(("owner", "codes"), [("spf", []), ("other", ["POL-01"])])
    async def test_is_followed_by_the_resolver_or_from_the_root(self, owner: str, codes: list[str], by_resolver: bool) -> None:
        """A record that is there is read, and says who may send; one that is not is told."""
        world = planned(
            txt("example.tech", "v=spf1 include:spf.example.tech -all"),
            txt(f"{owner}.example.tech", "v=spf1 ip4:198.51.100.0/24 -all"),
        )
        async with world:
            seen_from = world.world() if by_resolver else replace(world.world(), resolver=None)
            facts = await observe(world.plan, network=world.network, world=seen_from)
        verdict = verdict_of(world.plan, facts)
        assert [finding.code for finding in verdict.findings] == codes
        assert verdict.cause is None or verdict.cause.proven
