from __future__ import annotations

import dns.name
import dns.rdata
from dns.rdatatype import RdataType

from mailname.zone import RRset

OWNER = dns.name.from_text("example.tech.")
NS1 = dns.rdata.from_text("IN", "NS", "ns1.example.tech.")
NS2 = dns.rdata.from_text("IN", "NS", "ns2.example.tech.")


class TestRRset:
    def test_is_a_set(self) -> None:
        """RFC 2181 section 5: the order of records has no meaning, though we keep it."""
        one, other = RRset(OWNER, RdataType.NS, 60, (NS1, NS2)), RRset(OWNER, RdataType.NS, 60, (NS2, NS1))
        assert one == other
        assert hash(one) == hash(other)
        assert other.rdatas[0] == NS2
        assert len(one) == 2

    def test_differs_by_ttl_and_records(self) -> None:
        one = RRset(OWNER, RdataType.NS, 60, (NS1,))
        assert one != RRset(OWNER, RdataType.NS, 61, (NS1,))
        assert one != RRset(OWNER, RdataType.NS, 60, (NS2,))
        assert one != NS1
