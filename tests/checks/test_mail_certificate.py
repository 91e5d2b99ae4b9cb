"""What is said of the certificate that a mail host shows after STARTTLS."""

from __future__ import annotations

import ssl
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.checks.small_world import SmallWorld, look, name, verdict_of
from tests.server.tls_certificates import Certificates

from mailname.checks import Facts, Severity
from mailname.checks.mail_certificate import is_for

if TYPE_CHECKING:
    from pathlib import Path


async def seen(folder: Path, names: str) -> tuple[SmallWorld, Facts]:
    files = Certificates(folder).make("mail", names=names, days=30)
    world = SmallWorld()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    world.host("198.51.100.2").tls = context
    return world, await look(world)


class TestCertificate:
    async def test_for_the_host_is_well_until_it_ends(self, tmp_path: Path) -> None:
        """A note two weeks before its end, a fault after it: the same facts, looked at later."""
        world, facts = await seen(tmp_path, "DNS:example.tech,DNS:mail.example.tech")
        found = []
        for days in (0, 20, 31):
            object.__setattr__(facts, "at", facts.at + timedelta(days=days))
            verdict = verdict_of(world.plan, facts)
            found.append((verdict.verdict, [(one.code, one.severity) for one in verdict.findings]))
            object.__setattr__(facts, "at", facts.at - timedelta(days=days))
        assert found == [
            ("well", []),
            ("well", [("MAIL-04", Severity.NOTE)]),
            ("fragile", [("MAIL-04", Severity.FRAGILE)]),
        ]

    async def test_for_another_name_is_a_note(self, tmp_path: Path) -> None:
        """Most senders do not look."""
        world, facts = await seen(tmp_path, "DNS:www.example.tech")
        says = [one.says for one in verdict_of(world.plan, facts).notes]
        assert says == [
            "The certificate that the mail host mail.example.tech (198.51.100.2) shows is for www.example.tech,"
            " not for mail.example.tech."
        ]

    async def test_is_kept_with_the_facts(self, tmp_path: Path) -> None:
        """So that a verdict can be made again elsewhere."""
        _, facts = await seen(tmp_path, "DNS:mail.example.tech")
        assert Facts.from_json(facts.to_json()).mail == facts.mail
        assert [visit.certificate is not None for visit in facts.mail] == [True]


class TestIsFor:
    @pytest.mark.parametrize(
        ("names", "fits"),
        [
            (("mail.example.tech",), True),
            (("MAIL.example.tech",), True),
            (("*.example.tech",), True),
            (("*.tech",), False),
            (("example.tech",), False),
            ((), False),
        ],
    )
    def test_compares_labels(self, names: tuple[str, ...], fits: bool) -> None:
        """A star stands for one label."""
        assert is_for(names, name("mail.example.tech.")) is fits
