"""Tail names: which labels a reply spells out behind its question, and when it leans on the question's own ones."""

from __future__ import annotations

import dns.name
import pytest
from tests.answer.questions import query

from mailname.answer import ZoneTable, respond
from mailname.answer.tail_names import last_labels
from mailname.wire.message import Request, read_request
from mailname.zone.text import read_zone

APEX = dns.name.from_text("example.tech.")


def of(records: str, name: str, rdtype: int = 1, soa: str = "ns1 h") -> frozenset[bytes] | None:
    """Return the labels of the reply to a question about a name directly below the apex."""
    text = f"$TTL 60\n@ SOA {soa} 1 2 3 4 5\n NS ns1\n{records}"
    request = read_request(query(dns.name.from_text(name, APEX), rdtype))
    assert isinstance(request, Request)
    reply = respond(request, ZoneTable({APEX: read_zone(text, "x", APEX).zone}), transport="udp")
    return last_labels(reply, 12 + len(name) + 1 + 14 + 4, 12 + len(name) + 1)


class TestLastLabels:
    def test_are_those_that_the_soa_spells(self) -> None:
        """In lower case, with the length before them."""
        assert of("", "nope", soa="NS1 h") == frozenset({b"\3ns1", b"\1h"})

    def test_are_the_last_before_the_pointer(self) -> None:
        """Names outside the zone count too: nobody has to think about them."""
        assert of("", "nope", soa="a.b.ns1 h.example.org.") == frozenset({b"\3ns1", b"\3org"})

    def test_are_none_when_a_name_is_the_questions(self) -> None:
        assert of("", "ns1") is None
        assert of("", "ns2", soa="a.ns2 h") is None

    @pytest.mark.parametrize(
        ("records", "rdtype", "labels"),
        [
            ("* A 192.0.2.1", 1, set()),
            ('* TXT "x"', 16, set()),
            ("* MX 10 mail\nmail A 192.0.2.1", 15, {b"\4mail"}),
            ("* CNAME www\nwww A 192.0.2.1", 1, {b"\3www"}),
            ("* PTR host.example.org.", 12, {b"\3org"}),
            ("* NS ns.example.org.", 2, {b"\3org"}),
        ],
    )
    def test_of_what_a_wildcard_gives_leave_out_the_owner(self, records: str, rdtype: int, labels: set[bytes]) -> None:
        """The question's name is that of whoever asks."""
        assert of(records + "\n", "nope", rdtype) == frozenset(labels)

    def test_are_none_when_a_wildcard_leads_to_the_question(self) -> None:
        assert of("* CNAME nope\n", "nope") is None
        assert of("* MX 10 nope\n", "nope", 15) is None

    def test_are_none_for_types_whose_names_we_do_not_know(self) -> None:
        """SRV, for one, and all that is to come."""
        assert of("* SRV 0 0 25 mail\n", "nope", 33) is None

    def test_are_none_when_another_section_speaks_of_the_question(self) -> None:
        """Only an answer's owner is whoever is asked about."""
        head, question = b"\0\1\x84\0\0\1", b"\1x\0\0\1\0\1"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4abcd"
        assert last_labels(head + b"\0\1\0\0\0\0" + question + record, 19, 14) == frozenset()
        assert last_labels(head + b"\0\0\0\1\0\0" + question + record, 19, 14) is None
        assert last_labels(head + b"\0\1\0\0\0\1" + question + record * 2, 19, 14) is None
