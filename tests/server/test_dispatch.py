"""Dispatch: nothing that arrives raises; each kind of request gets what is due."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from dns.rdatatype import RdataType
from hypothesis import example, given
from hypothesis import strategies as st
from tests.server.running import APEX, zone_text

from mailname.answer import Unserved
from mailname.server.clock import ShiftedClock
from mailname.server.config import ZoneConfig
from mailname.server.context import Context
from mailname.server.dispatch import Dispatcher
from mailname.server.network import DirectNetwork, Endpoint
from mailname.server.primary_zone import PrimaryZone
from mailname.server.secondary_zone import SecondaryZone
from mailname.transfer.actions import Peer
from mailname.transfer.notify import message as notify_message
from mailname.wire.tsig import sign
from mailname.wire.tsig_key import make_key
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.zone import Zone

STRANGER = Endpoint(ip_address("203.0.113.9"), 1053)
FRIEND = Endpoint(ip_address("192.0.2.1"), 1053)
COPY = dns.name.from_text("copy.test.")
DOWN = dns.name.from_text("down.test.")
NEW = dns.name.from_text("new.test.")
KEY = make_key(dns.name.from_text("transfer.example.tech."))
ZONE = read_zone(zone_text(7, 'big TXT "' + '" "'.join(["x" * 250] * 6) + '"'), "x", APEX).zone
LARGE = "\n".join(f'h{n} TXT "{"x" * 200}"' for n in range(400))


def dispatcher(zone: Zone = ZONE) -> Dispatcher:
    """Return a server's dispatcher: one zone it is primary of, a copy, one that is down, one that is only being loaded."""
    context = Context(DirectNetwork(), ShiftedClock(), (), {KEY.name: KEY}, None, lambda _: None)
    secondary = SecondaryZone(ZoneConfig(COPY, "secondary", primaries=(Peer(FRIEND.address),)), context)
    # It is not started, so that a NOTIFY starts nothing: no loop runs here.
    zones: dict[Name, PrimaryZone | SecondaryZone] = {
        APEX: PrimaryZone(ZoneConfig(APEX, "primary", allow_transfer=(ip_network("192.0.2.0/24"),)), context),
        COPY: secondary,
        DOWN: PrimaryZone(ZoneConfig(DOWN, "primary", allow_transfer=(ip_network("192.0.2.0/24"),)), context),
        NEW: PrimaryZone(ZoneConfig(NEW, "primary", allow_transfer=(ip_network("192.0.2.0/24"),)), context),
    }
    context.serve(APEX, zone)
    context.serve(COPY, Unserved("not transferred yet"))
    context.serve(DOWN, Unserved("not loaded"))
    return Dispatcher(context, zones)


def query(name: str, rdtype: str, serial: int | None = None, rdclass: str = "IN") -> bytes:
    made = dns.message.make_query(name, rdtype, rdclass, use_edns=False, id=1)
    made.flags = dns.flags.Flag(0)
    if serial is not None:
        made.authority.append(dns.rrset.from_text(APEX, 0, "IN", "SOA", f"a. b. {serial} 0 0 0 0"))
    return made.to_wire()


def udp(wire: bytes, source: Endpoint = STRANGER) -> dns.message.Message:
    reply = dispatcher().on_udp(wire, source)
    assert reply is not None
    return dns.message.from_wire(reply)


def tcp(wire: bytes, source: Endpoint = STRANGER) -> list[dns.message.Message]:
    return [dns.message.from_wire(reply, one_rr_per_rrset=True) for reply in dispatcher().on_tcp(wire, source)]


class TestTransfer:
    @pytest.mark.parametrize("rdtype", ["AXFR", "IXFR"])
    def test_to_a_stranger_is_refused_and_remembered(self, rdtype: str) -> None:
        """By default nobody may; the status tells who tried."""
        one = dispatcher()
        (reply,) = one.on_tcp(query("example.tech.", rdtype, 1 if rdtype == "IXFR" else None), STRANGER)
        assert dns.message.from_wire(reply).rcode() == dns.rcode.REFUSED
        refused = one.zones[APEX].secondaries.rules.refused[0]
        assert (refused.source, refused.reason) == ("203.0.113.9", "refused")

    def test_to_a_friend_is_the_whole_zone(self) -> None:
        """The SOA first and last. RFC 5936 section 2.2."""
        (reply,) = tcp(query("example.tech.", "AXFR"), FRIEND)
        assert len(reply.answer) == ZONE.record_count + 1
        assert reply.answer[0] == reply.answer[-1]

    @pytest.mark.parametrize(("held", "records"), [(6, ZONE.record_count + 1), (7, 1), (8, 1)])
    def test_ixfr_by_tcp_is_the_whole_zone_or_nothing_new(self, held: int, records: int) -> None:
        """RFC 1995 section 4: a server without history answers with the zone; who has the newest gets the SOA."""
        (reply,) = tcp(query("example.tech.", "IXFR", held), FRIEND)
        assert (len(reply.answer), reply.question[0].rdtype) == (records, RdataType.IXFR)
        assert not reply.additional

    def test_ixfr_without_a_serial_is_the_whole_zone(self) -> None:
        """The client does not say what it holds."""
        assert len(tcp(query("example.tech.", "IXFR"), FRIEND)[0].answer) == ZONE.record_count + 1

    @pytest.mark.parametrize("held", [6, 7])
    def test_ixfr_by_udp_is_the_soa(self, held: int) -> None:
        """The client sees a newer serial and asks by TCP. RFC 1995 section 2."""
        reply = udp(query("example.tech.", "IXFR", held), FRIEND)
        assert [rrset.rdtype for rrset in reply.answer] == [RdataType.SOA]

    def test_axfr_by_udp_is_formerr(self) -> None:
        """RFC 5936 section 4.2."""
        assert udp(query("example.tech.", "AXFR"), FRIEND).rcode() == dns.rcode.FORMERR

    @pytest.mark.parametrize(
        ("name", "rdclass", "rcode"),
        [
            ("other.test.", "IN", "NOTAUTH"),
            ("www.example.tech.", "IN", "NOTAUTH"),
            ("example.tech.", "CH", "NOTAUTH"),
            ("down.test.", "IN", "SERVFAIL"),
            ("new.test.", "IN", "SERVFAIL"),
        ],
    )
    def test_of_what_is_not_there(self, name: str, rdclass: str, rcode: str) -> None:
        """No apex of ours; one of ours that is not served, or not loaded yet."""
        (reply,) = tcp(query(name, "AXFR", rdclass=rdclass), FRIEND)
        assert dns.rcode.to_text(reply.rcode()) == rcode

    def test_signed_stream_is_signed_throughout(self) -> None:
        """Each message, and each fits with its signature."""
        zone = read_zone(zone_text(7, LARGE), "x", APEX).zone
        one = dispatcher(zone)
        one.zones[APEX].secondaries.rules.secondaries = (Peer(STRANGER.address, 53, KEY.name),)
        wire, mac = sign(query("example.tech.", "AXFR"), KEY, one.context.clock.wall())
        replies = list(one.on_tcp(wire, STRANGER))
        assert len(replies) == 6
        ctx = None
        for reply in replies:
            assert len(reply) <= 65535
            ctx = dns.message.from_wire(
                reply, keyring={KEY.name: KEY}, request_mac=mac, xfr=True, multi=True, tsig_ctx=ctx, one_rr_per_rrset=True
            ).tsig_ctx

    def test_record_that_fits_no_message_ends_the_transfer(self, caplog: pytest.LogCaptureFixture) -> None:
        """Nothing that TCP cannot carry is ever handed to it."""
        text = zone_text(7, "big TXT " + " ".join(['"' + "x" * 255 + '"'] * 255) + ' "' + "x" * 240 + '"')
        one = dispatcher(read_zone(text, "x", APEX).zone)
        assert all(len(reply) <= 65535 for reply in one.on_tcp(query("example.tech.", "AXFR"), FRIEND))
        assert "too large" in caplog.text


class TestSignedQuestion:
    def test_gets_a_signed_answer(self) -> None:
        """Whoever it comes from."""
        one = dispatcher()
        wire, mac = sign(query("example.tech.", "SOA"), KEY, one.context.clock.wall())
        reply = one.on_udp(wire, STRANGER)
        assert reply is not None
        assert dns.message.from_wire(reply, keyring={KEY.name: KEY}, request_mac=mac).had_tsig

    def test_answer_leaves_room_for_the_signature(self) -> None:
        """A truncated answer with its signature is no longer than any other by UDP."""
        one = dispatcher()
        made = dns.message.make_query("big.example.tech.", "TXT", use_edns=0, payload=4096)
        wire, mac = sign(made.to_wire(), KEY, one.context.clock.wall())
        reply = one.on_udp(wire, STRANGER)
        assert reply is not None
        assert len(reply) <= 1232
        assert dns.message.from_wire(reply, keyring={KEY.name: KEY}, request_mac=mac).flags & dns.flags.TC

    def test_signature_of_nobody_is_notauth(self) -> None:
        """With BADKEY inside, and remembered where it is about a transfer. RFC 8945 section 5.2.1."""
        one = dispatcher()
        wire, _ = sign(query("example.tech.", "AXFR"), make_key(dns.name.from_text("nobody.")), one.context.clock.wall())
        (reply,) = one.on_tcp(wire, FRIEND)
        assert dns.message.from_wire(reply, keyring=False).rcode() == dns.rcode.NOTAUTH
        assert one.zones[APEX].secondaries.rules.refused[0].reason == "badkey"

    def test_signature_that_cannot_be_read_is_formerr(self) -> None:
        """RFC 8945 section 5.2."""
        plain = query("example.tech.", "SOA")
        wire = plain[:10] + b"\x00\x01" + plain[12:] + b"\x00\x00\xfa\x00\xff" + bytes(4) + b"\x00\x02ab"
        reply = dispatcher().on_udp(wire, STRANGER)
        assert reply is not None
        assert reply[3] & 0xF == dns.rcode.FORMERR


class TestStrangers:
    def test_cannot_fill_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        """A few lines per network and minute."""
        one = dispatcher()
        for _ in range(100):
            list(one.on_tcp(query("example.tech.", "AXFR"), STRANGER))
        assert len(caplog.records) == one.strangers.lines

    @pytest.mark.parametrize(("name", "rcode"), [("other.test.", "REFUSED"), ("down.test.", "SERVFAIL"), (".", "REFUSED")])
    def test_get_no_more_than_what_is_ours(self, name: str, rcode: str) -> None:
        """No recursion, ever."""
        assert dns.rcode.to_text(udp(query(name, "A")).rcode()) == rcode

    def test_update_that_is_not_taken_by_updating_is_refused(self) -> None:
        """Updates are ``Updating``'s; this way there is none for them."""
        made = dns.message.make_query("example.tech.", "SOA", id=1)
        made.set_opcode(dns.opcode.UPDATE)
        reply = dispatcher().on_udp(made.to_wire(), STRANGER)
        assert reply is not None
        assert reply[3] & 0xF == dns.rcode.REFUSED

    def test_responses_are_met_with_silence(self) -> None:
        """Or two servers could talk for ever."""
        made = bytearray(query("example.tech.", "SOA"))
        made[2] |= 0x80
        assert dispatcher().on_udp(bytes(made), STRANGER) is None


NOW = ShiftedClock().wall()
TEMPLATES = [
    query("example.tech.", "SOA"),
    query("www.example.tech.", "A"),
    query("example.tech.", "AXFR"),
    query("example.tech.", "IXFR", 6),
    query("copy.test.", "AXFR"),
    query("new.test.", "IXFR", 1),
    dns.message.make_query("example.tech.", "MX", use_edns=0, payload=512, want_dnssec=True, id=1).to_wire(),
    notify_message(ZONE, 1),
    notify_message(read_zone(zone_text(1), "x", COPY).zone, 1),
]
TEMPLATES += [sign(wire, KEY, NOW)[0] for wire in TEMPLATES]
TEMPLATES += [sign(wire, make_key(KEY.name), NOW)[0] for wire in TEMPLATES[:4]]
DISPATCHER = dispatcher()


@st.composite
def nearly_requests(draw: st.DrawFn) -> bytes:
    """Spoil a valid request: some octets replaced, cut out or doubled."""
    wire = draw(st.sampled_from(TEMPLATES))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(wire)))
        until = at + draw(st.sampled_from([0, 1, 1, 2, 4, 11]))
        wire = wire[:at] + draw(st.one_of(st.binary(max_size=4), st.just(wire[at:until] * 2))) + wire[until:]
    return wire


class TestAnyOctets:
    @given(st.one_of(st.binary(max_size=300), nearly_requests()), st.sampled_from([STRANGER, FRIEND]))
    @example(bytes.fromhex("0000200000010000000000000463 6f70790474657374 00 0006 0001"), FRIEND)  # a NOTIFY that is taken
    def test_never_raise(self, wire: bytes, source: Endpoint) -> None:
        """And what goes back is a response with the request's id, or nothing."""

        async def answered() -> tuple[bytes | None, list[bytes]]:  # what a NOTIFY brings is noted a little later
            return DISPATCHER.on_udp(wire, source), [*DISPATCHER.on_tcp(wire, source)]

        reply, replies = asyncio.run(answered())
        for one in [*replies, *([reply] if reply is not None else [])]:
            assert one[:2] == wire[:2]
            assert one[2] & 0x80
            assert len(one) <= 65535
        assert reply is None or len(reply) <= 1232
