from __future__ import annotations

from typing import TYPE_CHECKING

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from tests.server.fake_primary import fake_primary, zone_answer
from tests.server.running import Site, running, until

from mailname.server import soa_question

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDS = (
    "example.tech. 60 IN NS ns1.example.net.",
    "example.tech. 3600 IN SOA ns2.example.tech. hostmaster.example.tech. 7 3600 1 86400 60",
)


def told(code: int, text: str | None = None) -> dns.edns.EDEOption:
    return dns.edns.EDEOption(dns.edns.EDECode.make(code), text)


def failing(rcode: dns.rcode.Rcode, *options: dns.edns.Option) -> Callable[[bytes, bool], bytes]:
    """Return a primary that answers nothing but this."""

    def answer(query: bytes, tcp: bool) -> bytes:
        del tcp
        reply = dns.message.make_response(dns.message.from_wire(query))
        reply.set_rcode(rcode)
        reply.use_edns(0, options=list(options))
        return reply.to_wire()

    return answer


class TestPrimaryWithoutEdns:
    @pytest.mark.parametrize("rcode", [dns.rcode.FORMERR, dns.rcode.NOTIMP])
    async def test_that_says_so_is_asked_without(self, site: Site, rcode: dns.rcode.Rcode) -> None:
        """RFC 6891 section 7."""

        def answer(query: bytes, tcp: bool) -> bytes:
            if dns.message.from_wire(query).edns < 0:
                return zone_answer(query, tcp, *RECORDS)
            return bytes((*query[:2], 0x80, rcode, *bytes(8)))

        async with fake_primary(site, answer), running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 7)

    async def test_that_is_silent_is_asked_without(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """A packet filter drops what has an OPT record: the second try has none."""
        monkeypatch.setattr(soa_question, "UDP_TIMEOUT", 0.1)

        def answer(query: bytes, tcp: bool) -> bytes | None:
            return None if dns.message.from_wire(query).edns >= 0 else zone_answer(query, tcp, *RECORDS)

        async with fake_primary(site, answer), running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 7)


class TestExtendedError:
    @pytest.mark.parametrize(
        ("rcode", "options", "reason", "says"),
        [
            (dns.rcode.SERVFAIL, [told(24)], "primary-expired", "answered SERVFAIL (Invalid Data)"),
            (dns.rcode.SERVFAIL, [told(14, "wait")], "servfail", "answered SERVFAIL (Not Ready) to"),
            (dns.rcode.SERVFAIL, [], "servfail", "answered SERVFAIL to"),
            (dns.rcode.REFUSED, [told(20)], "no-zone", "answered REFUSED (Not Authoritative)"),
            (dns.rcode.REFUSED, [told(18)], "refused", "answered REFUSED (Prohibited)"),
            (dns.rcode.REFUSED, [told(65000), told(20)], "no-zone", "(extended error 65000)"),
            (dns.rcode.SERVFAIL, [dns.edns.GenericOption(dns.edns.OptionType.EDE, b"\x00")], "malformed", "cannot be read"),
        ],
    )
    async def test_names_the_reason(
        self, site: Site, rcode: dns.rcode.Rcode, options: list[dns.edns.Option], reason: str, says: str
    ) -> None:
        """RFC 8914: the rcode alone does not tell whether the zone is missing, has expired, or is not loaded yet."""
        async with fake_primary(site, failing(rcode, *options)), running(site.secondary()) as secondary:
            await until(lambda: secondary.zone_status()["last_failure"])
            failed = secondary.zone_status()["last_failure"]
            assert (failed["reason"], says in failed["says"]) == (reason, True), failed
