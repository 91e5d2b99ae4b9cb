"""The mail host's certificate against its TLSA records, in signed zones and others."""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING

import pytest
from tests.checks.small_world import SmallWorld, codes, edited, look, signatures, verdict_of
from tests.checks.test_explain import A1, A2, DS, KEY, NS1, NS2, TAG
from tests.server.tls_certificates import Certificates

from mailname.checks import Facts, Severity
from mailname.wire.certificate import read_certificate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from mailname.checks import Verdict

    Seen = Callable[..., Awaitable[tuple[Verdict, Facts]]]

OWNER = "_25._tcp.mail"


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    """Return a function that looks at a world with such a TLSA record."""
    files = Certificates(tmp_path).make("mail", names="DNS:mail.example.tech", days=30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    text = begin + files.certificate.read_text().partition(begin)[2].partition(end)[0] + end + "\n"
    digest = hashlib.sha256(read_certificate(ssl.PEM_cert_to_DER_cert(text)).public_key).hexdigest()

    async def look_with(record: str, *, signed: bool = True, tls: bool = True) -> tuple[Verdict, Facts]:
        world = SmallWorld()
        if tls:
            world.host("198.51.100.2").tls = context
        key = f"@ DNSKEY {KEY}\n{signatures(TAG)}\n" if signed else ""
        world.zone = edited(world.zone, add=f"{key}{OWNER} TLSA {record.format(digest)}\n")
        world.serve(world.zone)
        if signed:
            world.delegate({NS1: (A1,), NS2: (A2,)}, f"example.tech. DS {DS}")
        facts = await look(world)
        return verdict_of(world.plan, facts), facts

    return look_with


class TestTlsa:
    async def test_that_fits_is_well(self, seen: Seen) -> None:
        verdict, facts = await seen("3 1 1 {}")
        assert (verdict.verdict, verdict.findings) == ("well", ())
        assert Facts.from_json(facts.to_json()).mail == facts.mail

    @pytest.mark.parametrize(
        ("record", "tls", "why"),
        [
            ("3 1 1 " + "00" * 32, True, "shows a certificate that fits none of them"),
            ("3 1 1 {}", False, "does not offer STARTTLS"),
        ],
    )
    async def test_that_does_not_fit_is_told(self, seen: Seen, record: str, tls: bool, why: str) -> None:
        """Proven by taking the records away."""
        verdict, _ = await seen(record, tls=tls)
        assert codes(verdict) == ("DANE-01", ())
        assert verdict.cause is not None
        assert (why in verdict.cause.finding.says, verdict.cause.proven) == (True, True)

    @pytest.mark.parametrize("record", ["3 1 1 {}", "3 1 1 " + "00" * 32])
    async def test_in_a_zone_that_is_not_signed_is_a_note(self, seen: Seen, record: str) -> None:
        """Nobody looks at it, whether it fits or not."""
        verdict, _ = await seen(record, signed=False)
        assert [(one.code, one.severity) for one in verdict.findings] == [("DANE-02", Severity.NOTE)]
        assert ("fits none" in verdict.findings[0].says) is ("00" in record)

    async def test_that_is_not_for_mail_is_left_aside(self, seen: Seen) -> None:
        """Usage 1 (RFC 7672 section 3.1.3)."""
        verdict, _ = await seen("1 1 1 " + "00" * 32)
        assert verdict.verdict == "well"
