"""Incremental transfers sent and received: whatever changed, the secondary ends with the primary's zone."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rdataclass
import dns.versioned
import dns.xfr
import dns.zone
import pytest
from dns.rdatatype import RdataType
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.strategies import APEX
from tests.transfer.test_journal import OCTETS, THREE, journal_of
from tests.uncompiled import returned_uncompiled
from tests.zone.test_image_changes import rows, versions
from tests.zone.test_image_merge import Record, _record, image_of

from mailname.errors import TransferError
from mailname.transfer import ixfr, ixfr_read, journal
from mailname.transfer.axfr import NotNewerError
from mailname.zone import Serial
from mailname.zone.image_changes import difference
from mailname.zone.image_merge import merged
from mailname.zone.image_zone import ImageZone
from mailname.zone.write import write_zone

if TYPE_CHECKING:
    from collections.abc import Sequence

WIRE = APEX.to_wire() or b""


def stream_of(octets: bytes, image: bytes, *, limit: int = 0x4000, reserve: int = 0, first: int = 0) -> list[bytes]:
    """Return the messages that lead to a version by the steps of a journal."""
    zone = ImageZone(image)
    told = ixfr.differences(octets, journal.look_through(octets, WIRE).steps[first:], zone)
    assert told is not None
    return [wire for wire, _ in ixfr.outgoing(zone, told, 7, limit=limit, reserve=reserve)]


def stepwise(octets: bytes, image: bytes, *, limit: int = 0x4000) -> list[bytes]:
    """Return the messages with each step told for itself."""
    parts = tuple((step.at, step.end) for step in journal.look_through(octets, WIRE).steps)
    return [wire for wire, _ in ixfr.outgoing(ImageZone(image), ixfr.Differences(octets, parts), 7, limit=limit)]


def received(held: bytes, messages: Sequence[bytes], offered: Serial | None = None) -> ixfr_read.Incoming:
    """Take a stream."""
    taking = ixfr_read.Incoming(ImageZone(held), 7, "ns2", offered)
    for wire in messages:
        taking.receive(wire)
    if taking.complete:
        taking.finish()
    return taking


def by_dnspython(held: bytes, messages: Sequence[bytes]) -> str:
    """Let dnspython take a stream; return its zone's records, sorted."""
    before = ImageZone(held)
    zone = dns.zone.from_text(write_zone(before), APEX, relativize=False, zone_factory=dns.versioned.Zone)
    with dns.xfr.Inbound(zone, RdataType.IXFR, serial=before.serial.value) as inbound:
        done = False
        for wire in messages:
            assert not done
            done = inbound.process_message(dns.message.from_wire(wire, xfr=True, one_rr_per_rrset=True))
        assert done
    return records_of(zone)


def records_of(zone: dns.zone.Zone) -> str:
    found = [f"{name} {ttl} {rdata.rdtype} {rdata}".lower() for name, ttl, rdata in zone.iterate_rdatas()]
    return "\n".join(sorted(found))


class TestLaw:
    @settings(max_examples=80, deadline=None)
    @given(st.lists(st.lists(_record, max_size=8), min_size=2, max_size=5), st.sampled_from([200, 512, 0x4000]))
    def test_secondary_ends_with_the_primary_s_zone(self, records: list[list[Record]], limit: int) -> None:
        """In one sequence or in several, in one message or in many."""
        images = versions(records)
        if len(images) < 2:
            return
        octets = journal_of(images)
        for messages in (stream_of(octets, images[-1], limit=limit), stepwise(octets, images[-1], limit=limit)):
            taken = received(images[0], messages)
            assert taken.complete
            assert taken.zone == ImageZone(images[-1])
            assert taken.changes is not None
            assert all(
                len(wire) <= limit or dns.message.from_wire(wire, one_rr_per_rrset=True).answer[1:] == [] for wire in messages
            )

    @settings(max_examples=80, deadline=None)
    @given(st.lists(st.lists(_record, max_size=8), min_size=2, max_size=5))
    def test_condensed_is_what_the_steps_come_to(self, records: list[list[Record]]) -> None:
        """And no more than the difference of the first version and the last."""
        images = versions(records)
        octets = journal_of(images)
        steps = journal.look_through(octets, WIRE).steps
        if not steps:
            return
        whole = journal.changes_of(octets, steps, WIRE)
        short = ixfr.condensed(whole)
        assert ImageZone(merged(images[0], short, strict=True)) == ImageZone(merged(images[0], whole, strict=True))
        wanted = rows(difference(images[0], images[-1]))
        assert {(added, owner.lower(), rdtype, rdata) for added, owner, _, rdtype, rdata in rows(short)} == {
            (added, owner.lower(), rdtype, rdata) for added, owner, _, rdtype, rdata in wanted
        }
        assert next(rdtype for added, _, _, rdtype, _ in rows(short)) == RdataType.SOA
        assert next(rdtype for added, _, _, rdtype, _ in rows(short) if added) == RdataType.SOA

    @pytest.mark.parametrize("limit", [100, 0x4000])
    def test_dnspython_takes_it(self, limit: int) -> None:
        """It reads RFC 1995 as we do."""
        text = "a MX 1 b\nb A 192.0.2.1\nx.y SRV 1 2 3 a\n"
        images = [image_of("a A 192.0.2.1\n"), image_of(text, 2), image_of(text + "c TXT t\n", 3)]
        zone = dns.zone.from_text(write_zone(ImageZone(images[-1])), APEX, relativize=False)
        for messages in (
            stream_of(journal_of(images), images[-1], limit=limit),
            stepwise(journal_of(images), images[-1], limit=limit),
        ):
            assert by_dnspython(images[0], messages) == records_of(zone)


class TestOutgoing:
    def test_begins_and_ends_with_the_new_soa(self) -> None:
        """RFC 1995 section 4."""
        (wire,) = stream_of(OCTETS, THREE[-1])
        message = dns.message.from_wire(wire, one_rr_per_rrset=True)
        serials = [rrset[0].serial for rrset in message.answer if rrset.rdtype == RdataType.SOA]
        assert serials == [3, 1, 3, 3]
        assert (message.id, message.question[0].rdtype) == (7, RdataType.IXFR)
        assert message.flags & dns.flags.AA

    def test_several_steps_may_be_told_one_by_one(self) -> None:
        """Each begins with the version before."""
        (wire,) = stepwise(OCTETS, THREE[-1])
        message = dns.message.from_wire(wire, one_rr_per_rrset=True)
        assert [rrset[0].serial for rrset in message.answer if rrset.rdtype == RdataType.SOA] == [3, 1, 2, 2, 3, 3]

    def test_room_is_left_for_a_signature(self) -> None:
        """In each message."""
        assert all(len(wire) <= 300 - 100 for wire in stream_of(OCTETS, THREE[-1], limit=300, reserve=100))

    def test_names_that_end_in_the_apex_are_compressed(self) -> None:
        """The cheap part of RFC 1035 section 4.1.4."""
        (wire,) = stream_of(OCTETS, THREE[-1])
        assert wire.count(WIRE) == 1

    def test_longer_than_the_zone_is_not_told(self) -> None:
        """The whole zone is shorter then."""
        texts = ["".join(f"{letter}{number} TXT {'x' * 150}\n" for number in range(200)) for letter in "ab"]
        images = [image_of(text, serial) for serial, text in enumerate(texts, 1)]
        octets = journal_of(images)
        assert ixfr.differences(octets, journal.look_through(octets, WIRE).steps, ImageZone(images[-1])) is None

    def test_that_comes_to_little_is_told_however_long_the_way_was(self) -> None:
        """It is condensed before it is measured."""
        texts = ["", "".join(f"a{number} TXT {'x' * 150}\n" for number in range(200)), "b TXT t\n"]
        images = [image_of(text, serial) for serial, text in enumerate(texts, 1)]
        (wire,) = stream_of(journal_of(images), images[-1])
        assert len(dns.message.from_wire(wire, one_rr_per_rrset=True).answer) == 5

    def test_step_that_is_spoiled_is_not_told(self) -> None:
        """The whole zone is."""
        steps = journal.look_through(OCTETS, WIRE).steps
        octets = bytearray(OCTETS)
        octets[-1] ^= 1
        assert ixfr.differences(bytes(octets), steps, ImageZone(THREE[-1])) is None

    def test_query_holds_the_soa(self) -> None:
        """RFC 1995 section 3."""
        message = dns.message.from_wire(ixfr.query(ImageZone(THREE[1]), 9))
        assert (message.id, message.question[0].rdtype, message.authority[0][0].serial) == (9, RdataType.IXFR, 2)


def told(*lines: str, apex: dns.name.Name = APEX, flags: int = 0x8400, question: str = "IXFR", message_id: int = 7) -> bytes:
    """Return a message with these records in its answer section."""
    message = dns.message.make_response(dns.message.make_query(apex, question, id=message_id, use_edns=False))
    message.flags = dns.flags.Flag(flags)
    for line in lines:
        owner, rdtype, text = line.split(None, 2)
        rrset = dns.rrset.from_text(dns.name.from_text(owner, apex), 60, "IN", rdtype, _absolute(rdtype, text))
        message.answer.append(rrset)
    return message.to_wire()


def _absolute(rdtype: str, text: str) -> str:
    if rdtype == "SOA":
        mname, rname, rest = text.split(None, 2)
        return f"{mname}.{APEX} {rname}.{APEX} {rest}"
    return text


def soa(serial: int, more: int = 30) -> str:
    return f"@ SOA ns1 h {serial} 2 3 4 {more}"


HELD = image_of("a A 192.0.2.1\n", 1)


class TestIncoming:
    def test_takes_a_sequence(self) -> None:
        """Record by record as it is written."""
        wire = told(soa(2), soa(1), "a A 192.0.2.1", soa(2), "a A 192.0.2.2", soa(2))
        taken = received(HELD, [wire], Serial(2))
        assert taken.zone == ImageZone(image_of("a A 192.0.2.2\n", 2))
        assert (taken.messages, taken.records, taken.changes is not None) == (1, 6, True)

    @pytest.mark.parametrize("cut", [1, 2, 3, 4, 5])
    def test_takes_it_in_several_messages(self, cut: int) -> None:
        """Cut anywhere: also behind the first SOA."""
        lines = [soa(2), soa(1), "a A 192.0.2.1", soa(2), "a A 192.0.2.2", soa(2)]
        taken = received(HELD, [told(*lines[:cut]), told(*lines[cut:])])
        assert taken.zone == ImageZone(image_of("a A 192.0.2.2\n", 2))

    def test_takes_the_whole_zone(self) -> None:
        """The primary need not know what changed."""
        lines = (soa(2), "@ NS ns1.example.net.", "b A 192.0.2.2", soa(2))
        for messages in ([told(*lines)], [told(*lines[:1]), told(*lines[1:])], [told(*lines[:2]), told(*lines[2:])]):
            taken = received(HELD, messages)
            assert taken.zone == ImageZone(image_of("b A 192.0.2.2\n", 2))
            assert taken.changes is None

    def test_takes_records_of_rare_types(self) -> None:
        """Those that dnspython reads."""
        taken = received(HELD, [told(soa(2), soa(1), soa(2), "r RP a.example.net. b.example.net.", soa(2))])
        assert taken.zone == ImageZone(image_of("a A 192.0.2.1\nr RP a.example.net. b.example.net.\n", 2))

    @pytest.mark.parametrize(
        "lines", [(soa(1),), (soa(0),), (soa(1), "@ NS ns1.example.net.", soa(1)), (soa(1), soa(0), soa(1), soa(1))]
    )
    def test_nothing_newer_is_told_as_such(self, lines: tuple[str, ...]) -> None:
        """There is nothing to transfer."""
        with pytest.raises(NotNewerError):
            received(HELD, [told(*lines)])

    def test_incomplete_is_not_complete(self) -> None:
        """The stream goes on, or ends with an error of the network."""
        assert not received(HELD, [told(soa(2))]).complete
        assert not received(HELD, [told(soa(2), soa(1), soa(2))]).complete
        assert not received(HELD, [told(soa(2), soa(1), "a A 192.0.2.1")]).complete

    @pytest.mark.parametrize(
        ("messages", "says"),
        [
            ([told(soa(3), soa(2), soa(3), soa(3))], "begins with serial 2, not with 1"),
            ([told(soa(3), soa(1), soa(2), soa(1), soa(3), soa(3))], "begins with serial 1, not with 2"),
            ([told(soa(3), soa(1), soa(2), soa(3))], "begins with serial 3, not with 2"),
            ([told(soa(3), soa(1), soa(0), soa(3))], "from serial 1 to 0, which is not newer"),
            ([told(soa(3), soa(1), soa(3), soa(4))], "the SOA at the end, serial 4, is not the one at the beginning"),
            ([told(soa(3), soa(1), soa(3), soa(3, more=31))], "the SOA at the end, serial 3, is not"),
            ([told(soa(3), soa(1), soa(3, more=31), soa(3))], "the SOA at the end, serial 3, is not"),
            ([told(soa(3), soa(1, more=31), soa(3), soa(3))], "SOA is to be removed, but is not there"),
            ([told(soa(3), soa(1), "a A 192.0.2.9", soa(3), soa(3))], "a.example.com. A is to be removed, but is not there"),
            ([told(soa(3), soa(1), soa(3), "a A 192.0.2.1", soa(3))], "a.example.com. A is to be added, but is there"),
            ([told(soa(3), soa(1), soa(3), "x.net. A 192.0.2.1", soa(3))], "a record of message 1 cannot be taken"),
            ([told(soa(3), soa(1), soa(3), "a CNAME b.example.net.", soa(3))], "a CNAME record and other data"),
            ([told(soa(3), soa(1), "@ NS ns1.example.net.", soa(3), soa(3))], "there is no NS record at the apex"),
            ([told(soa(3), soa(1), soa(3), "b SOA ns1 h 1 2 3 4 30", soa(3))], "a record of message 1 cannot be taken"),
            ([told(soa(3), soa(1), soa(3), soa(3), "b A 192.0.2.1")], "records follow the SOA that ends"),
            ([told(soa(3), soa(1), soa(3), soa(3)), told("b A 192.0.2.1")], "message 2 follows the SOA that ends"),
            ([told(soa(3), soa(1), soa(3)), told(message_id=8)], "message 2 does not answer our query"),
            ([told(soa(3), soa(1), soa(3)), told(soa(3), question="AXFR")], "message 2 answers another question"),
            ([told(flags=0x8405)], "answered REFUSED"),
            ([told(flags=0x8404)], "answered NOTIMP"),
            ([told()], "holds no record"),
            ([told("a A 192.0.2.1")], "the first record is a.example.com. A, not the SOA"),
            ([told(soa(3))[:-1]], "cannot be read"),
            ([told(soa(3), soa(1), soa(3), soa(3))[:-1]], "a record of message 1 cannot be taken"),
        ],
    )
    def test_whatever_is_odd_is_refused_whole(self, messages: list[bytes], says: str) -> None:
        """With the reason, and nothing of it is seen by anybody."""
        says = says.replace("example.com.", str(APEX))
        with pytest.raises(TransferError, match=says) as caught:
            received(HELD, messages)
        assert not isinstance(caught.value, NotNewerError)

    def test_older_than_offered_is_refused(self) -> None:
        """The SOA question told more."""
        with pytest.raises(TransferError, match="the SOA query gave serial 5, the differences lead to 3"):
            received(HELD, [told(soa(3), soa(1), soa(3), soa(3))], Serial(5))

    def test_endless_differences_are_refused(self) -> None:
        """In memory and in number."""
        taking = ixfr_read.Incoming(ImageZone(HELD), 7, "ns2", None)
        taking.receive(told(soa(3), soa(1)))
        many = [told(*(f"n{number}-{i} TXT {'x' * 200}" for i in range(20))) for number in range(300)]
        with pytest.raises(TransferError, match="larger than the zone"):
            all(taking.receive(wire) is False for wire in many)
        few = ixfr_read.Incoming(ImageZone(HELD), 7, "ns2", None, most_records=5)
        with pytest.raises(TransferError, match="cannot be taken"):
            few.receive(told(soa(3), soa(1), *(f"n{i} A 192.0.2.1" for i in range(9))))

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_spoiled_octets_never_raise_anything_else(self, data: st.DataObject) -> None:
        """Refused with a reason, or taken for what they say."""
        wire = bytearray(told(soa(2), soa(1), "a A 192.0.2.1", soa(2), "a A 192.0.2.2", soa(2)))
        for _ in range(data.draw(st.integers(1, 3))):
            wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(TransferError):
            taken = received(HELD, [bytes(wire)])
            assert taken.zone is None or taken.zone.serial.is_newer_than(Serial(1))


def digest_of_streams() -> str:
    """Return a digest of what this form of the core sends and takes."""
    found = hashlib.sha256()
    for limit in (150, 300, 0x4000):
        for messages in (stream_of(OCTETS, THREE[-1], limit=limit), stepwise(OCTETS, THREE[-1], limit=limit)):
            found.update(b"".join(messages))
            taken = received(THREE[0], messages)
            assert taken.zone is not None
            found.update(taken.zone.image)
    return found.hexdigest()


class TestForms:
    def test_both_forms_of_the_core_send_and_take_the_same(self) -> None:
        """Octet for octet."""
        assert returned_uncompiled(digest_of_streams) == digest_of_streams()
