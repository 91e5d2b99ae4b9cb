"""Who would hear nothing when the domain is broken is told before it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.lab import plan_texts

from mailname.plan import load
from mailname.watch.dependence import dependences
from mailname.watch.settings import Settings

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
