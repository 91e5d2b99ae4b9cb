"""Any domain without a plan: right, and without a false alarm."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from tests.checks import test_explain as faults
from tests.checks.small_world import PLAN, ROOT, SERIAL, TLD, SmallWorld, codes, edited, name, zone_of

from mailname.answer import ZoneTable
from mailname.checks import explain, judge
from mailname.checks.observe_domain import observe_domain
from mailname.checks.seen import plan_as_seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.checks import Facts, Verdict

HEAD = "$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n"
PROVIDER = "198.18.0.7"

FOREIGN = """
domain = "example.tech"
contact = "hostmaster@example.tech"
[[name_server]]
name = "ns1.provider.net"
addresses = ["192.0.2.1"]
role = "secondary"
[[name_server]]
name = "ns2.provider.net"
addresses = ["198.51.100.2"]
role = "primary"
[[mail_host]]
name = "mx.provider.net"
"""

V6 = PLAN.replace("192.0.2.1", "2001:db8:1::1").replace("198.51.100.2", "2001:db8:2::2")
TWO_ADDRESSES = PLAN.replace('addresses = ["192.0.2.1"]', 'addresses = ["192.0.2.1", "192.0.2.9"]')


async def seen(world: SmallWorld, domain: str = "example.tech.", *, resolver: bool = False) -> tuple[Facts, Verdict]:
    """Look at a domain of a world without its plan, from the root hints alone unless there is a resolver."""
    async with world:
        where = world.world()
        facts = await observe_domain(
            name(domain), network=world.network, world=where if resolver else replace(where, resolver=None)
        )
    plan = plan_as_seen(facts)
    return facts, explain(plan, facts, judge(plan, facts))


def with_provider(world: SmallWorld) -> SmallWorld:
    """Give the name servers' and the mail host's names a zone of their own at a provider below net."""
    root = world.hosts[ROOT].table[name(".")]
    assert root is not None
    world.hosts[ROOT].table = ZoneTable(
        {name("."): zone_of(f"{HEAD}tech NS a.nic.tech\na.nic.tech A {TLD}\nnet NS a.nic.net\na.nic.net A {TLD}\n", ".")}
    )
    net = f"{HEAD}provider NS ns.provider\nns.provider A {PROVIDER}\n"
    world.hosts[TLD].table = world.hosts[TLD].table.with_zone(name("net."), zone_of(net, "net."))
    hosts = "ns1 A 192.0.2.1\nns2 A 198.51.100.2\nmx CNAME real\nreal A 198.51.100.3\n".replace("mx CNAME real\nreal A", "mx A")
    world.host(PROVIDER).table = ZoneTable({name("provider.net."): zone_of(f"{HEAD}{hosts}", "provider.net.")})
    world.host("198.51.100.3").smtp = "answers"
    return world


class TestSameFaultAtEveryServer:
    @pytest.mark.parametrize(("rcode", "code"), [("SERVFAIL", "NS-05"), ("REFUSED", "NS-04")])
    async def test_is_one_cause(self, rcode: str, code: str) -> None:
        """Nobody knows which is the primary, so that neither explains the other: one cause names both."""
        world = SmallWorld()
        for address in ("192.0.2.1", "198.51.100.2"):
            if rcode == "REFUSED":
                world.host(address).table = ZoneTable({})
            else:
                faults.unserved(world, address)
        _, verdict = await seen(world)
        assert (codes(verdict), verdict.verdict) == ((code, ()), "broken")
        assert verdict.cause is not None
        assert {"192.0.2.1", "198.51.100.2"} == set(map(str, verdict.cause.finding.addresses))


class TestHealthy:
    @pytest.mark.parametrize("text", [PLAN, V6, TWO_ADDRESSES], ids=["ordinary", "v6-only", "one name with two addresses"])
    @pytest.mark.parametrize("resolver", [True, False])
    async def test_is_well(self, text: str, resolver: bool) -> None:
        """No finding, and nothing that could not be looked at."""
        _, verdict = await seen(SmallWorld(text), resolver=resolver)
        assert (verdict.verdict, verdict.findings, verdict.blocked) == ("well", (), ())

    async def test_with_names_outside_the_domain_is_well(self) -> None:
        """Their addresses are found from the root down, as no resolver is asked."""
        facts, verdict = await seen(with_provider(SmallWorld(FOREIGN)))
        assert (verdict.verdict, verdict.findings) == ("well", ())
        assert {str(p.address) for p in facts.at_rung("servers")} == {"192.0.2.1", "198.51.100.2"}
        assert [str(visit.host) for visit in facts.mail] == ["mx.provider.net."]

    async def test_with_a_hidden_primary_is_well(self) -> None:
        """The SOA names a primary that is no name server of the zone."""
        world = SmallWorld()
        hidden = f"@ 60 SOA hidden.example.tech. h {SERIAL} 14400 3600 1209600 3600"
        text = f"$ORIGIN example.tech.\n{hidden}\n@ 60 NS ns1\n@ 60 NS ns2\nns1 60 A 192.0.2.1\nns2 60 A 198.51.100.2\n"
        world.serve(zone_of(f"{text}@ 60 MX 10 mail\nmail 60 A 198.51.100.2\n", "example.tech."))
        _, verdict = await seen(world)
        assert (verdict.verdict, verdict.findings) == ("well", ())

    async def test_below_letters_that_are_not_ascii_is_well(self) -> None:
        """The name on the wire is the A-label."""
        _, verdict = await seen(SmallWorld(PLAN.replace("example.tech", "bücher.tech")), "xn--bcher-kva.tech.")
        assert (verdict.verdict, verdict.findings) == ("well", ())

    async def test_that_takes_no_mail_is_well(self) -> None:
        """A null MX, or none at all: without a plan nobody said that there should be one."""
        for mx in ("@ MX 0 .", ""):
            world = SmallWorld()
            world.serve(edited(world.zone, without=faults.MX, add=mx))
            _, verdict = await seen(world)
            assert (verdict.verdict, verdict.findings) == ("well", ())

    async def test_that_is_no_name_of_a_zone_is_told_as_that(self) -> None:
        """Nobody knows whether the zone above takes registrations; that it is misspelt comes first."""
        _, verdict = await seen(SmallWorld(), "nothere.example.tech.")
        assert codes(verdict) == ("DELEG-01", ())
        says = verdict.findings[0].says
        assert (
            "The servers of example.tech do not know nothere.example.tech (the name does not exist): it is misspelt; or, if"
            in says
        )

    async def test_is_asked_little(self) -> None:
        """At most 45 questions for two servers."""
        facts, _ = await seen(SmallWorld(), resolver=True)
        assert facts.queries <= 45


class TestPrimary:
    async def test_is_the_mname_among_the_name_servers(self) -> None:
        facts, _ = await seen(SmallWorld())
        assert str(plan_as_seen(facts).primary.name) == "ns2.example.tech."

    async def test_is_else_the_server_with_the_newest_version(self) -> None:
        world = SmallWorld()
        text = "@ 60 SOA hidden. h. {} 14400 3600 1209600 3600\n@ 60 NS ns1\n@ 60 NS ns2\n"
        text += "ns1 60 A 192.0.2.1\nns2 60 A 198.51.100.2\n"
        world.serve(zone_of(text.format(7), "example.tech."), "192.0.2.1")
        world.serve(zone_of(text.format(6), "example.tech."), "198.51.100.2")
        facts, verdict = await seen(world)
        assert str(plan_as_seen(facts).primary.name) == "ns1.example.tech."
        assert codes(verdict) == ("XFER-03", ())

    async def test_that_is_hidden_is_nothing_wrong(self) -> None:
        """The MNAME is a name server that is listed nowhere; those that are agree."""
        world = SmallWorld()
        soa = next(rrset.rdatas[0] for rrset in world.zone.rrsets() if rrset.rdtype.name == "SOA").to_text().split(None, 1)[1]
        lines = "".join(
            f"{rrset.owner} {rrset.ttl} {rrset.rdtype.name} {rdata.to_text()}\n"
            for rrset in world.zone.rrsets()
            for rdata in rrset.rdatas
            if rrset.rdtype.name != "SOA"
        )
        world.serve(zone_of(f"@ 3600 SOA hidden.example.tech. {soa}\n{lines}", "example.tech."))
        _, verdict = await seen(world)
        assert (verdict.verdict, codes(verdict)) == ("well", (None, ()))


class TestNotThere:
    async def test_unregistered_domain_is_told(self) -> None:
        world = SmallWorld()
        world.delegate({})
        _, verdict = await seen(world)
        assert (verdict.verdict, codes(verdict)) == ("broken", ("DELEG-01", ()))

    async def test_unknown_tld_is_told(self) -> None:
        _, verdict = await seen(SmallWorld(), "example.tehc.")
        assert (verdict.verdict, codes(verdict)) == ("broken", ("TLD-02", ()))

    async def test_name_below_the_cut_is_looked_at_as_its_zone(self) -> None:
        """mail.example.tech is a name in example.tech; that zone is judged, and it is said."""
        facts, verdict = await seen(SmallWorld(), "mail.example.tech.")
        assert (str(facts.domain), str(facts.asked), verdict.verdict) == ("example.tech.", "mail.example.tech.", "well")

    async def test_name_that_the_zone_does_not_have_is_told(self) -> None:
        _, verdict = await seen(SmallWorld(), "nowhere.example.tech.")
        assert codes(verdict) == ("DELEG-01", ())


BREAKS = [
    (faults.behind, "XFER-03"),
    (faults.serial_not_raised, "SERIAL-01"),
    (faults.primary_older, "SERIAL-02"),
    (faults.mx_without_address, "MX-02"),
    (faults.mx_to_nowhere, "MX-02"),
    (faults.mx_to_alias, "MX-03"),
    (faults.mx_to_literal, "MX-04"),
    (faults.mail_host_down, "MAIL-01"),
    (faults.mail_host_mute, "MAIL-02"),
    (faults.mail_host_refuses, "MAIL-02"),
    (faults.dot_forgotten_in_mx, "ZONE-01"),
    (faults.open_transfer, "NS-08"),
    (faults.servfail_on_secondary, "NS-05"),
    (faults.servfail_on_primary, "NS-09"),
    (faults.glue_missing, "DELEG-02"),
    (faults.glue_missing_for_one, "DELEG-02"),
    (faults.glue_wrong, "DELEG-03"),
    (faults.ns_set_differs, "DELEG-04"),
    (faults.ns_left_out, "DELEG-04"),
    (faults.not_registered, "DELEG-01"),
    (faults.server_stopped, "NS-01"),
    (faults.server_silent, "NS-01"),
    (faults.primary_stopped, "NS-01"),
    (faults.tcp_blocked, "NS-02"),
    (faults.udp_blocked, "NS-03"),
    (faults.not_loaded, "NS-04"),
]


class TestBroken:
    @pytest.mark.parametrize(("fault", "code"), BREAKS, ids=[fault.__name__ for fault, _ in BREAKS])
    async def test_has_its_one_cause_told_without_a_plan(self, fault: Callable[[SmallWorld], None], code: str) -> None:
        """The same cause as with a plan; no word of a plan, and no command of ours that needs one."""
        world = SmallWorld()
        fault(world)
        _, verdict = await seen(world)
        assert verdict.cause is not None
        assert (verdict.cause.finding.code, verdict.also) == (code, ())
        assert verdict.cause.proven
        for finding in verdict.findings:
            told = f"{finding.says} {finding.where} {finding.fix} {finding.command}"
            assert "plan" not in told.lower().replace("explain", "")
            assert finding.command.split(" ")[0] in ("dig", "nc")

    async def test_registrar_that_has_one_name_too_few_is_told(self) -> None:
        world = SmallWorld()
        world.delegate({name("ns1.example.tech."): (ip_address("192.0.2.1"),)})
        _, verdict = await seen(world)
        assert codes(verdict) == ("DELEG-04", ())

    async def test_wrong_glue_is_told(self) -> None:
        world = SmallWorld()
        world.host("192.0.2.77").udp = "closed"
        world.host("192.0.2.77").tcp = "closed"
        world.delegate(
            {name("ns1.example.tech."): (ip_address("192.0.2.77"),), name("ns2.example.tech."): (ip_address("198.51.100.2"),)}
        )
        _, verdict = await seen(world)
        assert codes(verdict) == ("DELEG-03", ())

    async def test_every_server_dead_is_told(self) -> None:
        world = SmallWorld()
        for server in world.plan.name_servers:
            for address in server.addresses:
                host = world.hosts[address]
                host.udp = host.tcp = "silent"
        facts, verdict = await seen(world)
        assert (verdict.verdict, codes(verdict)) == ("broken", ("NS-01", ()))
        assert {str(s.name) for s in plan_as_seen(facts).name_servers} == {"ns1.example.tech.", "ns2.example.tech."}
