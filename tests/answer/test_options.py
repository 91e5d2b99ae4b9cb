from __future__ import annotations

from ipaddress import ip_address

import dns.edns
import dns.message
import dns.name
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.answer.zones import the_table

from mailname.answer import Response, Settings, Unserved, reply_to, truncated
from mailname.wire.message import Request, read_request

TABLE = the_table().with_zone(dns.name.from_text("loading.example."), Unserved("not loaded"))
SECRET = bytes(range(16))
NOW = 1_790_000_000
CLIENT = ip_address("192.0.2.53").packed
COOKIES = Settings(cookie_secrets=(SECRET,))
MINE = b"8 octets"


def request(name: str = "example.tech.", rdtype: str = "A", rdclass: str = "IN", *options: tuple[int, bytes]) -> Request:
    query = dns.message.make_query(name, rdtype, rdclass, use_edns=0, payload=1232, id=1)
    query.use_edns(
        0, payload=1232, options=[dns.edns.GenericOption(dns.edns.OptionType.make(code), data) for code, data in options]
    )
    read = read_request(query.to_wire())
    assert isinstance(read, Request)
    return read


def response(asked: Request, settings: Settings, *, tcp: bool = False, client: bytes | None = CLIENT, now: int = NOW) -> Response:
    return reply_to(asked, TABLE, transport="tcp" if tcp else "udp", client=client, now=now, settings=settings)


def options(wire: bytes) -> dict[int, bytes]:
    return {int(option.otype): option.to_wire() or b"" for option in dns.message.from_wire(wire).options}


def rcode(wire: bytes) -> str:
    return dns.rcode.to_text(dns.message.from_wire(wire).rcode())


class TestCookies:
    def test_are_given_to_who_asks_and_verified_the_next_time(self) -> None:
        """RFC 7873 section 5.2; the reply is the same as without."""
        first = response(request("example.tech.", "A", "IN", (10, MINE)), COOKIES)
        shown = options(first.wire)[10]
        assert (shown[:8], len(shown), first.verified) == (MINE, 24, False)
        second = response(request("example.tech.", "A", "IN", (10, shown)), COOKIES, now=NOW + 60)
        assert (options(second.wire)[10], second.verified) == (shown, True)
        assert len(dns.message.from_wire(second.wire).answer) == 1

    def test_are_none_where_there_is_no_secret_or_no_address(self) -> None:
        """The option is then one we do not know."""
        asked = request("example.tech.", "A", "IN", (10, MINE))
        assert options(response(asked, Settings()).wire) == {}
        assert options(response(asked, COOKIES, client=None).wire) == {}

    def test_malformed_ones_get_formerr(self) -> None:
        """RFC 7873 section 5.2.2."""
        reply = response(request("example.tech.", "A", "IN", (10, b"short")), COOKIES).wire
        assert (rcode(reply), options(reply)) == ("FORMERR", {})

    def test_may_be_required_of_udp_clients_that_speak_of_them(self) -> None:
        """BADCOOKIE, with a good one in it (RFC 7873 section 5.2.3); without the option, by TCP, with a good one: the answer."""
        required = Settings(cookie_secrets=(SECRET,), require_cookies=True)
        asked = request("example.tech.", "A", "IN", (10, MINE))
        refused = response(asked, required).wire
        assert (rcode(refused), len(options(refused)[10])) == ("BADCOOKIE", 24)
        assert rcode(response(asked, required, tcp=True).wire) == "NOERROR"
        assert rcode(response(request(), required).wire) == "NOERROR"
        assert rcode(response(request("example.tech.", "A", "IN", (10, options(refused)[10])), required).wire) == "NOERROR"

    def test_go_into_a_truncated_reply_too(self) -> None:
        """So that a client that was limited is known the next time."""
        asked = request("example.tech.", "A", "IN", (10, MINE))
        reply = truncated(asked, response(asked, COOKIES))
        assert reply[2:4].hex() == "8300"
        assert len(options(reply)[10]) == 24


class TestNsid:
    def test_is_told_to_who_asks(self) -> None:
        """RFC 5001 section 2.2, in errors too."""
        settings = Settings(nsid=b"ns1")
        assert options(response(request("example.tech.", "A", "IN", (3, b"")), settings).wire) == {3: b"ns1"}
        assert options(response(request("example.org.", "A", "IN", (3, b"")), settings).wire) == {3: b"ns1"}
        assert options(response(request(), settings).wire) == {}

    def test_is_off_by_default(self) -> None:
        """What runs here is nobody's business."""
        assert options(response(request("example.tech.", "A", "IN", (3, b"")), Settings()).wire) == {}


class TestKeepalive:
    def test_is_told_by_tcp_alone(self) -> None:
        """RFC 7828 section 3.2.1: by UDP the option is ignored."""
        asked, settings = request("example.tech.", "A", "IN", (11, b"")), Settings(keepalive=200)
        assert options(response(asked, settings, tcp=True).wire) == {11: b"\0\xc8"}
        assert options(response(asked, settings).wire) == {}
        assert options(response(asked, Settings(), tcp=True).wire) == {}
        assert options(response(request("example.tech.", "A", "IN", (3, b"")), settings, tcp=True).wire) == {}


class TestExpire:
    ASKED = (9, b"")

    def test_of_a_primary_is_the_soa_field(self) -> None:
        """RFC 7314 section 3.2."""
        assert options(response(request("example.tech.", "SOA", "IN", self.ASKED), Settings()).wire) == {
            9: (1209600).to_bytes(4, "big")
        }

    @pytest.mark.parametrize(("left", "told"), [(77, 77), (-1, 0), (None, 1209600)])
    def test_of_a_secondary_is_what_is_left(self, left: int | None, told: int) -> None:
        """RFC 7314 section 3.3: so that a chain of secondaries expires together."""
        asked = request("example.tech.", "SOA", "IN", self.ASKED)
        reply = reply_to(asked, TABLE, transport="udp", expire=lambda _: left).wire
        assert options(reply) == {9: told.to_bytes(4, "big")}

    def test_goes_with_the_soa_of_the_zone_alone(self) -> None:
        """To other questions, and to who does not ask, nothing."""
        for asked in (
            request("example.tech.", "A", "IN", self.ASKED),
            request("www.example.tech.", "SOA", "IN", self.ASKED),
            request("example.tech.", "SOA"),
        ):
            assert options(response(asked, Settings()).wire) == {}


class TestExtendedErrors:
    SETTINGS = Settings(extended_errors=True)

    @pytest.mark.parametrize(
        ("name", "rdtype", "rdclass", "says", "code"),
        [
            ("www.expired.example.", "A", "IN", "SERVFAIL", 24),
            ("www.loading.example.", "A", "IN", "SERVFAIL", 14),
            ("www.example.org.", "A", "IN", "REFUSED", 20),
            ("example.tech.", "A", "HS", "REFUSED", 21),
        ],
    )
    def test_say_why(self, name: str, rdtype: str, rdclass: str, says: str, code: int) -> None:
        """Invalid Data, Not Ready, Not Authoritative, Not Supported (RFC 8914 section 4)."""
        asked = request(name, rdtype, rdclass)
        told, silent = response(asked, self.SETTINGS).wire, response(asked, Settings()).wire
        assert (rcode(told), options(told)) == (says, {15: code.to_bytes(2, "big")})
        assert (rcode(silent), options(silent)) == (says, {})

    def test_a_transfer_by_tcp_that_gets_here_is_prohibited(self) -> None:
        """RFC 8914 section 4.19."""
        assert options(response(request("example.tech.", "AXFR"), self.SETTINGS, tcp=True).wire) == {15: b"\0\x12"}

    def test_need_edns(self) -> None:
        """Without an OPT record there is no place for them."""
        query = read_request(dns.message.make_query("www.example.org.", "A", use_edns=False).to_wire())
        assert isinstance(query, Request)
        assert dns.message.from_wire(response(query, self.SETTINGS).wire).edns == -1


class TestChaos:
    SETTINGS = Settings(version="mailname 1", identity="ns1")

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("version.bind.", "mailname 1"),
            ("VERSION.server.", "mailname 1"),
            ("id.server.", "ns1"),
            ("hostname.bind.", "ns1"),
        ],
    )
    def test_tells_what_the_operator_wants_told(self, name: str, text: str) -> None:
        """RFC 4892 section 3; as TXT and as ANY."""
        for rdtype in ("TXT", "ANY"):
            reply = dns.message.from_wire(response(request(name, rdtype, "CH"), self.SETTINGS).wire)
            assert [str(rrset) for rrset in reply.answer] == [f'{name} 0 CH TXT "{text}"']

    def test_has_no_other_types(self) -> None:
        """NODATA."""
        reply = dns.message.from_wire(response(request("version.bind.", "A", "CH"), self.SETTINGS).wire)
        assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])

    def test_refuses_what_is_not_told(self) -> None:
        """By default everything; otherwise other names, and known ones in class IN."""
        assert rcode(response(request("version.bind.", "TXT", "CH"), Settings()).wire) == "REFUSED"
        assert rcode(response(request("authors.bind.", "TXT", "CH"), self.SETTINGS).wire) == "REFUSED"
        assert rcode(response(request("version.bind.", "TXT"), self.SETTINGS).wire) == "REFUSED"


class TestAnyOptions:
    @given(
        st.lists(st.tuples(st.sampled_from([3, 9, 10, 11, 12, 15, 65001]), st.binary(max_size=48)), max_size=6),
        st.sampled_from(["example.tech.", "www.expired.example.", "example.org.", "version.bind."]),
        st.sampled_from(["SOA", "A", "TXT", "IXFR"]),
        st.sampled_from(["IN", "CH"]),
        st.booleans(),
        st.integers(0, 2**33),
    )
    def test_get_a_whole_reply_that_fits(
        self, sent: list[tuple[int, bytes]], name: str, rdtype: str, rdclass: str, tcp: bool, now: int
    ) -> None:
        """Whatever is in them, with everything switched on."""
        settings = Settings((SECRET,), True, b"n" * 128, "v" * 128, "i" * 128, True, 200)
        for client in (CLIENT, ip_address("2001:db8::1").packed):
            reply = response(request(name, rdtype, rdclass, *sent), settings, tcp=tcp, client=client, now=now).wire
            assert len(reply) <= 1232
            assert dns.message.from_wire(reply).edns == 0


class TestSettings:
    def test_refuse_what_cannot_be(self) -> None:
        """Secrets of another size, names that do not fit into every error reply."""
        with pytest.raises(ValueError, match="16 octets"):
            Settings(cookie_secrets=(b"short",))
        with pytest.raises(ValueError, match="longer than 128"):
            Settings(identity="x" * 129)


class TestResponse:
    @pytest.mark.parametrize(
        ("name", "rdtype", "sort", "subject"),
        [
            ("www.example.tech.", "A", "answer", "www.example.tech."),
            ("any.wild.example.tech.", "A", "answer", "*.wild.example.tech."),
            ("x.old.example.tech.", "CNAME", "answer", "old.example.tech."),
            ("any.wild.example.tech.", "TXT", "nodata", "example.tech."),
            ("nowhere.example.tech.", "A", "nxdomain", "example.tech."),
            ("dangling.example.tech.", "A", "nxdomain", "example.tech."),
            ("a.b.sub.example.tech.", "A", "referral", "sub.example.tech."),
            ("nowhere.example.org.", "A", "error", "."),
            ("www.expired.example.", "A", "error", "."),
        ],
    )
    def test_says_what_it_is_about(self, name: str, rdtype: str, sort: str, subject: str) -> None:
        """So that made-up names are counted as the one thing that they lead to."""
        about = response(request(name, rdtype), Settings())
        assert (about.sort.value, about.subject.to_text()) == (sort, subject)
