"""Who would hear nothing when the domain is broken is told before it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dns.name
import pytest
from tests.lab import plan_texts

from mailname.lab import Lab
from mailname.plan import load
from mailname.watch.dependence import dependences, told_domains
from mailname.watch.recipients import Recipient, recipients
from mailname.watch.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

OWN = load(plan_texts.ORDINARY, "one.toml").plan
# Another domain, whose mail host is in the first.
OTHER = load(plan_texts.FOREIGN_SERVERS.replace("example.tech", "other.example"), "two.toml").plan
OTHER = replace(OTHER, mail_hosts=OWN.mail_hosts)


def warned(to: str, server: str = "smtp.example.net", url: str | None = None) -> tuple[str, ...]:
    table = {"server": server, "from": "w@example.net", "to": (to,)}
    return dependences((OWN,), Settings.model_validate({"mail": table, **({"webhook": {"url": url}} if url else {})}))


class TestDependences:
    @pytest.mark.parametrize("to", ["me@example.org", "me@notexample.tech", "me@tech", "me@b\u00fccher.example"])
    def test_of_another_provider_are_none(self, to: str) -> None:
        assert warned(to) == ()

    @pytest.mark.parametrize("to", ["me@example.tech", "me@EXAMPLE.tech", "me@sub.example.tech"])
    def test_of_an_address_in_the_domain_are_told(self, to: str) -> None:
        (sentence,) = warned(to)
        assert sentence.startswith(f"{to} hears nothing when example.tech is broken")

    def test_of_a_server_or_a_webhook_in_it_are_told(self) -> None:
        found = warned("me@example.org", "mail.example.tech", "https://hooks.example.tech/x")
        assert [sentence.partition(" is not found")[0] for sentence in found] == [
            "The mail server mail.example.tech",
            "The webhook at hooks.example.tech",
        ]

    def test_of_an_address_whose_mail_host_is_in_it_are_told(self) -> None:
        read = Settings.model_validate({"mail": {"server": "192.0.2.9", "from": "w@example.net", "to": ("me@other.example",)}})
        about_own, about_other = dependences((OWN, OTHER), read)
        assert "its mail host mail.example.tech is in it" in about_own
        assert "it is an address in it" in about_other

    @pytest.mark.parametrize(
        ("mail_hosts", "name_servers", "why"),
        [
            (("mail.example.tech",), (), "its mail host mail.example.tech is in it"),
            (
                ("mx.example.net",),
                ("ns1.example.tech", "ns2.example.tech"),
                "the name servers of its domain have their names in it",
            ),
            (("mx.example.net",), ("ns1.example.tech", "ns.example.net"), ""),
            ((), (), ""),
        ],
    )
    def test_of_an_address_whose_domain_says_so_are_told(
        self, mail_hosts: tuple[str, ...], name_servers: tuple[str, ...], why: str
    ) -> None:
        """As its MX and NS say, which nobody wrote into a plan."""
        read = Settings.model_validate({"mail": {"server": "192.0.2.9", "from": "w@example.net", "to": ("me@EXAMPLE.org",)}})
        assert told_domains(read) == (dns.name.from_text("example.org"),)
        found = Recipient(tuple(map(dns.name.from_text, mail_hosts)), tuple(map(dns.name.from_text, name_servers)))
        sentences = dependences((OWN,), read, {dns.name.from_text("example.org"): found})
        assert [why in one for one in sentences] == ([True] if why else [])

    async def test_is_asked_of_the_resolver(self, tmp_path: Path) -> None:
        """MX and NS of each domain; where nobody answers, nothing is known."""
        async with Lab(OWN, tmp_path) as lab:
            await lab.publish()
            assert await lab.wait_for_secondaries()
            lab.register()
            resolver = lab.world.resolver
            assert resolver is not None
            found = await recipients(lab.network, resolver, (OWN.domain, dns.name.from_text("nobody.tech")))
            await lab.stop()
            assert await recipients(lab.network, resolver, (OWN.domain,)) == {OWN.domain: Recipient()}
        assert set(found[OWN.domain].mail_hosts) == {host.name for host in OWN.mail_hosts}
        assert set(found[OWN.domain].name_servers) == {server.name for server in OWN.name_servers}
        assert found[dns.name.from_text("nobody.tech")] == Recipient()
