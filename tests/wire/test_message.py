from __future__ import annotations

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.interop.raw_messages import RAW_MESSAGES, TSIG, message, opt

from mailname.wire.edns import Edns
from mailname.wire.message import AA, Request, Unreadable, error_reply, read_request

#: What each odd message is to us: None for silence, an rcode for a reply, "request" for one that is worked on.
VERDICTS = {
    "eleven octets": None,
    "a response": None,
    "a NOTIFY response": None,
    "EDNS version 1": "BADVERS",
    "EDNS version 1, DO": "BADVERS",
    "EDNS version 1, not our zone": "BADVERS",
    **dict.fromkeys(
        [
            "EDNS, option too long",
            "EDNS, option cut",
            "two OPT",
            "OPT in the answer section",
            "OPT in the authority section",
            "OPT with an owner",
            "OPT whose owner is a pointer to the root",
            "a record that is not there",
            "an answer that is not there",
            "a question that is not there",
            "no question",
            "no question, with EDNS",
            "two questions",
            "a question without type",
            "a cut name",
            "a name that points at itself",
            "a name that points into the header",
            "a label of 64 octets",
            "a name of 257 octets",
            "TSIG before OPT",
            "two TSIG",
            "TSIG in the answer section",
        ],
        "FORMERR",
    ),
    **{
        name: "NOTIMP"
        for name in RAW_MESSAGES
        if name.startswith(("opcode", "DSO", "STATUS")) and name not in ("opcode 5", "opcode 5, with EDNS")  # UPDATE
    },
}


def verdict(wire: bytes) -> str | None:
    read = read_request(wire)
    if isinstance(read, Request):
        return "request"
    return dns.rcode.to_text(dns.message.from_wire(read.reply).rcode()) if read.reply else None


def request(wire: bytes) -> Request:
    read = read_request(wire)
    assert isinstance(read, Request)
    return read


def unreadable(wire: bytes) -> Unreadable:
    read = read_request(wire)
    assert isinstance(read, Unreadable)
    return read


class TestReadRequest:
    @pytest.mark.parametrize("name", RAW_MESSAGES)
    def test_odd_messages(self, name: str) -> None:
        """Each odd message gets what it deserves: an answer, FORMERR, NOTIMP, BADVERS or silence."""
        assert verdict(RAW_MESSAGES[name]) == VERDICTS.get(name, "request")

    def test_reads_header_question_and_edns(self) -> None:
        """The name keeps the case in which it came."""
        query = dns.message.make_query("eXample.TECH.", "MX", use_edns=0, payload=4096, want_dnssec=True, id=77)
        read = request(query.to_wire())
        assert (read.id, read.opcode, read.flags) == (77, dns.opcode.QUERY, 0x0100)
        assert read.question.name.labels == (b"eXample", b"TECH", b"")
        assert (read.question.rdtype.name, read.question.rdclass.name) == ("MX", "IN")
        assert read.edns == Edns(4096, 0, True)
        assert not read.has_tsig

    def test_a_query_without_edns_has_none(self) -> None:
        """No OPT record, no EDNS."""
        assert request(message()).edns is None

    def test_tells_where_the_tsig_begins(self) -> None:
        """The signed part ends where the TSIG record begins (RFC 8945 section 4.3.2)."""
        read = request(message(counts=(1, 0, 0, 2), rest=opt() + TSIG))
        assert read.has_tsig
        assert read.tsig_at == len(message()) + 11

    def test_octets_after_the_end_are_cut_off(self) -> None:
        """As BIND and NSD do; Knot says FORMERR."""
        assert request(message(rest=b"xx")).wire == message()

    @pytest.mark.parametrize(
        "owner",
        [
            b"\xc0",
            b"\xc0\xff",
            b"\xc0\x04",
            b"\x80",
            b"\x05abc",
            b"\x3f" + b"a" * 63,
            (b"\x3f" + b"a" * 63) * 4 + b"\0",
            b"",
            b"\0",
        ],
    )
    def test_records_with_broken_owners_are_malformed(self, owner: bytes) -> None:
        """Pointers go back into the body (RFC 1035 section 4.1.4), labels have at most 63 octets, names 255."""
        assert verdict(message(counts=(1, 0, 0, 1), rest=owner)) == "FORMERR"

    def test_a_record_longer_than_the_message_is_malformed(self) -> None:
        """The rdata's length is checked."""
        assert verdict(message(counts=(1, 0, 0, 1), rest=b"\0\0\x01\0\x01\0\0\0\0\0\x05abcd")) == "FORMERR"

    def test_owners_may_have_labels_before_a_pointer(self) -> None:
        """Skipped, not read."""
        assert verdict(message(counts=(1, 0, 0, 1), rest=b"\x01a\xc0\x0c\0\x01\0\x01\0\0\0\0\0\0")) == "request"

    def test_formerr_repeats_the_question_that_could_be_read(self) -> None:
        """So that the client knows which of its queries was meant."""
        reply = unreadable(RAW_MESSAGES["two OPT"]).reply
        assert reply is not None
        assert (reply[:12].hex(), reply[12:]) == ("126780010001000000000000", message()[12:])

    def test_notimp_repeats_opcode_and_rd_only(self) -> None:
        """What the rest of an unknown opcode's message means is unknown; an OPT record is answered nevertheless."""
        reply = unreadable(message(flags=0x35FF, counts=(1, 0, 0, 1), rest=opt(flags=0x8000))).reply
        assert reply is not None
        assert reply.hex() == "1267b1040000000000000001" + "00002904d0000080000000"

    def test_badvers_tells_our_version(self) -> None:
        """Version 0, and BADVERS in the extended rcode (RFC 6891 section 6.1.3)."""
        read = unreadable(RAW_MESSAGES["EDNS version 1"])
        assert read.problem == "EDNS version 1 is not implemented"
        reply = dns.message.from_wire(read.reply or b"")
        assert (reply.rcode(), reply.edns, len(reply.question)) == (dns.rcode.BADVERS, 0, 1)

    @given(st.binary(max_size=600))
    @example(b"")
    def test_never_raises_on_random_octets(self, wire: bytes) -> None:
        """Random octets are a request, a reply to send, or nothing."""
        self.check(wire)

    @given(st.sampled_from(sorted(RAW_MESSAGES)), st.data())
    def test_never_raises_on_mutated_messages(self, name: str, data: st.DataObject) -> None:
        """Real messages with octets changed, cut out or put in."""
        wire = bytearray(RAW_MESSAGES[name])
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(wire)))
            wire[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
        self.check(bytes(wire))

    @staticmethod
    def check(wire: bytes) -> None:
        read = read_request(wire)
        if isinstance(read, Request):
            assert read.question.name.is_absolute()
            assert wire.startswith(read.wire)
            assert len(error_reply(read, dns.rcode.SERVFAIL)) <= 512
        elif read.reply is not None:
            assert len(read.reply) <= 512
            assert dns.message.from_wire(read.reply).flags & dns.flags.QR

    @given(st.sampled_from(sorted(RAW_MESSAGES)))
    def test_what_we_read_dnspython_reads_too(self, name: str) -> None:
        """We are never laxer than dnspython about a message that we go on to work with (TSIG aside: it wants the key)."""
        read = read_request(RAW_MESSAGES[name])
        if isinstance(read, Request) and not read.has_tsig:
            assert dns.message.from_wire(read.wire).question[0].name == read.question.name


class TestErrorReply:
    def test_has_the_question_and_nothing_else(self) -> None:
        """RD is copied; no EDNS in, no EDNS out."""
        reply = error_reply(request(message(flags=0x0100)), dns.rcode.SERVFAIL)
        assert reply == bytes.fromhex("126781020001000000000000") + message()[12:]

    def test_has_edns_where_the_request_had(self) -> None:
        """REFUSED with OPT too (RFC 6891 section 6.1.1)."""
        reply = dns.message.from_wire(error_reply(request(RAW_MESSAGES["EDNS"]), dns.rcode.REFUSED))
        assert (reply.rcode(), reply.edns, reply.payload) == (dns.rcode.REFUSED, 0, 1232)

    def test_sets_flags_that_are_asked_for(self) -> None:
        """The acknowledgement of a NOTIFY has AA (RFC 1996 section 4.7)."""
        reply = error_reply(request(RAW_MESSAGES["NOTIFY"]), dns.rcode.NOERROR, flags=AA)
        assert reply[2:4].hex() == "a400"
