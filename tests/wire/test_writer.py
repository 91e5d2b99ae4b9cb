from __future__ import annotations

import dns.message
import dns.name
import dns.rdata

from mailname.wire.message import Question
from mailname.wire.writer import ADDITIONAL, ANSWER, MessageWriter

OWNER = dns.name.from_text("example.tech.")


def rdata(rdtype: str, text: str) -> dns.rdata.Rdata:
    return dns.rdata.from_text("IN", rdtype, text)


def writer(limit: int = 512) -> MessageWriter:
    started = MessageWriter(limit)
    started.add_question(Question(OWNER, dns.rdatatype.MX, dns.rdataclass.IN))
    return started


class TestMessageWriter:
    def test_compresses_owners_and_the_old_types(self) -> None:
        """A name seen before is a pointer, in owners and in MX rdata (RFC 1035 section 4.1.4)."""
        written = writer()
        assert written.add(ANSWER, OWNER, 60, [rdata("MX", "10 mail.example.tech.")])
        wire = written.finish(1, 0x8400)
        assert len(wire) == 12 + 18 + 2 + 10 + 2 + 5 + 2
        assert str(dns.message.from_wire(wire).answer[0]) == "example.tech. 60 IN MX 10 mail.example.tech."

    def test_does_not_compress_later_types(self) -> None:
        """SRV came after RFC 1035: its target goes out whole (RFC 3597 section 4)."""
        written = writer()
        before = len(written)
        written.add(ANSWER, OWNER, 60, [rdata("SRV", "0 0 25 example.tech.")])
        assert len(written) - before == 2 + 10 + 6 + 14

    def test_drops_what_does_not_fit_whole(self) -> None:
        """Of several records, all or none; names of the dropped ones are not pointed at."""
        written = writer(limit=100)
        assert not written.add(ANSWER, OWNER, 60, [rdata("NS", f"ns{number}.other.example.") for number in range(9)])
        assert written.add(ADDITIONAL, dns.name.from_text("ns0.other.example."), 60, [rdata("A", "192.0.2.1")])
        read = dns.message.from_wire(written.finish(1, 0x8000))
        assert (len(read.answer), str(read.additional[0])) == (0, "ns0.other.example. 60 IN A 192.0.2.1")

    def test_counts_the_record_that_comes_ready_made(self) -> None:
        """The OPT record is one more in the additional section."""
        assert writer().finish(1, 0x8000, last=bytes(11))[10:12] == b"\0\x01"

    def test_writes_several_rrsets_together_or_none(self) -> None:
        """Addresses and their signatures: what does not fit leaves no trace."""
        address = (dns.name.from_text("a.other.example."), 60, [rdata("A", "192.0.2.1")])
        long = (dns.name.from_text("b.other.example."), 60, [rdata("TXT", "x" * 100)])
        written = writer(limit=100)
        assert not written.add_together(ADDITIONAL, [address, long])
        assert written.add_together(ADDITIONAL, [address])
        read = dns.message.from_wire(written.finish(1, 0x8000))
        assert [str(rrset) for rrset in read.additional] == ["a.other.example. 60 IN A 192.0.2.1"]
