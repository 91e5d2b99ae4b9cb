"""Cookies that BIND, Knot and NSD make with a secret are good with us, and ours with them: they may share an address."""

from __future__ import annotations

from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.edns
import dns.message
import dns.rcode
import pytest
from tests.interop.real_servers import LOOPBACK, Bind, Knot, Nsd, PrimaryZone, RealServer

from mailname.wire.cookie import examine, server_cookie

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = bytes(range(16))
MINE = b"8 octets"
CLIENT = ip_address(LOOPBACK).packed
ZONE = [PrimaryZone("example.tech.", "$ORIGIN example.tech.\n@ 60 SOA a. b. 1 2 3 4 5\n@ 60 NS a.\n")]
ALL = ["BIND", "Knot", "NSD"]


class KnotWithCookies(Knot):
    """Knot with the module that it has for cookies, on for all zones."""

    def _configure(self) -> None:
        super()._configure()
        config = self.folder / "knot.conf"
        switch = "template:\n  - id: default\n"
        config.write_text(config.read_text().replace(switch, f"{switch}    global-module: mod-cookies/one\n"))


@contextmanager
def running(name: str) -> Iterator[RealServer]:
    secret = SECRET.hex()
    servers: dict[str, Callable[[], RealServer]] = {
        "BIND": lambda: Bind(ZONE, options=f'cookie-algorithm siphash24; cookie-secret "{secret}"; require-server-cookie yes;'),
        "Knot": lambda: KnotWithCookies(ZONE, options=f"mod-cookies:\n  - id: one\n    secret: 0x{secret}"),
        "NSD": lambda: Nsd(ZONE, options=f"answer-cookie: yes\n  cookie-secret: {secret}"),
    }
    with servers[name]() as server:
        yield server


def ask(server: RealServer, cookie: bytes) -> dns.message.Message:
    query = dns.message.make_query("example.tech.", "SOA")
    query.use_edns(0, payload=1232, options=[dns.edns.GenericOption(dns.edns.OptionType.COOKIE, cookie)])
    return server.ask(query)


def cookie_of(reply: dns.message.Message) -> bytes:
    found = [option.to_wire() for option in reply.options if option.otype == dns.edns.OptionType.COOKIE]
    assert len(found) == 1
    assert isinstance(found[0], bytes)
    return found[0]


class TestCookies:
    @pytest.mark.parametrize("name", ALL)
    def test_of_others_are_good_with_us_and_ours_with_them(self, name: str) -> None:
        """RFC 9018: the same secret makes the same cookie, whoever makes it."""
        with running(name) as server:
            theirs = cookie_of(ask(server, MINE))
            made_at = int.from_bytes(theirs[12:16], "big")
            found = examine(theirs, CLIENT, (SECRET,), made_at)
            assert found is not None
            assert found.verified
            ours = MINE + server_cookie(MINE, CLIENT, SECRET, made_at)
            assert ours == theirs
            reply = ask(server, ours)
            assert (reply.rcode(), len(reply.answer)) == (dns.rcode.NOERROR, 1)
