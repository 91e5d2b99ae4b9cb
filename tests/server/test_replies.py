"""What a running server adds to answers: cookies, reasons, limits of rate; and how its configuration says so."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import pytest
from tests.server.running import APEX, zone_text

from mailname.answer import Settings
from mailname.answer.rate_limit import RateLimit, RateLimiter
from mailname.errors import PlanError
from mailname.server.clock import ShiftedClock
from mailname.server.config import ZoneConfig
from mailname.server.config_file import load_config
from mailname.server.context import Context
from mailname.server.dispatch import Dispatcher, offered
from mailname.server.network import DirectNetwork, Endpoint
from mailname.server.primary_zone import PrimaryZone
from mailname.server.secondary_zone import SecondaryZone
from mailname.transfer.actions import Peer
from mailname.wire.tsig import sign
from mailname.wire.tsig_key import make_key
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from pathlib import Path

CLIENT = Endpoint(ip_address("203.0.113.9"), 1053)
COPY = dns.name.from_text("copy.test.")
KEY = make_key(dns.name.from_text("transfer.example.tech."))
HEAD = 'listen = ["127.0.0.1:5300"]\nstate = "state"\n'


def dispatcher(limit: RateLimit | None = None) -> Dispatcher:
    context = Context(DirectNetwork(), ShiftedClock(), (), {KEY.name: KEY}, None, lambda _: None)
    secondary = SecondaryZone(ZoneConfig(COPY, "secondary", primaries=(Peer(CLIENT.address),)), context)
    zones = {APEX: PrimaryZone(ZoneConfig(APEX, "primary"), context), COPY: secondary}
    context.serve(APEX, read_zone(zone_text(7), "x", APEX).zone)
    context.serve(COPY, read_zone(zone_text(7).replace("example.tech", "copy.test"), "x", COPY).zone)
    rates = RateLimiter(limit or RateLimit(responses_per_second=2, slip=2, exempt=()))
    return Dispatcher(context, zones, rates=rates)  # type: ignore[arg-type]  # a dict of Name is one of object


def query(name: str, rdtype: str, *options: tuple[int, bytes]) -> bytes:
    made = dns.message.make_query(name, rdtype)
    sent: list[dns.edns.Option] = [dns.edns.GenericOption(dns.edns.OptionType.make(code), data) for code, data in options]
    made.use_edns(0, payload=1232, options=sent)
    return made.to_wire()


def options(wire: bytes | None) -> dict[int, bytes]:
    assert wire is not None
    return {int(option.otype): option.to_wire() or b"" for option in dns.message.from_wire(wire).options}


class TestRates:
    def test_too_many_like_replies_are_dropped_or_truncated(self) -> None:
        """Two a second, then silence and TC in turn; the question comes back, so that an honest client comes by TCP."""
        one, asked = dispatcher(), query("example.tech.", "SOA")
        replies = [one.on_udp(asked, CLIENT) for _ in range(6)]
        assert [reply is None for reply in replies] == [False, False, True, False, True, False]
        assert replies[3] is not None
        slipped = dns.message.from_wire(replies[3])
        assert (slipped.flags & dns.flags.TC != 0, slipped.answer, len(slipped.question)) == (True, [], 1)

    def test_tcp_signed_questions_and_known_clients_are_not_limited(self) -> None:
        """Nobody forges those."""
        one = dispatcher()
        cookie = options(one.on_udp(query("example.tech.", "SOA", (10, b"8 octets")), CLIENT))[10]
        plain = query("example.tech.", "SOA")
        shown = query("example.tech.", "SOA", (10, cookie))
        signed = sign(plain, KEY, one.context.clock.wall())[0]
        for _ in range(10):
            assert one.on_udp(shown, CLIENT) is not None
            assert one.on_udp(signed, CLIENT) is not None
            assert list(one.on_tcp(plain, CLIENT))

    def test_are_generous_unless_told_otherwise(self) -> None:
        """Two hundred like replies to one network within a second are no resolver's."""
        one, asked = dispatcher(RateLimit()), query("example.tech.", "SOA")
        assert all(one.on_udp(asked, CLIENT) for _ in range(200))


class TestOffers:
    def test_are_cookies_reasons_and_keepalive(self) -> None:
        """Every server of ours; what names it only where the operator wants."""
        settings = offered(Settings(nsid=b"ns1"))
        assert [len(secret) for secret in settings.cookie_secrets] == [16]
        assert (settings.extended_errors, settings.keepalive, settings.nsid) == (True, 200, b"ns1")
        kept = replace(settings, cookie_secrets=(bytes(16),))
        assert offered(kept).cookie_secrets == (bytes(16),)

    def test_say_why_a_question_is_refused(self) -> None:
        """Not Authoritative, and Prohibited for a transfer (RFC 8914 sections 4.21 and 4.19)."""
        one = dispatcher()
        assert options(one.on_udp(query("example.org.", "A"), CLIENT)) == {15: b"\0\x14"}
        assert options(next(one.on_tcp(query("example.tech.", "AXFR"), CLIENT))) == {15: b"\0\x12"}

    @pytest.mark.parametrize(("left", "told"), [(None, 1209600), (100.5, 100), (-5.0, 0)])
    def test_say_when_a_copy_expires(self, left: float | None, told: int) -> None:
        """RFC 7314 section 3.3; what the SOA says as long as nothing else is known."""
        one = dispatcher()
        zone = one.zones[COPY]
        assert isinstance(zone, SecondaryZone)
        now = one.context.clock.monotonic()
        zone.logic.expire_at = None if left is None else now + left + 0.4
        wire = one.on_udp(query("copy.test.", "SOA", (9, b"")), CLIENT)
        assert wire is not None
        soa = dns.message.from_wire(wire).answer[0][0]
        expected = soa.expire if left is None else told
        assert int.from_bytes(options(wire)[9], "big") == expected

    def test_say_when_ours_expires_at_others(self) -> None:
        """A primary tells its SOA's EXPIRE."""
        wire = dispatcher().on_udp(query("example.tech.", "SOA", (9, b"")), CLIENT)
        assert wire is not None
        assert int.from_bytes(options(wire)[9], "big") == dns.message.from_wire(wire).answer[0][0].expire


class TestConfiguration:
    def test_has_defaults(self, tmp_path: Path) -> None:
        """Limits on, names off."""
        config = load_config(HEAD, str(tmp_path / "server.toml"))
        assert (config.rate_limit, config.replies) == (RateLimit(), Settings())

    def test_is_read(self, tmp_path: Path) -> None:
        """Every key."""
        text = HEAD + (
            "[rate_limit]\nresponses_per_second = 50\nslip = 1\nwindow = 5\nipv4_prefix = 32\nipv6_prefix = 64\n"
            'exempt = ["192.0.2.0/24"]\n'
            '[replies]\nnsid = "ns1"\nversion = "none of your business"\nidentity = "ns1"\nrequire_cookies = true\n'
        )
        config = load_config(text, str(tmp_path / "server.toml"))
        assert config.rate_limit == RateLimit(50, 5, 1, 32, 64, (ip_network("192.0.2.0/24"),))
        assert config.replies == Settings(nsid=b"ns1", version="none of your business", identity="ns1", require_cookies=True)

    def test_is_refused_with_a_place(self, tmp_path: Path) -> None:
        """As the other tables."""
        text = HEAD + "[rate_limit]\nresponses_per_secnd = 50\nslip = 101\n"
        with pytest.raises(PlanError) as caught:
            load_config(text, str(tmp_path / "server.toml"))
        told = [(mistake.at.line, mistake.remedy) for mistake in caught.value.mistakes]
        assert told == [(4, "Did you mean 'responses_per_second'?"), (5, "Correct it.")]

    def test_exempts_a_few_networks(self, tmp_path: Path) -> None:
        """Each answer looks through them: more than 32 are refused here, with a place, not when the server starts."""
        networks = [f'"192.0.{number}.0/24"' for number in range(33)]
        text = HEAD + "[rate_limit]\nexempt = [{}]\n"
        assert len(load_config(text.format(", ".join(networks[:32])), str(tmp_path / "x.toml")).rate_limit.exempt) == 32
        with pytest.raises(PlanError) as caught:
            load_config(text.format(", ".join(networks)), str(tmp_path / "x.toml"))
        assert [mistake.at.line for mistake in caught.value.mistakes] == [4]
