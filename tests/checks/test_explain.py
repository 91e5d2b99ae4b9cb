"""One fault in the world, one cause in the verdict, and nothing unrelated beside it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.dnssec
import dns.rdata
import pytest
from tests.checks.small_world import PLAN, RESOLVER, SERIAL, TLD, SmallWorld, codes, edited, look, name, verdict_of, zone_of

from mailname.answer import Unserved
from mailname.checks import Finding, Place, Severity
from mailname.checks.facts import EDNS_OPTIONS, EDNS_VERSION, ControlFact
from mailname.checks.observe_control import read_zone_file
from mailname.server.network import Endpoint
from mailname.zone import Serial, Zone, ZoneBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.checks import Facts, Verdict

NS1, NS2 = name("ns1.example.tech."), name("ns2.example.tech.")
A1, A2 = ip_address("192.0.2.1"), ip_address("198.51.100.2")
OLD = Serial(int(SERIAL) - 1)
MX = [("example.tech.", "MX")]


def glue_missing(w: SmallWorld) -> None:
    w.delegate({NS1: (), NS2: ()})


def glue_missing_for_one(w: SmallWorld) -> None:
    w.delegate({NS1: (), NS2: (A2,)})


def glue_wrong(w: SmallWorld) -> None:
    w.delegate({NS1: (ip_address("192.0.2.99"),), NS2: (A2,)})
    w.host("192.0.2.99").udp = w.host("192.0.2.99").tcp = "silent"


def ns_set_differs(w: SmallWorld) -> None:
    w.delegate({NS1: (A1,), name("ns3.example.tech."): (ip_address("192.0.2.33"),)})
    w.host("192.0.2.33").udp = w.host("192.0.2.33").tcp = "closed"


def ns_left_out(w: SmallWorld) -> None:
    w.delegate({NS1: (A1,)})


def not_registered(w: SmallWorld) -> None:
    w.delegate({})


def server_stopped(w: SmallWorld) -> None:
    w.host("192.0.2.1").udp = w.host("192.0.2.1").tcp = "closed"


def server_silent(w: SmallWorld) -> None:
    w.host("192.0.2.1").udp = w.host("192.0.2.1").tcp = "silent"


def primary_stopped(w: SmallWorld) -> None:
    w.host("198.51.100.2").udp = w.host("198.51.100.2").tcp = "closed"


def primary_machine_dead(w: SmallWorld) -> None:
    dead = w.host("198.51.100.2")
    dead.udp = dead.tcp = dead.smtp = "silent"


def tcp_blocked(w: SmallWorld) -> None:
    w.host("192.0.2.1").tcp = "silent"


def tcp_closed(w: SmallWorld) -> None:
    w.host("192.0.2.1").tcp = "closed"


def udp_blocked(w: SmallWorld) -> None:
    w.host("192.0.2.1").udp = "silent"


def not_loaded(w: SmallWorld) -> None:
    w.host("192.0.2.1").table = w.host("192.0.2.1").table.without(w.plan.domain)


def unserved(w: SmallWorld, at: str) -> None:
    host = w.host(at)
    host.table = host.table.with_zone(w.plan.domain, Unserved("expired"))


def servfail_on_secondary(w: SmallWorld) -> None:
    unserved(w, "192.0.2.1")


def servfail_on_primary(w: SmallWorld) -> None:
    unserved(w, "198.51.100.2")


def resolver_in_place_of_server(w: SmallWorld) -> None:
    w.host("192.0.2.1").resolves = True


def open_transfer(w: SmallWorld) -> None:
    w.host("192.0.2.1").transfers = True


def behind(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=MX, add="@ MX 20 mail", serial=OLD), "192.0.2.1")


def serial_not_raised(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=MX, add="@ MX 20 mail"), "192.0.2.1")


def primary_older(w: SmallWorld) -> None:
    w.serve(edited(w.zone, serial=OLD), "198.51.100.2")


def mx_missing(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=MX))


def null_mx(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=MX, add="@ MX 0 ."))


def mx_without_address(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=[("mail.example.tech.", "A")]))


def mx_to_nowhere(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=MX, add="@ MX 10 nowhere"))


def mx_to_alias(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=MX, add="@ MX 10 alias\nalias CNAME mail"))


def mx_to_literal(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=MX, add="@ MX 10 198.51.100.2"))


def mail_host_down(w: SmallWorld) -> None:
    w.host("198.51.100.2").smtp = "closed"


def mail_host_mute(w: SmallWorld) -> None:
    w.host("198.51.100.2").smtp = "silent"


def mail_host_refuses(w: SmallWorld) -> None:
    w.host("198.51.100.2").banner = "554 no mail here"


def dot_forgotten_in_mx(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=MX, add="@ MX 10 mail.example.tech"))


def dot_forgotten_at_owner(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=[("mail.example.tech.", "A")], add="mail.example.tech A 198.51.100.2"))


def dot_forgotten_in_ns(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=[("example.tech.", "NS")], add="@ NS ns1.example.tech\n@ NS ns2.example.tech."))


def website_edited(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=[("example.tech.", "A")], add="@ A 192.0.2.77"))


def mail_address_edited(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=[("mail.example.tech.", "A")], add="mail A 192.0.2.77"))
    w.host("192.0.2.77").smtp = "closed"


def ns_is_an_alias(w: SmallWorld) -> None:
    w.serve(edited(w.zone, without=[("ns1.example.tech.", "A")], add="ns1 CNAME other\nother A 192.0.2.1"))


def edns_refused(w: SmallWorld) -> None:
    w.host("192.0.2.1").edns = "refused"


def edns_dropped(w: SmallWorld) -> None:
    w.host("192.0.2.1").edns = "dropped"


KEY = "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="
_DS = dns.dnssec.make_ds("example.tech.", dns.rdata.from_text("IN", "DNSKEY", KEY), "SHA256")
DS, TAG = str(_DS), _DS.key_tag


def ds_left_over(w: SmallWorld) -> None:
    w.delegate({NS1: (A1,), NS2: (A2,)}, f"example.tech. DS {DS}")


def ds_nobody_knows(w: SmallWorld) -> None:
    w.delegate({NS1: (A1,), NS2: (A2,)}, f"example.tech. DS {TAG} 13 200 {'ab' * 32}")


def ds_of_another_key(w: SmallWorld) -> None:
    ds_left_over(w)
    w.serve(edited(w.zone, add=f"@ DNSKEY {KEY.replace('mdss', 'ndss')}"))


def two_spf_records(w: SmallWorld) -> None:
    w.serve(edited(w.zone, add='@ TXT "v=spf1 mx -all"\n@ TXT "v=spf1 a -all"'))


def dmarc_without_policy(w: SmallWorld) -> None:
    w.serve(edited(w.zone, add='_dmarc TXT "v=DMARC1; rua=mailto:postmaster@example.tech"'))


def mta_sts_without_id(w: SmallWorld) -> None:
    w.serve(edited(w.zone, add='_mta-sts TXT "v=STSv1"'))


def tls_reports_to_nowhere(w: SmallWorld) -> None:
    w.serve(edited(w.zone, add='_smtp._tls TXT "v=TLSRPTv1; rua=postmaster@example.tech"'))


def with_timers(zone: Zone, **timers: int) -> Zone:
    builder = ZoneBuilder(zone.apex)
    for rrset in zone.rrsets():
        for rdata in rrset.rdatas:
            builder.add(rrset.owner, rrset.ttl, rdata.replace(**timers) if rrset.rdtype.name == "SOA" else rdata)
    return builder.build()


def answers_from_elsewhere(w: SmallWorld) -> None:
    w.host("192.0.2.1").answers_from = Endpoint(ip_address("192.0.2.99"), 53)


def unknown_options_dropped(w: SmallWorld) -> None:
    w.host("192.0.2.1").edns = "unknown options dropped"


def soa_retries_too_late(w: SmallWorld) -> None:
    w.serve(with_timers(w.zone, refresh=3600, retry=7200))


def soa_expires_at_once(w: SmallWorld) -> None:
    w.serve(with_timers(w.zone, expire=3600))


def null_mx_beside_another(w: SmallWorld) -> None:
    w.serve(edited(w.zone, add="@ MX 0 ."))


FAULTS: list[tuple[Callable[[SmallWorld], None], str, str]] = [
    (glue_missing, "DELEG-02", "broken"),
    (glue_missing_for_one, "DELEG-02", "fragile"),
    (glue_wrong, "DELEG-03", "fragile"),
    (ns_set_differs, "DELEG-04", "fragile"),
    (ns_left_out, "DELEG-04", "fragile"),
    (not_registered, "DELEG-01", "broken"),
    (server_stopped, "NS-01", "fragile"),
    (server_silent, "NS-01", "fragile"),
    (primary_stopped, "NS-01", "fragile"),
    (primary_machine_dead, "NS-01", "broken"),
    (tcp_blocked, "NS-02", "fragile"),
    (tcp_closed, "NS-02", "fragile"),
    (udp_blocked, "NS-03", "fragile"),
    (not_loaded, "NS-04", "fragile"),
    (servfail_on_secondary, "NS-05", "fragile"),
    (servfail_on_primary, "NS-09", "fragile"),
    (resolver_in_place_of_server, "NS-06", "fragile"),
    (open_transfer, "NS-08", "fragile"),
    (answers_from_elsewhere, "NS-11", "fragile"),
    (unknown_options_dropped, "NS-12", "fragile"),
    (behind, "XFER-03", "fragile"),
    (serial_not_raised, "SERIAL-01", "fragile"),
    (primary_older, "SERIAL-02", "fragile"),
    (mx_missing, "MX-01", "broken"),
    (null_mx, "MX-01", "broken"),
    (mx_without_address, "MX-02", "broken"),
    (mx_to_nowhere, "MX-02", "broken"),
    (mx_to_alias, "MX-03", "fragile"),
    (mx_to_literal, "MX-04", "broken"),
    (mail_host_down, "MAIL-01", "broken"),
    (mail_host_mute, "MAIL-02", "broken"),
    (mail_host_refuses, "MAIL-02", "broken"),
    (dot_forgotten_in_mx, "ZONE-01", "broken"),
    (dot_forgotten_at_owner, "ZONE-01", "broken"),
    (dot_forgotten_in_ns, "ZONE-01", "fragile"),
    (ns_is_an_alias, "DELEG-08", "fragile"),
    (soa_retries_too_late, "SOA-01", "fragile"),
    (soa_expires_at_once, "SOA-01", "fragile"),
    (null_mx_beside_another, "MX-05", "fragile"),
    (edns_refused, "NS-10", "fragile"),
    (edns_dropped, "NS-10", "fragile"),
    (ds_left_over, "DELEG-10", "broken"),
    (ds_of_another_key, "DELEG-10", "broken"),
    (ds_nobody_knows, "DELEG-10", "fragile"),
    (two_spf_records, "POL-01", "fragile"),
    (dmarc_without_policy, "POL-02", "fragile"),
    (mta_sts_without_id, "POL-04", "fragile"),
    (tls_reports_to_nowhere, "POL-05", "fragile"),
    (website_edited, "ZONE-02", "fragile"),
    (mail_address_edited, "ZONE-02", "broken"),
]


class TestOneFault:
    @pytest.mark.parametrize(("fault", "code", "kind"), FAULTS, ids=[fault.__name__ for fault, _, _ in FAULTS])
    async def test_is_the_one_cause(self, fault: Callable[[SmallWorld], None], code: str, kind: str) -> None:
        """A single fault is told as exactly its cause, nothing unrelated beside it; its fix leaves nothing to be found."""
        world = SmallWorld()
        fault(world)
        verdict = verdict_of(world.plan, await look(world))
        assert (codes(verdict), verdict.verdict) == ((code, ()), kind)
        assert verdict.cause is not None
        assert verdict.cause.proven

    async def test_says_where_what_to_do_and_what_was_seen(self) -> None:
        """The cause names the server and its address, the place, one command, and shows an answer as dig does."""
        world = SmallWorld()
        tcp_closed(world)
        verdict = verdict_of(world.plan, await look(world))
        assert verdict.cause is not None
        cause = verdict.cause.finding
        assert "ns1.example.tech (192.0.2.1)" in cause.says
        assert cause.where == "firewall on ns1.example.tech"
        assert cause.command == "dig +norec +tcp @192.0.2.1 example.tech SOA"
        assert any("status: NOERROR; flags: qr aa" in piece.answer for piece in cause.evidence)

    async def test_consequences_are_folded_beneath(self) -> None:
        """That the zone differs from the plan follows from the lost MX, and is told beneath it."""
        world = SmallWorld()
        mx_missing(world)
        verdict = verdict_of(world.plan, await look(world))
        assert verdict.cause is not None
        assert [finding.code for finding in verdict.cause.explains] == ["ZONE-02"]


class TestTwoFaults:
    async def test_independent_ones_are_both_told(self) -> None:
        """The worse one is the cause, the other stands apart from it."""
        world = SmallWorld()
        tcp_closed(world)
        mail_host_down(world)
        assert codes(verdict_of(world.plan, await look(world))) == ("MAIL-01", ("NS-02",))

    async def test_the_same_at_two_servers_is_one_cause(self) -> None:
        """Both servers without TCP are told as one cause that names both."""
        world = SmallWorld()
        for address in ("192.0.2.1", "198.51.100.2"):
            world.host(address).tcp = "closed"
        verdict = verdict_of(world.plan, await look(world))
        assert codes(verdict) == ("NS-02", ())
        assert verdict.cause is not None
        assert "ns1.example.tech" in verdict.cause.finding.says
        assert "ns2.example.tech" in verdict.cause.finding.says


class TestUnknown:
    async def test_a_silent_root_is_no_verdict_on_the_domain(self) -> None:
        """When the root cannot be reached, our own network is to blame."""
        world = SmallWorld()
        for host in world.hosts.values():
            host.udp = host.tcp = host.smtp = "silent"
        verdict = verdict_of(world.plan, await look(world))
        assert (verdict.verdict, codes(verdict)) == ("unknown", ("ROOT-01", ()))

    async def test_a_silent_registry_is_no_verdict_on_the_domain(self) -> None:
        """TLD servers that do not answer are not the domain's fault."""
        world = SmallWorld()
        world.hosts[TLD].udp = "silent"
        verdict = verdict_of(world.plan, await look(world))
        assert (verdict.verdict, codes(verdict)) == ("unknown", ("TLD-01", ()))


class TestBlocked:
    async def test_what_a_dead_server_hides_is_blocked_not_failed(self) -> None:
        """Checks that need the dead server are listed as blocked by its code."""
        world = SmallWorld()
        server_stopped(world)
        verdict = verdict_of(world.plan, await look(world))
        told = {(one.code, str(one.about), one.needs) for one in verdict.blocked}
        assert ("NS-04", "ns1.example.tech.", "NS-01") in told
        assert not any(about == "ns2.example.tech." for _, about, _ in told)

    async def test_rungs_above_the_start_are_not_asked(self) -> None:
        """With --from servers nothing is known of the registry, and nothing is said of it."""
        world = SmallWorld()
        not_registered(world)
        facts = await look(world, start="servers")
        verdict = verdict_of(world.plan, facts)
        assert verdict.verdict == "well"
        assert {probe.rung for probe in facts.probes} == {"servers", EDNS_OPTIONS, EDNS_VERSION}
        assert "DELEG-01" in {one.code for one in verdict.blocked}


@pytest.fixture(scope="module")
def lagging() -> tuple[SmallWorld, Facts]:
    """Return a secondary one version behind, as seen from outside; the tests add what the control sockets say."""
    world = SmallWorld()
    behind(world)
    return world, asyncio.run(look(world))


AT = "2026-11-22T10:00:00+00:00"


def secondary(**says: Any) -> dict[str, Any]:
    plain = {"state": "serving", "serial": int(OLD), "records": 9, "refresh_at": None, "last_notify": None, "last_failure": None}
    return {"zone": "example.tech.", "role": "secondary", "busy": False, **plain, **says}


def primary(**says: Any) -> dict[str, Any]:
    plain = {
        "state": "serving",
        "serial": int(SERIAL),
        "records": 9,
        "since": AT,
        "problem": None,
        "secondaries": [],
        "refused": [],
    }
    return {"zone": "example.tech.", "role": "primary", **plain, **says}


def failed(reason: str, offered: int | None = None) -> dict[str, Any]:
    words = {"says": f"it was {reason}", "remedy": "", "offered_serial": offered}
    return {"at": AT, "peer": "198.51.100.2:53", "reason": reason, **words}


def told(lagging: tuple[SmallWorld, Facts], ns1: dict[str, Any] | None, ns2: dict[str, Any] | None) -> Verdict:
    world, facts = lagging
    said = [(NS1, ns1), (NS2, ns2)]
    control = tuple(ControlFact(server, status) for server, status in said if status is not None)
    return verdict_of(world.plan, replace(facts, control=control))


class TestSecondaryBehind:
    @pytest.mark.parametrize(
        ("reason", "offered", "code"),
        [
            ("refused", int(SERIAL), "XFER-01"),
            ("notauth", int(SERIAL), "XFER-01"),
            ("notauth", None, "XFER-05"),
            ("badkey", None, "XFER-02"),
            ("badsig", None, "XFER-02"),
            ("unsigned", None, "XFER-02"),
            ("timeout-tcp", int(SERIAL), "XFER-04"),
            ("timeout", int(SERIAL), "XFER-04"),
            ("connection-refused", int(SERIAL), "XFER-04"),
            ("connection-refused", None, "XFER-05"),
            ("timeout-udp", None, "XFER-05"),
            ("badtime", None, "XFER-06"),
            ("malformed", int(SERIAL), "XFER-05"),
        ],
    )
    def test_with_a_failure_is_told_by_its_reason(
        self, lagging: tuple[SmallWorld, Facts], reason: str, offered: int | None, code: str
    ) -> None:
        """What stopped the last transfer is the cause."""
        verdict = told(lagging, secondary(last_failure=failed(reason, offered)), primary())
        assert (codes(verdict), verdict.verdict) == ((code, ()), "fragile")

    @pytest.mark.parametrize(("reason", "code"), [("refused", "XFER-01"), ("badkey", "XFER-02"), ("badtime", "XFER-06")])
    def test_is_told_by_the_primary_s_refusals_too(self, lagging: tuple[SmallWorld, Facts], reason: str, code: str) -> None:
        """Where only the primary can be asked, its list of refusals tells."""
        refusal = {"at": AT, "from": "192.0.2.1", "reason": reason, "says": "no"}
        assert codes(told(lagging, None, primary(refused=[refusal]))) == (code, ())

    def test_a_refusal_of_somebody_else_says_nothing(self, lagging: tuple[SmallWorld, Facts]) -> None:
        """Strangers who were refused have nothing to do with the secondary."""
        refusal = {"at": AT, "from": "203.0.113.5", "reason": "refused", "says": "no"}
        assert codes(told(lagging, secondary(), primary(refused=[refusal]))) == ("XFER-03", ())

    def test_without_failure_says_when_it_asks_again(self, lagging: tuple[SmallWorld, Facts]) -> None:
        """A lost NOTIFY heals by itself; the cause says when."""
        later = replace(lagging[1], at=lagging[1].at).at.replace(year=lagging[1].at.year + 1).isoformat()
        notify = {"address": "192.0.2.1:53", "state": "waiting", "serial": int(SERIAL), "tries": 3, "says": ""}
        verdict = told(lagging, secondary(refresh_at=later), primary(secondaries=[notify]))
        assert codes(verdict) == ("XFER-03", ())
        assert verdict.cause is not None
        assert f"has {SERIAL} (1 serial ahead): no NOTIFY of it has arrived" in verdict.cause.finding.says
        assert "it asks again by itself at " in verdict.cause.finding.says
        assert "waiting, 3 tries" in verdict.cause.finding.says

    def test_that_hangs_in_the_transfer_is_blocked_on_tcp(self, lagging: tuple[SmallWorld, Facts]) -> None:
        """Busy after a second look: the question came through, the transfer does not."""
        assert codes(told(lagging, secondary(busy=True), primary())) == ("XFER-04", ())

    def test_just_notified_is_no_fault(self, lagging: tuple[SmallWorld, Facts]) -> None:
        """A secondary that heard of the version a second ago is about to have it."""
        world, facts = lagging
        seen = {(p.rung, p.address, p.transport, p.qname, p.qtype): p for p in facts.probes}
        once = replace(facts, probes=tuple(seen.values()))
        heard = {"at": facts.at.isoformat(), "from": "198.51.100.2", "serial": int(SERIAL)}
        control = (ControlFact(NS1, secondary(last_notify=heard)), ControlFact(NS2, primary(since=facts.at.isoformat())))
        assert verdict_of(world.plan, replace(once, control=control)).verdict == "well"

    def test_without_tcp_to_the_primary_is_a_consequence(self) -> None:
        """TCP closed on the primary explains why no transfer comes."""
        world = SmallWorld()
        behind(world)
        world.host("198.51.100.2").tcp = "closed"
        assert codes(verdict_of(world.plan, asyncio.run(look(world)))) == ("NS-02", ())


class TestSecondaryWithoutZone:
    async def test_expired_tells_the_last_failure(self) -> None:
        """The copy has expired; why the transfers failed is told with it, not beside it."""
        world = SmallWorld()
        servfail_on_secondary(world)
        facts = await look(world)
        status = secondary(state="expired", last_failure=failed("refused"))
        verdict = verdict_of(world.plan, replace(facts, control=(ControlFact(NS1, status),)))
        assert codes(verdict) == ("NS-05", ())
        assert verdict.cause is not None
        assert "It was refused." in verdict.cause.finding.says

    @pytest.mark.parametrize(("failure", "cause"), [(None, "NS-05"), (failed("refused"), "XFER-01")])
    async def test_a_copy_of_unknown_age_is_not_called_expired(self, failure: dict[str, object] | None, cause: str) -> None:
        """The server was stopped right after its first transfer; where a transfer fails, that is the cause."""
        world = SmallWorld()
        servfail_on_secondary(world)
        facts = await look(world)
        status = secondary(state="expired", confirmed_at=None, last_failure=failure)
        verdict = verdict_of(world.plan, replace(facts, control=(ControlFact(NS1, status),)))
        assert codes(verdict) == (cause, ())
        found = next(finding for finding in verdict.findings if finding.code == "NS-05")
        assert "must be confirmed by a primary before it is answered from" in found.says
        assert "has expired" not in found.says

    async def test_never_transferred_is_explained_by_the_transfer(self) -> None:
        """A secondary that never got the zone has the refused transfer as its cause."""
        world = SmallWorld()
        servfail_on_secondary(world)
        facts = await look(world)
        status = secondary(state="not loaded", serial=None, last_failure=failed("refused"))
        assert codes(verdict_of(world.plan, replace(facts, control=(ControlFact(NS1, status),)))) == ("XFER-01", ())


class TestPrimaryThatKeepsAnOldVersion:
    async def test_is_told_with_the_reason(self) -> None:
        """A zone file that does not load leaves the old version serving; that is the cause of the difference to the plan."""
        world = SmallWorld()
        website_edited(world)
        facts = await look(world)
        problem = {"reason": "load-failed", "says": "example.tech.zone:3:1: no such type", "remedy": "Correct it.", "at": AT}
        control = (ControlFact(NS2, primary(problem=problem)),)
        verdict = verdict_of(world.plan, replace(facts, control=control))
        assert codes(verdict) == ("NS-09", ())

    async def test_is_not_said_of_a_version_that_is_served(self) -> None:
        """A changed file with the old serial is loaded all the same; what is wrong then is the serial."""
        world = SmallWorld()
        facts = await look(world)
        problem = {"reason": "serial-not-raised", "says": "in any words", "remedy": "Raise it.", "at": AT}
        control = (ControlFact(NS2, primary(problem=problem)),)
        assert verdict_of(world.plan, replace(facts, control=control)).findings == ()


class TestTrailingDotOfAHostElsewhere:
    async def test_is_found_by_what_the_plan_names(self) -> None:
        """A mail host outside the domain needs its dot as much; the resolver need not know the host for that."""
        text = PLAN.partition("[[mail_host]]")[0] + '[[mail_host]]\nname = "mx.provider.net"\n'
        world = SmallWorld(text)
        world.serve(edited(world.zone, without=MX, add="@ MX 10 mx.provider.net"))
        verdict = verdict_of(world.plan, await look(world))
        assert codes(verdict) == ("ZONE-01", ())
        assert verdict.cause is not None
        assert "the plan has mx.provider.net." in verdict.cause.finding.says


class TestHealthyVariants:
    @pytest.mark.parametrize(
        "text",
        [
            PLAN,
            PLAN.replace('"192.0.2.1"', '"2001:db8:1::1"').replace('"198.51.100.2"', '"2001:db8:2::2"'),
            PLAN.replace("ns1.example.tech", "ns1.provider.net").replace("ns2.example.tech", "ns2.provider.net"),
            PLAN.replace('addresses = ["192.0.2.1"]', 'addresses = ["192.0.2.1", "2001:db8:1::1"]'),
            PLAN.partition("[[mail_host]]")[0] + '[[record]]\nname = "@"\ntype = "MX"\ndata = "0 ."\n',
        ],
        ids=["v4 only", "v6 only", "name servers outside", "two addresses", "null MX"],
    )
    async def test_are_well(self, text: str) -> None:
        """What is unusual is not wrong."""
        world = SmallWorld(text)
        verdict = verdict_of(world.plan, await look(world))
        assert (verdict.verdict, verdict.findings, verdict.blocked) == ("well", (), ())

    async def test_mail_host_elsewhere_is_well(self) -> None:
        """A mail host outside the domain is found through the resolver."""
        text = PLAN.partition("[[mail_host]]")[0] + '[[mail_host]]\nname = "mx.provider.net"\n'
        world = SmallWorld(text)
        world.host("203.0.113.25").smtp = "answers"
        provider = zone_of("$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\nmx A 203.0.113.25", "provider.net.")
        world.hosts[RESOLVER].table = world.hosts[RESOLVER].table.with_zone(provider.apex, provider)
        facts = await look(world)
        assert verdict_of(world.plan, facts).verdict == "well"
        assert [visit.banner for visit in facts.mail] == ["220 mail ESMTP"]

    async def test_a_transfer_under_way_is_waited_for(self) -> None:
        """Servers that differ are asked again after a moment, and the second look counts."""
        world = SmallWorld()
        behind(world)
        before = await look(world)
        world = SmallWorld()
        after = await look(world)
        both = replace(after, probes=(*before.probes, *after.probes))
        assert verdict_of(world.plan, both).verdict == "well"


class TestCounterfactual:
    """A cause is proven by doing to the facts what its fix says: then all must be well."""

    @pytest.mark.parametrize(
        "fault", [glue_missing, glue_missing_for_one, glue_wrong, ns_set_differs, ns_left_out, not_registered]
    )
    async def test_with_the_registrar_corrected_all_is_well(self, fault: Callable[[SmallWorld], None]) -> None:
        """The registry's answers of a healthy world in place of those seen."""
        world = SmallWorld()
        fault(world)
        broken = await look(world)
        assert verdict_of(world.plan, broken).verdict != "well"
        healthy = await look(SmallWorld())
        kept = (probe for probe in broken.probes if probe.rung != "tld")
        mended = replace(broken, probes=(*kept, *healthy.at_rung("tld")))
        assert verdict_of(world.plan, mended).verdict == "well"

    @pytest.mark.parametrize("fault", [mx_missing, null_mx, mx_to_nowhere, mx_to_literal, dot_forgotten_in_mx])
    async def test_with_the_mx_published_all_is_well(self, fault: Callable[[SmallWorld], None]) -> None:
        """The plan's MX in place of the one seen."""
        world = SmallWorld()
        fault(world)
        broken = await look(world)
        assert verdict_of(world.plan, broken).verdict == "broken"
        healthy = await look(SmallWorld())
        published = [probe for probe in healthy.at_rung("servers") if probe.qtype.name == "MX"]
        assert verdict_of(world.plan, replace(broken, probes=(*broken.probes, *published))).verdict == "well"


class TestPlace:
    def test_names_the_plan_and_the_rehearsal(self) -> None:
        """The line to type can be typed as it stands, blanks in paths and all."""
        world = SmallWorld()
        finding = Finding("MX-01", Severity.DEAD, "", "", "", "mailname publish example.tech.toml", ())
        place = Place("my plans/a.toml", "/tmp/lab/network.json")
        assert place.typed(world.plan, finding) == "mailname publish 'my plans/a.toml' --network /tmp/lab/network.json"

    def test_names_the_control_socket_of_the_server_that_is_meant(self) -> None:
        """A secondary transfers, the primary notifies and publishes."""
        world = SmallWorld()
        place = Place(control_sockets={NS1: Path("/run/one"), NS2: Path("/run/two")})
        lines = {
            "retransfer example.tech": "/run/one",
            "notify example.tech": "/run/two",
            "publish example.tech.toml": "/run/two",
        }
        for words, socket in lines.items():
            finding = Finding("XFER-05", Severity.FRAGILE, "", "", "", f"mailname {words}", (), server=NS1)
            assert place.typed(world.plan, finding) == f"mailname {words} --control {socket}"

    def test_leaves_other_programs_lines_alone(self) -> None:
        """Their quoting is their own."""
        world = SmallWorld()
        line = "sudo systemctl restart mailname && journalctl -u mailname -n 30"
        assert Place("x.toml").typed(world.plan, Finding("NS-01", Severity.DEAD, "", "", "", line, ())) == line


class TestZoneFile:
    def test_may_include_others(self, tmp_path: Path) -> None:
        """What the primary can load is not told as a zone file that cannot be loaded."""
        (tmp_path / "hosts.inc").write_text("mail A 198.51.100.2\n", encoding="utf-8")
        text = "$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n$INCLUDE hosts.inc\n"
        fact = read_zone_file(text, str(tmp_path / "example.tech.zone"), name("example.tech."))
        assert (fact.problem, len(fact.records)) == ("", 3)
