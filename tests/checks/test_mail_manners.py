"""How a mail host calls itself, whether it offers what the domain promises, and how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.checks.small_world import PLAN, RESOLVER, SmallWorld, codes, look, name, verdict_of, zone_of

from mailname.checks import Severity
from mailname.checks.facts import MailProbe, Outcome
from mailname.checks.mail_name import helo_name

if TYPE_CHECKING:
    from mailname.checks import Finding

MTA_STS = """
[[record]]
name = "_mta-sts"
type = "TXT"
data = '"v=STSv1; id=1"'
[[record]]
name = "mta-sts"
type = "A"
data = "192.0.2.1"
"""
SECOND = '[[mail_host]]\nname = "{}"\npreference = {}\n{}'
OWN = 'addresses = ["192.0.2.1"]\n'


def visit(banner: str, *ehlo: str) -> MailProbe:
    return MailProbe(name("mail."), SmallWorld().plan.mail_hosts[0].addresses[0], 25, Outcome.ANSWER, True, banner, ehlo)


async def notes(world: SmallWorld) -> list[Finding]:
    verdict = verdict_of(world.plan, await look(world))
    assert verdict.verdict == "well"
    return list(verdict.notes)


def pointing_to(target: str) -> SmallWorld:
    """Return a world in which the mail host's address has this name."""
    world = SmallWorld()
    reverse = zone_of(f"$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n2 PTR {target}\n", "100.51.198.in-addr.arpa.")
    world.hosts[RESOLVER].table = world.hosts[RESOLVER].table.with_zone(reverse.apex, reverse)
    return world


class TestHeloName:
    @pytest.mark.parametrize(
        ("banner", "ehlo", "known"),
        [
            ("220 mx.example.tech ESMTP", (), "mx.example.tech."),
            ("220 mx.example.tech ESMTP", ("250-mail.example.tech at your service", "250 SIZE"), "mail.example.tech."),
            ("220 mx.example.tech", ("250 Hello",), "mx.example.tech."),
            ("220 mail ESMTP", ("250-mail",), None),
            ("220", (), None),
            (f"220 {'a' * 64}.tech ESMTP", (), None),
        ],
    )
    def test_is_read_from_ehlo_or_else_the_greeting(self, banner: str, ehlo: tuple[str, ...], known: str | None) -> None:
        """A word without a dot is no host name."""
        assert helo_name(visit(banner, *ehlo)) == (name(known) if known else None)


class TestHelo:
    async def test_that_is_the_pointer_is_well(self) -> None:
        world = pointing_to("mail.example.tech.")
        world.host("198.51.100.2").banner = "220 MAIL.example.tech ESMTP"
        assert await notes(world) == []

    async def test_that_is_another_name_is_a_note(self) -> None:
        """Both names lead to the host; some receivers still mind."""
        world = pointing_to("mail.example.tech.")
        world.host("198.51.100.2").banner = "220 vps17.provider.example ESMTP"
        assert [(one.code, one.severity) for one in await notes(world)] == [("MAIL-05", Severity.NOTE)]


class TestStarttls:
    async def test_that_is_promised_and_not_offered_is_told(self) -> None:
        world = SmallWorld(PLAN + MTA_STS)
        verdict = verdict_of(world.plan, await look(world))
        assert codes(verdict) == ("MAIL-06", ())
        assert verdict.cause is not None
        assert verdict.cause.proven


class TestMx:
    @pytest.mark.parametrize(("preference", "means"), [(10, "at random"), (20, "whenever mail.example.tech blinks")])
    async def test_of_two_hosts_is_a_note(self, preference: int, means: str) -> None:
        """By preference: one place at random, or a second one at times."""
        (note,) = await notes(SmallWorld(PLAN + SECOND.format("mx2.example.tech", preference, OWN)))
        assert note.code == "MX-06"
        assert means in note.says
