"""What an update does to a zone, or why it does nothing (RFC 2136 section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
import dns.rdata
import dns.update
import pytest
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from hypothesis import given
from hypothesis import strategies as st
from tests.update.updates import APEX, update, zone

from mailname.update.judge import judge, touched
from mailname.update.message import Update, UpdateError, UpdateRecord
from mailname.update.policy import UpdateRule, rules_of
from mailname.zone.image_merge import merged
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from collections.abc import Callable

Step = "Callable[[dns.update.UpdateMessage], None]"
KEY = dns.name.from_text("acme.example.tech.")
EVERY_TYPE = frozenset({RdataType(kind) for kind in (1, 2, 5, 6, 15, 16, 28, 39, 257)})
ALL = (UpdateRule((KEY,), (APEX, dns.name.from_text("*.example.tech.")), EVERY_TYPE),)


def name(text: str) -> dns.name.Name:
    return dns.name.from_text(text, APEX)


def records(found: ImageZone) -> set[str]:
    """Return a zone's records as text, those of the start left out."""
    return {
        f"{node.owner.relativize(APEX)} {rrset.ttl} {RdataType.to_text(kind)} {rdata}"
        for node in found.nodes()
        for kind, rrset in node.rrsets.items()
        for rdata in rrset.rdatas
    }


def apply(
    *steps: Callable[[dns.update.UpdateMessage], None], rules: tuple[UpdateRule, ...] = ALL, more: str = ""
) -> tuple[set[str], set[str]]:
    """Return which records an update has removed and added."""
    before = zone(more)
    after = ImageZone(merged(before.image, judge(before, update(*steps), rules)))
    return records(before) - records(after), records(after) - records(before)


def refusal(*steps: Callable[[dns.update.UpdateMessage], None], rules: tuple[UpdateRule, ...] = ALL, more: str = "") -> Rcode:
    with pytest.raises(UpdateError) as told:
        judge(zone(more), update(*steps), rules)
    assert told.value.says
    return told.value.rcode


def raw(rdclass: int, rdtype: RdataType, rdata: str | None = None, *, owner: str = "x", ttl: int = 0) -> UpdateRecord:
    made = dns.rdata.from_text("IN", rdtype, rdata) if rdata is not None else None
    return UpdateRecord(name(owner), RdataClass(rdclass), rdtype, ttl, made)


class TestPrerequisites:
    """Section 3.2: each kind holds or has its rcode."""

    @pytest.mark.parametrize(
        ("step", "rcode"),
        [
            (lambda one: one.present("mail"), None),
            (lambda one: one.present("nobody"), Rcode.NXDOMAIN),
            (lambda one: one.present("b"), Rcode.NXDOMAIN),  # an empty non-terminal owns nothing
            (lambda one: one.absent("nobody"), None),
            (lambda one: one.absent("mail"), Rcode.YXDOMAIN),
            (lambda one: one.present("mail", "A"), None),
            (lambda one: one.present("mail", "TXT"), Rcode.NXRRSET),
            (lambda one: one.absent("mail", "TXT"), None),
            (lambda one: one.absent("mail", "A"), Rcode.YXRRSET),
            (lambda one: one.present("mail", "A", "192.0.2.26", "192.0.2.25"), None),
            (lambda one: one.present("mail", "A", "192.0.2.25"), Rcode.NXRRSET),
            (lambda one: one.present("mail", "A", "192.0.2.25", "192.0.2.27"), Rcode.NXRRSET),
            (lambda one: one.present("MAIL", "A", "192.0.2.26", "192.0.2.25"), None),
            (lambda one: one.present(dns.name.from_text("elsewhere.example.")), Rcode.NOTZONE),
        ],
    )
    def test_kind(self, step: Callable[[dns.update.UpdateMessage], None], rcode: Rcode | None) -> None:
        def change(one: dns.update.UpdateMessage) -> None:
            one.add("new", 60, "TXT", "x")

        if rcode is None:
            assert apply(step, change) == (set(), {'new 60 TXT "x"'})
        else:
            assert refusal(step, change) == rcode

    @pytest.mark.parametrize(
        "record",
        [
            raw(255, RdataType.A, ttl=1),
            raw(255, RdataType.A, "192.0.2.1"),
            raw(254, RdataType.A, "192.0.2.1"),
            raw(3, RdataType.A),
            raw(1, RdataType.A),
            raw(1, RdataType.ANY),
        ],
    )
    def test_of_no_kind_is_formerr(self, record: UpdateRecord) -> None:
        with pytest.raises(UpdateError) as told:
            judge(zone(), Update(APEX, (record,), ()), ALL)
        assert told.value.rcode == Rcode.FORMERR


class TestChanges:
    """Section 3.4.2."""

    @pytest.mark.parametrize(
        ("step", "gone", "come"),
        [
            (lambda one: one.add("x", 60, "A", "192.0.2.9"), set(), {"x 60 A 192.0.2.9"}),
            (lambda one: one.add("mail", 3600, "A", "192.0.2.25"), set(), set()),
            (
                lambda one: one.add("mail", 60, "A", "192.0.2.25"),
                {"mail 3600 A 192.0.2.25", "mail 3600 A 192.0.2.26"},
                {"mail 60 A 192.0.2.25", "mail 60 A 192.0.2.26"},
            ),
            (lambda one: one.add("www", 60, "A", "192.0.2.9"), set(), set()),  # beside a CNAME: passed over
            (lambda one: one.add("mail", 60, "CNAME", "x"), set(), set()),
            (
                lambda one: one.add("www", 60, "CNAME", "ns1.example.tech."),
                {"www 3600 CNAME mail.example.tech."},
                {"www 60 CNAME ns1.example.tech."},
            ),
            (lambda one: one.delete("mail"), {"mail 3600 A 192.0.2.25", "mail 3600 A 192.0.2.26"}, set()),
            (lambda one: one.delete("mail", "A"), {"mail 3600 A 192.0.2.25", "mail 3600 A 192.0.2.26"}, set()),
            (lambda one: one.delete("mail", "A", "192.0.2.26"), {"mail 3600 A 192.0.2.26"}, set()),
            (lambda one: one.delete("mail", "A", "192.0.2.99"), set(), set()),
            (lambda one: one.delete("mail", "TXT"), set(), set()),
            (lambda one: one.delete("nobody"), set(), set()),
            (lambda one: one.delete("@"), {"@ 3600 MX 10 mail.example.tech.", '@ 3600 TXT "v=spf1 mx -all"'}, set()),
            (lambda one: one.delete("@", "SOA"), set(), set()),
            (lambda one: one.delete("@", "NS"), set(), set()),
            (lambda one: one.delete("@", "NS", "ns2.example.tech."), {"@ 3600 NS ns2.example.tech."}, set()),
            (
                lambda one: one.replace("mail", 60, "A", "192.0.2.9"),
                {"mail 3600 A 192.0.2.25", "mail 3600 A 192.0.2.26"},
                {"mail 60 A 192.0.2.9"},
            ),
            (lambda one: one.add("x", 60, "SOA", "a. b. 99 1 1 1 1"), set(), set()),
            (lambda one: one.add("@", 60, "SOA", "a. b. 7 1 1 1 1"), set(), set()),  # not higher: passed over
        ],
    )
    def test_of_one_step(self, step: Callable[[dns.update.UpdateMessage], None], gone: set[str], come: set[str]) -> None:
        assert apply(step) == (gone, come)

    def test_last_name_server_of_the_apex_stays(self) -> None:
        gone, come = apply(
            lambda one: one.delete("@", "NS", "ns1.example.tech."),
            lambda one: one.delete("@", "NS", "ns2.example.tech."),
        )
        assert gone == {"@ 3600 NS ns1.example.tech."}
        assert come == set()

    def test_soa_with_a_higher_serial_is_taken(self) -> None:
        gone, come = apply(lambda one: one.add("@", 60, "SOA", "ns1.example.tech. a.example.tech. 8 1 1 1 1"))
        assert {one.split()[2] for one in gone | come} == {"SOA"}
        assert any(" 8 1 1 1 1" in one for one in come)

    def test_are_carried_out_in_order(self) -> None:
        assert apply(
            lambda one: one.add("x", 60, "A", "192.0.2.9"),
            lambda one: one.delete("x"),
            lambda one: one.add("x", 60, "A", "192.0.2.10"),
        ) == (set(), {"x 60 A 192.0.2.10"})

    def test_alias_may_take_the_place_of_what_is_deleted_first(self) -> None:
        gone, come = apply(lambda one: one.delete("mail"), lambda one: one.add("mail", 60, "CNAME", "ns1.example.tech."))
        assert len(gone) == 2
        assert come == {"mail 60 CNAME ns1.example.tech."}

    @pytest.mark.parametrize(
        "record",
        [
            raw(1, RdataType.ANY),
            raw(1, RdataType.A),
            raw(1, RdataType.AXFR),
            raw(255, RdataType.A, ttl=1),
            raw(255, RdataType.A, "192.0.2.1"),
            raw(255, RdataType.AXFR),
            raw(254, RdataType.A),
            raw(254, RdataType.A, "192.0.2.1", ttl=1),
            raw(254, RdataType.ANY),
            raw(3, RdataType.A, "192.0.2.1"),
        ],
    )
    def test_of_no_kind_are_formerr(self, record: UpdateRecord) -> None:
        """Section 3.4.1; and nothing is done, though what stood before it was good."""
        good = raw(1, RdataType.TXT, '"x"', ttl=60)
        with pytest.raises(UpdateError) as told:
            judge(zone(), Update(APEX, (), (good, record)), ALL)
        assert told.value.rcode == Rcode.FORMERR

    def test_outside_the_zone_is_notzone(self) -> None:
        assert refusal(lambda one: one.add(dns.name.from_text("x.example."), 60, "A", "192.0.2.9")) == Rcode.NOTZONE

    def test_of_a_signed_zone_are_refused(self) -> None:
        """We do not sign: a record without a signature would be bogus."""
        assert refusal(lambda one: one.delete("mail"), more="@ NSEC mail NS SOA\n") == Rcode.REFUSED


ACME = (UpdateRule((KEY,), (name("_acme-challenge"), name("*.dyn")), frozenset({RdataType.TXT})),)
OPEN_TYPES = (UpdateRule((KEY,), (name("*"),)),)


class TestPermission:
    """Section 3.3: what no rule allows is refused, and then nothing is done."""

    @pytest.mark.parametrize(
        ("step", "rules", "allowed"),
        [
            (lambda one: one.add("_acme-challenge", 60, "TXT", "x"), ACME, True),
            (lambda one: one.add("_ACME-challenge", 60, "TXT", "x"), ACME, True),
            (lambda one: one.delete("_acme-challenge", "TXT"), ACME, True),
            (lambda one: one.delete("_acme-challenge"), ACME, True),
            (lambda one: one.add("a.dyn", 60, "TXT", "x"), ACME, True),
            (lambda one: one.add("dyn", 60, "TXT", "x"), ACME, False),
            (lambda one: one.add("x._acme-challenge", 60, "TXT", "x"), ACME, False),
            (lambda one: one.add("_acme-challenge", 60, "A", "192.0.2.9"), ACME, False),
            (lambda one: one.delete("mail"), ACME, False),
            (lambda one: one.delete("nobody"), ACME, False),
            (lambda one: one.delete("@"), ACME, False),
            (lambda one: one.add("mail", 60, "A", "192.0.2.9"), OPEN_TYPES, True),
            (lambda one: one.delete("mail"), OPEN_TYPES, True),
            (lambda one: one.add("sub", 60, "NS", "ns1"), OPEN_TYPES, False),
            (
                lambda one: one.add("x", 60, "RRSIG", "A 13 2 60 20300101000000 20200101000000 1 example.tech. AAAA"),
                OPEN_TYPES,
                False,
            ),
            (lambda one: one.add("mail", 60, "A", "192.0.2.9"), (), False),
        ],
    )
    def test_of_one_step(
        self, step: Callable[[dns.update.UpdateMessage], None], rules: tuple[UpdateRule, ...], allowed: bool
    ) -> None:
        if allowed:
            apply(step, rules=rules)
        else:
            assert refusal(lambda one: one.add("_acme-challenge", 60, "TXT", "y"), step, rules=rules) == Rcode.REFUSED

    def test_whole_name_needs_all_types_that_are_there(self) -> None:
        one_type = (UpdateRule((KEY,), (name("mail"),), frozenset({RdataType.TXT})),)
        assert refusal(lambda one: one.delete("mail"), rules=one_type) == Rcode.REFUSED

    def test_rules_go_with_keys(self) -> None:
        other = dns.name.from_text("other.")
        assert rules_of(ACME, KEY) == ACME
        assert rules_of(ACME, other) == ()


class TestTouched:
    def test_is_what_may_be_changed(self) -> None:
        one = update(
            lambda one: one.add("x", 60, "A", "192.0.2.9"), lambda one: one.delete("@"), lambda one: one.delete("nobody")
        )
        assert touched(zone(), one) == {
            (name("x"), RdataType.A),
            *((APEX, kind) for kind in (RdataType.SOA, RdataType.NS, RdataType.MX, RdataType.TXT)),
        }


owners = st.sampled_from(["@", "mail", "www", "x", "a.b", "b"])
kinds = st.sampled_from(
    [("A", "192.0.2.9"), ("A", "192.0.2.25"), ("TXT", "x"), ("CNAME", "mail.example.tech."), ("NS", "ns1.example.tech.")]
)
one_step = st.one_of(
    st.builds(lambda owner, kind: lambda one: one.add(owner, 60, *kind), owners, kinds),
    st.builds(lambda owner, kind: lambda one: one.delete(owner, *kind), owners, kinds),
    st.builds(lambda owner, kind: lambda one: one.delete(owner, kind[0]), owners, kinds),
    st.builds(lambda owner: lambda one: one.delete(owner), owners),
)


class TestAnyUpdate:
    @given(st.lists(one_step, max_size=8))
    def test_leaves_a_zone(self, steps: list[Callable[[dns.update.UpdateMessage], None]]) -> None:
        """Whatever is allowed and well-formed can be merged: SOA and a name server stay, no alias has company."""
        apply(*steps)
