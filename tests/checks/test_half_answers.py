"""Servers that answer something and not what is asked of them: each is told as what it is, and never as well."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.rcode
import pytest
from dns.rdatatype import RdataType
from tests.checks.small_world import PLAN, SmallWorld, edited, name
from tests.checks.test_observe_domain import FOREIGN, PROVIDER, seen, with_provider

from mailname.checks import explain, judge
from mailname.checks.facts import Outcome, Record
from mailname.checks.seen import plan_as_seen
from mailname.checks.special_address import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.checks import Facts, Verdict
    from mailname.checks.facts import Probe

DOMAIN = name("example.tech.")
NS1, NS2 = "192.0.2.1", "198.51.100.2"


async def verdict_with(change: Callable[[Probe], Probe]) -> Verdict:
    """Judge a healthy domain after each answer of its name servers was changed."""
    facts, _ = await seen(SmallWorld())
    return judged(replace(facts, probes=tuple(change(p) if p.rung == "servers" else p for p in facts.probes)))


def judged(facts: Facts) -> Verdict:
    plan = plan_as_seen(facts)
    return explain(plan, facts, judge(plan, facts))


def silent_about_the_domain(probe: Probe, at: tuple[str, ...]) -> Probe:
    """Drop what is asked about the domain, as a server with a list of its zones does."""
    if str(probe.address) not in at or not probe.qname.is_subdomain(DOMAIN):
        return probe
    return replace(probe, outcome=Outcome.SILENT, rcode=None, aa=False, answer=(), authority=(), additional=())


def unheard(probe: Probe) -> Probe:
    """Make a question one that was asked twice and not answered."""
    return replace(probe, outcome=Outcome.SILENT, rcode=None, aa=False, answer=(), tries=2)


class TestSilentAboutTheDomain:
    async def test_one_server_that_answers_others_is_up_and_lacks_the_zone(self) -> None:
        """It is no matter of TCP or a firewall: the foreign question was answered."""
        verdict = await verdict_with(lambda probe: silent_about_the_domain(probe, (NS1,)))
        assert verdict.verdict == "fragile"
        assert [finding.code for finding in verdict.findings] == ["NS-04"]
        assert "is silent to every question about example.tech" in verdict.findings[0].says

    async def test_all_servers_are_a_dead_domain(self) -> None:
        """Nobody serves the zone."""
        verdict = await verdict_with(lambda probe: silent_about_the_domain(probe, (NS1, NS2)))
        assert verdict.verdict == "broken"
        assert {finding.code for finding in verdict.findings} == {"NS-04"}

    async def test_a_server_that_answers_nobody_is_down(self) -> None:
        """Then it is a matter of the machine or its firewall."""
        verdict = await verdict_with(
            lambda probe: replace(probe, outcome=Outcome.SILENT, rcode=None, answer=()) if str(probe.address) == NS1 else probe
        )
        assert [finding.code for finding in verdict.findings] == ["NS-01"]


class TestNoWholeZone:
    async def test_an_authority_without_a_soa_record_is_broken(self) -> None:
        """An answer with authority and without the SOA is none that a resolver can use as a zone."""
        verdict = await verdict_with(lambda probe: replace(probe, answer=()) if probe.qtype == RdataType.SOA else probe)
        assert verdict.verdict == "broken"
        assert verdict.cause is not None
        assert verdict.cause.finding.code == "NS-06"
        assert "without its SOA record" in verdict.cause.finding.says

    async def test_a_referral_to_the_zone_above_says_that_the_zone_is_not_loaded(self) -> None:
        """The server has the parent's zone, and not this one."""
        upwards = (Record.from_text("tech. 60 IN NS a.nic.tech."),)
        verdict = await verdict_with(
            lambda probe: replace(probe, aa=False, answer=(), authority=upwards) if str(probe.address) == NS1 else probe
        )
        finding = next(one for one in verdict.findings if one.code == "NS-06")
        assert "refers to the servers of tech instead of answering for example.tech" in finding.says

    async def test_an_unexpected_rcode_is_told(self) -> None:
        """NOTIMP is no authority either."""
        verdict = await verdict_with(
            lambda probe: replace(probe, rcode=dns.rcode.NOTIMP, aa=False, answer=()) if str(probe.address) == NS1 else probe
        )
        finding = next(one for one in verdict.findings if one.code == "NS-06")
        assert "answers NOTIMP for example.tech" in finding.says


class TestNameServersOfTheZone:
    async def test_one_that_only_the_parent_gives_an_address_is_found(self) -> None:
        """The glue works today; who remembers the zone's own data has no address."""
        world = SmallWorld()
        world.serve(edited(world.zone, without=[("ns1.example.tech.", "A")]))
        _, verdict = await seen(world)
        assert [finding.code for finding in verdict.findings] == ["DELEG-08"]
        assert verdict.findings[0].fix == "Write the address of ns1.example.tech, 192.0.2.1, into the zone."

    @pytest.mark.parametrize(
        "lines",
        [
            "ns1 CNAME ns2",
            "ns1 CNAME mail",
            "ns1 CNAME other\nns2 CNAME other\nother A 192.0.2.1",
            "ns1 CNAME host.elsewhere.tech.",
        ],
    )
    async def test_aliases_are_one_cause(self, lines: str) -> None:
        """Whatever machine they lead to: that the glue says otherwise, or that two names share it, follows from it."""
        world = SmallWorld()
        gone = [(f"{line.split()[0]}.example.tech.", "A") for line in lines.splitlines() if "CNAME" in line]
        world.serve(edited(world.zone, without=gone, add=lines))
        _, verdict = await seen(world)
        assert verdict.cause is not None
        assert (verdict.cause.finding.code, verdict.cause.proven, verdict.also) == ("DELEG-08", True, ())

    async def test_two_names_of_one_machine_beside_a_third_server_are_found(self) -> None:
        """Three names, and two machines."""
        world = SmallWorld()
        world.serve(edited(world.zone, add="@ NS ns3\nns3 A 198.51.100.2\n"))
        there = {server.name: server.addresses for server in world.plan.name_servers}
        world.delegate({**there, name("ns3.example.tech."): there[name("ns2.example.tech.")]})
        _, verdict = await seen(world)
        assert [finding.code for finding in verdict.findings] == ["DELEG-07"]
        assert verdict.findings[0].says == "ns2.example.tech and ns3.example.tech are the same machine: both have 198.51.100.2."

    async def test_two_names_of_one_machine_that_is_dead_are_one_cause(self) -> None:
        """The former provider's, who is gone: that both were one machine is past."""
        world = SmallWorld()
        gone = (ip_address("203.0.113.99"),)
        world.host("203.0.113.99").udp = world.host("203.0.113.99").tcp = "closed"
        world.delegate({name("old1.example.tech."): gone, name("old2.example.tech."): gone})
        _, verdict = await seen(world)
        assert verdict.cause is not None
        assert (verdict.cause.finding.code, verdict.cause.proven, verdict.also) == ("NS-01", True, ())

    @pytest.mark.parametrize("address", [NS1, NS2])
    async def test_policy_without_a_host_is_found_whoever_was_asked(self, address: str) -> None:
        """Without a plan one server is asked for policies, and it need not be the primary."""
        world = SmallWorld()
        world.serve(edited(world.zone, add='_mta-sts TXT "v=STSv1; id=1"'))
        facts, _ = await seen(world)
        about = (name("_mta-sts.example.tech."), name("mta-sts.example.tech."))
        probes = tuple(replace(p, address=ip_address(address)) if p.qname in about else p for p in facts.probes)
        assert [finding.code for finding in judged(replace(facts, probes=probes)).findings] == ["POL-09"]

    async def test_glue_outside_the_domain_may_be_given_by_one_parent_and_not_by_the_other(self) -> None:
        """Both say the same: it is a courtesy."""
        facts, _ = await seen(with_provider(SmallWorld(FOREIGN)))
        parent = next(p for p in facts.at_rung("tld") if p.qtype == RdataType.NS and p.qname == DOMAIN)
        courtesy = Record.from_text("ns1.provider.net. 60 IN A 192.0.2.1")
        other = replace(parent, address=parent.address + 1, additional=(*parent.additional, courtesy))
        verdict = judged(replace(facts, probes=(*facts.probes, other)))
        assert (verdict.verdict, verdict.findings) == ("well", ())

    async def test_one_whose_address_nobody_can_say_makes_a_dead_domain(self) -> None:
        """The provider's own servers are gone: no address, so nobody to ask."""
        world = with_provider(SmallWorld(FOREIGN))
        world.host(PROVIDER).udp = world.host(PROVIDER).tcp = "closed"
        _, verdict = await seen(world)
        assert verdict.verdict == "broken"
        assert {finding.code for finding in verdict.findings} == {"DELEG-08"}
        assert "nobody answers for provider.net" in verdict.findings[0].says


class TestSomeQuestionsOnly:
    """NS-13: the SOA comes with authority, and another type does not."""

    @pytest.mark.parametrize("rcode", [dns.rcode.NOTIMP, dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.NXDOMAIN])
    async def test_no_server_that_answers_for_the_mx_is_a_dead_domain(self, rcode: dns.rcode.Rcode) -> None:
        """No sender finds the mail host, however well the rest is."""
        verdict = await verdict_with(
            lambda probe: replace(probe, rcode=rcode, answer=()) if probe.qtype == RdataType.MX else probe
        )
        assert verdict.verdict == "broken"
        assert verdict.cause is not None
        assert verdict.cause.finding.code == "NS-13"
        assert f"MX of example.tech ({dns.rcode.to_text(rcode)})" in verdict.cause.finding.says

    @pytest.mark.parametrize("kind", ["MX", "TXT"])
    async def test_one_server_that_drops_a_type_is_fragile(self, kind: str) -> None:
        """The other one answers; who asks this one first waits."""
        verdict = await verdict_with(
            lambda probe: unheard(probe) if probe.qtype.name == kind and str(probe.address) == NS1 else probe
        )
        assert verdict.verdict == "fragile"
        assert [finding.code for finding in verdict.findings] == ["NS-13"]

    async def test_a_question_lost_of_a_type_that_is_answered_for_another_name_is_no_finding(self) -> None:
        """Packets are lost; a filter would have dropped the other question, too."""
        facts, _ = await seen(SmallWorld())
        lost = next(
            p for p in facts.at_rung("servers") if p.qtype == RdataType.TXT and p.qname == name("_smtp._tls.example.tech.")
        )
        verdict = judged(replace(facts, probes=tuple(unheard(p) if p is lost else p for p in facts.probes)))
        assert verdict.verdict == "well"

    async def test_an_answer_without_authority_is_found(self) -> None:
        """The AA flag belongs to each answer of the apex."""
        verdict = await verdict_with(lambda probe: replace(probe, aa=False) if probe.qtype == RdataType.MX else probe)
        assert "MX of example.tech (no authority)" in next(one for one in verdict.findings if one.code == "NS-13").says


class TestAddressOfNoUse:
    """DELEG-11."""

    def test_each_special_network_is_known_and_a_public_address_is_not_one(self) -> None:
        """RFC 6890: what the Internet does not route."""
        special = ("10.1.2.3", "127.0.0.1", "169.254.1.1", "192.0.2.7", "224.0.0.1", "fd00::1", "fe80::1", "2001:db8::1", "::1")
        assert all(kind_of(ip_address(text)) for text in special)
        assert [kind_of(ip_address(text)) for text in ("9.9.9.9", "2620:fe::fe", "64.22.1.1")] == [None] * 3

    async def test_a_private_address_that_does_not_answer_is_the_cause(self) -> None:
        """It is told as that, not as a server that is down."""
        world = SmallWorld(PLAN.replace("192.0.2.1", "10.9.8.7"))
        world.host("10.9.8.7").udp = world.host("10.9.8.7").tcp = "silent"
        _, verdict = await seen(world)
        assert verdict.verdict == "fragile"
        assert [finding.code for finding in verdict.findings] == ["DELEG-11"]
        assert "10.9.8.7 is for private networks only" in verdict.findings[0].says

    async def test_one_that_answers_is_none_of_our_business(self) -> None:
        """In the network that we look from, it works."""
        _, verdict = await seen(SmallWorld(PLAN.replace("192.0.2.1", "10.9.8.7")))
        assert (verdict.verdict, verdict.findings) == ("well", ())


class TestOpenRecursion:
    @pytest.mark.parametrize(
        ("rcode", "answered", "aa", "found"),
        [
            (dns.rcode.NOERROR, True, False, ["NS-07"]),
            (dns.rcode.NXDOMAIN, False, False, ["NS-07"]),
            (dns.rcode.NOERROR, True, True, []),  # it has a zone of that name
            (dns.rcode.NOERROR, False, False, []),  # it refers to the root, as old programs do
            (dns.rcode.SERVFAIL, False, False, []),
            (dns.rcode.REFUSED, False, False, []),
        ],
    )
    async def test_a_server_that_does_not_say_so_is_known_by_what_it_found(
        self, rcode: dns.rcode.Rcode, answered: bool, aa: bool, found: list[str]
    ) -> None:
        """Without the flag RA, the address of a foreign name, or that there is none, is proof."""
        answer = (Record.from_text("a.root-servers.net. 60 IN A 198.41.0.4"),) if answered else ()
        verdict = await verdict_with(
            lambda p: p if p.qname.is_subdomain(DOMAIN) else replace(p, ra=False, rcode=rcode, aa=aa, answer=answer)
        )
        assert [finding.code for finding in verdict.findings if finding.server == name("ns1.example.tech.")] == found

    @pytest.mark.parametrize(("rcode", "found"), [(dns.rcode.SERVFAIL, ["NS-07"]), (dns.rcode.REFUSED, [])])
    async def test_a_server_that_tries_to_resolve_is_open_and_one_that_refuses_is_not(
        self, rcode: dns.rcode.Rcode, found: list[str]
    ) -> None:
        """A resolver that reaches nobody answers SERVFAIL, with the RA flag."""
        verdict = await verdict_with(
            lambda probe: replace(probe, ra=True, rcode=rcode, answer=()) if not probe.qname.is_subdomain(DOMAIN) else probe
        )
        assert [finding.code for finding in verdict.findings if finding.server == name("ns1.example.tech.")] == found
