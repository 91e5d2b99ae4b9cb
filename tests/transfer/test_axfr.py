"""AXFR: what is sent makes the same zone again; what is odd is refused whole."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rrset
import pytest
from dns.rdatatype import RdataType
from hypothesis import example, given
from hypothesis import strategies as st
from tests.strategies import zones
from tests.transfer.zones import APEX, zone

from mailname.errors import TransferError
from mailname.transfer.axfr import Incoming, outgoing, query
from mailname.zone import Serial

if TYPE_CHECKING:
    from mailname.zone import Zone

SOA = "example.tech. 3600 IN SOA ns2 hostmaster.example.tech. {} 100 10 1000 60"
NS = "example.tech. 3600 IN NS ns1.example.tech."


def answer(*records: str, rcode: int = 0, opcode: dns.opcode.Opcode = dns.opcode.QUERY, **changes: object) -> bytes:
    """Write one message of an answer, its records as zone-file text."""
    message = dns.message.make_response(dns.message.make_query(APEX, RdataType.AXFR, id=1), recursion_available=False)
    message.flags = dns.flags.QR | dns.flags.AA
    for record in records:
        owner, ttl, rdclass, rdtype, rdata = record.split(None, 4)
        message.answer.append(dns.rrset.from_text(owner, int(ttl), rdclass, rdtype, rdata.replace("ns2 ", "ns2.example.tech. ")))
    for name, value in changes.items():
        setattr(message, name, value)
    message.set_rcode(dns.rcode.Rcode(rcode))
    message.set_opcode(opcode)
    return message.to_wire()


def received(sent: Zone, reserve: int = 0) -> tuple[Incoming, list[bytes]]:
    """Send a zone to an ``Incoming``."""
    incoming = Incoming(sent.apex, 1, "ns2")
    messages = [wire for wire, _ in outgoing(sent, 1, reserve=reserve)]
    done = [incoming.take(wire) for wire in messages]
    assert done == [False] * (len(messages) - 1) + [True]
    return incoming, messages


class TestQuery:
    def test_asks_for_the_zone(self) -> None:
        """One question, nothing else. RFC 5936 section 2.1."""
        read = dns.message.from_wire(query(APEX, 4711))
        assert (read.id, read.flags, read.question[0].to_text()) == (4711, 0, "example.tech. IN AXFR")


class TestOutgoing:
    def test_small_zone_is_one_message(self) -> None:
        """The question once, the SOA first and last. RFC 5936 sections 2.2 and 2.2.1."""
        ((wire, records),) = outgoing(zone(7), 1)
        read = dns.message.from_wire(wire, one_rr_per_rrset=True)
        assert [one.rdtype for one in (read.answer[0], read.answer[-1])] == [RdataType.SOA] * 2
        assert (len(read.answer), len(read.question)) == (records, 1)
        assert read.flags & dns.flags.AA

    def test_names_are_compressed(self) -> None:
        """RFC 5936 section 3.4: fewer octets for the same zone."""
        sent = zone(7, more="\n".join(f"host{n} MX 10 mail" for n in range(100)))
        ((wire, _),) = outgoing(sent, 1)
        assert len(wire) < 100 * 40

    def test_answers_an_ixfr_with_the_whole_zone(self) -> None:
        """The question goes back as it was asked. RFC 1995 section 4."""
        ((wire, _),) = outgoing(zone(7), 1, rdtype=RdataType.IXFR)
        assert dns.message.from_wire(wire).question[0].rdtype == RdataType.IXFR

    @pytest.mark.parametrize("reserve", [0, 100])
    def test_large_zone_fills_messages(self, reserve: int) -> None:
        """Each as full as a pointer can point, with room for a signature; the question in the first alone."""
        sent = zone(7, more="\n".join(f'host{n} TXT "{"x" * 200}{n}"' for n in range(1000)))
        incoming, messages = received(sent, reserve=reserve)
        assert incoming.zone == sent
        assert (incoming.messages, incoming.records, incoming.octets) == (len(messages), 1008, sum(map(len, messages)))
        assert all(16384 - 250 <= len(wire) + reserve <= 16384 for wire in messages[:-1])
        assert [len(dns.message.from_wire(wire).question) for wire in messages] == [1] + [0] * (len(messages) - 1)

    def test_record_that_fits_no_message_is_not_cut(self) -> None:
        """The message is then larger than TCP can carry, and whoever sends it must end the transfer."""
        sent = zone(7, more="big TXT " + " ".join(f'"{"x" * 255}"' for _ in range(255)) + f' "{"x" * 230}"')
        assert max(len(wire) for wire, _ in outgoing(sent, 1)) > 65535

    @given(zones())
    def test_every_zone_arrives_as_it_was(self, sent: Zone) -> None:
        """A secondary after AXFR equals its primary."""
        incoming, _ = received(sent)
        assert incoming.zone == sent
        assert incoming.zone is not None
        assert incoming.zone.serial == sent.serial


class TestIncoming:
    def test_takes_one_record_a_message(self) -> None:
        """Old servers send so; the question may be missing. RFC 5936 section 2.2."""
        incoming = Incoming(APEX, 1, "ns2", Serial(7))
        messages = [answer(SOA.format(7), question=[]), answer(NS, question=[]), answer(SOA.format(7), question=[])]
        assert [incoming.take(wire) for wire in messages] == [False, False, True]

    def test_newer_than_offered_is_welcome(self) -> None:
        """The zone changed between the SOA question and the transfer."""
        assert Incoming(APEX, 1, "ns2", Serial(7)).take(answer(SOA.format(8), NS, SOA.format(8)))

    @pytest.mark.parametrize(
        ("messages", "reason", "says"),
        [
            ([b"\x00"], "malformed", "message 1 cannot be read"),
            ([answer(SOA.format(7), id=2)], "malformed", "does not answer our query"),
            ([answer(SOA.format(7), flags=0)], "malformed", "does not answer our query"),
            ([answer(SOA.format(7), opcode=dns.opcode.NOTIFY)], "malformed", "does not answer our query"),
            ([answer(rcode=dns.rcode.REFUSED)], "refused", "answered REFUSED to the transfer of example.tech."),
            ([answer(rcode=dns.rcode.NOTAUTH)], "notauth", "answered NOTAUTH"),
            ([answer(rcode=dns.rcode.SERVFAIL)], "servfail", "answered SERVFAIL"),
            ([answer(rcode=dns.rcode.FORMERR)], "failed", "answered FORMERR"),
            (
                [answer(SOA.format(7), question=[dns.rrset.from_text("other.", 0, "IN", "AXFR")])],
                "malformed",
                "answers another question",
            ),
            (
                [answer(SOA.format(7), question=[dns.rrset.from_text("example.tech.", 0, "IN", "SOA")])],
                "malformed",
                "answers another question",
            ),
            ([answer()], "malformed", "message 1 holds no record"),
            ([answer(NS)], "malformed", "the first record is example.tech. NS, not the SOA"),
            ([answer(SOA.format(7).replace("example.tech. 3600", "www.example.tech. 3600"))], "malformed", "not the SOA"),
            ([answer(SOA.format(6), NS)], "malformed", "the SOA query gave serial 7, the transfer carries 6"),
            ([answer(SOA.format(7), NS, SOA.format(8))], "malformed", "record 3, the SOA at the end, is not the one"),
            ([answer(SOA.format(7), NS, SOA.format(7), NS)], "malformed", "record 4 follows the SOA that ends the transfer"),
            (
                [answer(SOA.format(7), SOA.format(7).replace("example.tech. 3600", "www.example.tech. 3600"))],
                "malformed",
                "record 2 is a SOA at www.example.tech., which is not the apex",
            ),
            ([answer(SOA.format(7), "other.test. 60 IN A 192.0.2.1")], "malformed", "record 2: other.test. is not in the zone"),
            ([answer(SOA.format(7), "example.tech. 60 CH TXT x")], "malformed", "record 2, example.tech., is not of class IN"),
            (
                [answer(SOA.format(7), SOA.format(7))],
                "malformed",
                "the records do not make a zone: the zone example.tech. has no NS",
            ),
            (
                [
                    answer(
                        SOA.format(7),
                        NS,
                        "www.example.tech. 60 IN CNAME a.test.",
                        "www.example.tech. 60 IN A 192.0.2.1",
                        SOA.format(7),
                    )
                ],
                "malformed",
                "CNAME and other data",
            ),
        ],
    )
    def test_odd_answer_is_refused_whole(self, messages: list[bytes], reason: str, says: str) -> None:
        """With a stable word, the number of what is wrong, and no zone."""
        incoming = Incoming(APEX, 1, "ns2", Serial(7))
        *before, last = messages
        for wire in before:
            incoming.take(wire)
        with pytest.raises(TransferError) as caught:
            incoming.take(last)
        assert (caught.value.reason, caught.value.peer) == (reason, "ns2")
        assert says in caught.value.problem
        assert caught.value.remedy

    def test_endless_stream_ends(self) -> None:
        """A bound on the records: memory does not grow with a hostile primary's patience."""
        incoming = Incoming(APEX, 1, "ns2", most_records=10)
        incoming.take(answer(SOA.format(7), NS))
        with pytest.raises(TransferError, match="more than 10 records"):
            incoming.take(answer(*(f"h{n}.example.tech. 60 IN A 192.0.2.1" for n in range(9))))

    @given(st.lists(st.binary(max_size=200), max_size=3))
    def test_no_octets_raise_anything_else(self, stream: list[bytes]) -> None:
        """Whatever a peer sends, the transfer is refused or goes on."""
        incoming = Incoming(APEX, 1, "ns2")
        try:
            for wire in stream:
                incoming.take(b"\x00\x01\x84\x00" + wire)
        except TransferError:
            pass
        assert incoming.zone is None

    @example(at=0, octets=b"")
    @given(at=st.integers(0, 300), octets=st.binary(max_size=4))
    def test_no_spoiled_transfer_raises_anything_else(self, at: int, octets: bytes) -> None:
        """A valid answer with some octets replaced."""
        ((wire, _),) = outgoing(zone(7), 1)
        with contextlib.suppress(TransferError):
            Incoming(APEX, 1, "ns2").take(wire[:at] + octets + wire[at + len(octets) :])
