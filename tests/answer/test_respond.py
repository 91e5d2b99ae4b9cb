from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.IN.A
import pytest
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from hypothesis import given
from hypothesis import strategies as st
from tests.answer.cases import Case, cases, records, says
from tests.answer.zones import signed_table, the_table, zone_of

from mailname.answer import Unserved, ZoneTable, respond
from mailname.wire.message import Request, read_request

TABLE = ZoneTable({apex: table[apex] for table in (the_table(), signed_table()) for apex in table})
CASES = list(cases())


def request(wire: bytes) -> Request:
    read = read_request(wire)
    assert isinstance(read, Request)
    return read


def ask(name: str, rdtype: str, *, flags: int = 0, rdclass: str = "IN", edns: bool = True) -> dns.message.Message:
    query = dns.message.make_query(name, rdtype, rdclass, use_edns=0 if edns else -1, flags=flags, id=4711)
    return dns.message.from_wire(respond(request(query.to_wire()), TABLE, transport="udp"))


class TestRespond:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.where)
    def test_gives_the_answer_that_the_case_says(self, case: Case) -> None:
        """Each case in tests/data/answers/cases states its own rule."""
        asked = case.wire()
        reply = respond(request(asked), TABLE, transport="tcp" if case.tcp else "udp")
        assert case.rule
        assert (says(reply), sorted(records(reply))) == (case.says, sorted(case.records))

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.where)
    def test_repeats_id_and_question_and_speaks_edns_to_who_does(self, case: Case) -> None:
        """Id and question come back octet for octet; OPT is there when the query had one (RFC 6891 section 6.1.1)."""
        asked = case.wire()
        reply = respond(request(asked), TABLE, transport="tcp" if case.tcp else "udp")
        query, answer = dns.message.from_wire(asked), dns.message.from_wire(reply)
        end_of_question = 12 + len(query.question[0].name.to_wire() or b"") + 4
        assert reply[:2] == asked[:2]
        assert reply[12:end_of_question] == asked[12:end_of_question]
        assert answer.edns == query.edns
        assert answer.payload == (1232 if query.edns == 0 else 0)

    def test_copies_rd_and_clears_cd_and_ad(self) -> None:
        """RD comes back, RA never is set, CD and AD are cleared (RFC 4035 section 3.1.6)."""
        assert ask("example.tech.", "A", flags=0x01F0).flags == dns.flags.QR | dns.flags.AA | dns.flags.RD

    def test_copies_do(self) -> None:
        """DO comes back as it was (RFC 3225 section 3)."""
        query = dns.message.make_query("example.tech.", "A", want_dnssec=True)
        reply = dns.message.from_wire(respond(request(query.to_wire()), TABLE, transport="udp"))
        assert reply.ednsflags == dns.flags.DO

    @pytest.mark.parametrize("rdclass", ["CH", "HS", "ANY", "NONE", "CLASS0", "CLASS4711"])
    def test_refuses_other_classes(self, rdclass: str) -> None:
        """We serve IN alone; ANY is no class to ask for either."""
        assert ask("example.tech.", "A", rdclass=rdclass).rcode() == dns.rcode.REFUSED

    def test_refuses_a_notify(self) -> None:
        """NOTIFY is answered elsewhere; who passes it here gets no zone's data."""
        query = dns.message.make_query("example.tech.", "SOA", flags=0x2400)
        reply = dns.message.from_wire(respond(request(query.to_wire()), TABLE, transport="udp"))
        assert (reply.rcode(), reply.opcode()) == (dns.rcode.REFUSED, dns.opcode.NOTIFY)

    def test_leaves_room_for_a_signature(self) -> None:
        """A reply with ``reserve`` octets added still is no longer than the limit."""
        query = request(dns.message.make_query("many.example.tech.", "MX", use_edns=0, payload=1232).to_wire())
        full = respond(query, TABLE, transport="udp")
        shorter = respond(query, TABLE, transport="udp", reserve=100)
        assert 1232 - 100 < len(full) <= 1232
        assert len(shorter) <= 1132

    def test_obeys_a_lower_limit_of_ours(self) -> None:
        """The operator's limit counts for those who do not speak EDNS too."""
        query = request(dns.message.make_query("many.example.tech.", "MX", use_edns=False).to_wire())
        assert len(respond(query, TABLE, transport="udp", limit=400)) <= 400

    def test_ds_of_a_child_whose_parent_has_expired_is_a_failure(self) -> None:
        """The parent's side is ours to answer and cannot be, so SERVFAIL, not the child's NODATA."""
        parent = dns.name.from_text("example.tech.")
        table = TABLE.with_zone(parent, Unserved("expired"))
        query = request(dns.message.make_query("kid.example.tech.", "DS").to_wire())
        assert says(respond(query, table, transport="udp")) == "SERVFAIL"

    def test_ds_of_the_root_is_answered_by_the_root(self) -> None:
        """The root has no parent."""
        root = zone_of(". 60 IN SOA a. b. 1 2 3 4 5\n. 60 IN NS a.\na. 60 IN A 192.0.2.1\n", ".")
        query = request(dns.message.make_query(".", "DS").to_wire())
        assert says(respond(query, ZoneTable({dns.name.root: root}), transport="udp")) == "NOERROR aa"

    def test_answers_above_64_kib_are_truncated_by_tcp_too(self) -> None:
        """A DNS message cannot be longer than its two-octet length says."""
        records = "".join(f"x. 60 IN TXT {str(number).zfill(200)}\n" for number in range(400))
        root = zone_of(f". 60 IN SOA a. b. 1 2 3 4 5\n. 60 IN NS a.\n{records}", ".")
        query = request(dns.message.make_query("x.", "TXT").to_wire())
        assert says(respond(query, ZoneTable({dns.name.root: root}), transport="tcp")) == "NOERROR aa tc"

    def test_an_answer_whose_signature_does_not_fit_is_truncated(self) -> None:
        """In answer and authority section signatures are needed (RFC 4035 section 3.1.1)."""
        query = dns.message.make_query("big.nsec.example.", "TXT", want_dnssec=True, payload=1232)
        reply = respond(request(query.to_wire()), TABLE, transport="udp")
        assert (says(reply), len(dns.message.from_wire(reply).answer)) == ("NOERROR aa tc", 1)

    @given(
        labels=st.lists(st.sampled_from([b"*", b"a", b"www", b"WILD", b"old", b"sub", b"\x00\xff", b"x" * 63]), max_size=3),
        apex=st.sampled_from([dns.name.root, *TABLE]),
        rdtype=st.builds(RdataType.make, st.integers(0, 65535) | st.sampled_from([1, 5, 6, 15, 39, 43, 255])),
        rdclass=st.builds(RdataClass.make, st.integers(0, 65535) | st.just(1)),
        payload=st.none() | st.integers(0, 65535),
        do=st.booleans(),
        tcp=st.booleans(),
        reserve=st.integers(0, 200),
    )
    def test_never_raises_and_never_exceeds_the_limit(
        self,
        labels: list[bytes],
        apex: dns.name.Name,
        rdtype: RdataType,
        rdclass: RdataClass,
        payload: int | None,
        do: bool,
        tcp: bool,
        reserve: int,
    ) -> None:
        """Whatever is asked, a whole message comes back that fits and that dnspython can read."""
        name = dns.name.Name(labels).concatenate(apex)
        query = dns.message.make_query(name, rdtype, rdclass, use_edns=-1 if payload is None else 0, payload=payload or 0)
        if do and payload is not None:
            query.want_dnssec()
        reply = respond(request(query.to_wire()), TABLE, transport="tcp" if tcp else "udp", reserve=reserve)
        limit = 65535 if tcp else min(1232, max(512, payload or 0))
        assert len(reply) <= limit - reserve
        assert dns.message.from_wire(reply).flags & dns.flags.QR
