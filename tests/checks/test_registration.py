"""The registration, as the registry's RDAP server tells it over HTTP on loopback."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dns.name
import pytest
from tests.checks.small_world import SmallWorld, codes, plan_of, verdict_of

from mailname.checks import Facts, Severity, observe
from mailname.checks.observe_rdap import ask_registration
from mailname.checks.rdap import RegistrationFact
from mailname.lab.rdap import RdapServer
from mailname.view.ladder_lines import rung_lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dns.name import Name

    from mailname.checks import Verdict
    from mailname.server.network import IPAddress

DOMAIN = dns.name.from_text("example.tech.")


async def nowhere(host: Name) -> tuple[IPAddress, ...]:
    del host
    return ()


async def seen(*status: str, days: float, delegated: bool = True) -> tuple[Verdict, Facts]:
    """Look at a domain whose registration is so and ends in so many days."""
    world = SmallWorld()
    if not delegated:
        world.delegate({})
    server = RdapServer(DOMAIN, status, datetime.now(UTC) + timedelta(days=days))
    await server.start()
    try:
        async with world:
            facts = await observe(world.plan, network=world.network, world=replace(world.world(), rdap=server.url))
    finally:
        await server.stop()
    return verdict_of(world.plan, facts), facts


class TestRegistration:
    async def test_that_goes_on_is_well(self) -> None:
        verdict, facts = await seen("active", days=200)
        assert (verdict.verdict, verdict.findings) == ("well", ())
        assert facts.registration is not None
        assert facts.registration.registrar == "Registrar"

    @pytest.mark.parametrize("status", ["client hold", "clientHold", "server hold", "redemption period", "pending delete"])
    async def test_that_is_on_hold_explains_that_nothing_is_delegated(self, status: str) -> None:
        """The cause is at the registrar's, and it is proven by lifting the hold."""
        verdict, _ = await seen(status, days=200, delegated=False)
        assert (verdict.verdict, codes(verdict)) == ("broken", ("REG-01", ()))
        assert verdict.cause is not None
        assert ([one.code for one in verdict.cause.explains], verdict.cause.proven) == (["DELEG-01"], True)
        assert verdict.cause.finding.where == "registrar"

    async def test_that_ends_soon_is_told_with_the_day(self) -> None:
        verdict, facts = await seen("active", days=10)
        assert facts.registration is not None
        assert facts.registration.ends is not None
        assert [(one.code, one.severity) for one in verdict.findings] == [("REG-02", Severity.FRAGILE)]
        assert f"ends on {facts.registration.ends.date()}, in 10 days" in verdict.findings[0].says

    async def test_that_has_ended_explains_that_nothing_is_delegated(self) -> None:
        verdict, _ = await seen("active", days=-3, delegated=False)
        assert codes(verdict) == ("REG-02", ())

    async def test_stands_in_the_ladder(self) -> None:
        """Whoever asks for it sees what was told, also where all is well."""
        _, facts = await seen("active", "client transfer prohibited", days=200)
        assert facts.registration is not None
        assert facts.registration.ends is not None
        line = rung_lines("tld", plan_of(), facts)[-1]
        assert line == (
            f"registration, by {facts.registration.url}: active and client transfer prohibited,"
            f" until {facts.registration.ends.date()}, Registrar"
        )
        unknown = replace(facts, registration=RegistrationFact("http://x/", "no answer within 4 seconds"))
        assert rung_lines("tld", plan_of(), unknown)[-1] == "registration, by http://x/: not known (no answer within 4 seconds)"

    async def test_is_kept_with_the_facts(self) -> None:
        _, facts = await seen("client hold", days=10)
        assert Facts.from_json(facts.to_json()).registration == facts.registration


class TestNoAnswer:
    async def test_is_no_verdict(self) -> None:
        """A server that is down, and a domain that it does not know."""
        world = SmallWorld()
        async with world:
            facts = await observe(world.plan, network=world.network, world=replace(world.world(), rdap="http://127.0.0.1:1"))
        assert verdict_of(world.plan, facts).verdict == "well"
        assert facts.registration is not None
        assert facts.registration.problem != ""

    @pytest.mark.parametrize(
        ("says", "why"),
        [
            (b"HTTP/1.0 404 Not Found\r\n\r\n", "the registry does not know it"),
            (b"HTTP/1.0 500 Oh\r\n\r\n", "the server answers 500"),
            (b"HTTP/1.0 302 Found\r\nLocation: /there\r\n\r\n", "from one place to the next"),
            (b"HTTP/1.0 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n", "no address of the web"),
            (b"HTTP/1.0 302 Found\r\nLocation: http://nowhere.invalid/\r\n\r\n", "nowhere.invalid has no address"),
            (b"nonsense\r\n\r\n", "no answer of a web server"),
            (b"HTTP/1.0 200 OK\r\n\r\n<html>", "no JSON"),
            (b"", "could not be asked"),
        ],
    )
    async def test_says_why(self, says: bytes, why: str) -> None:
        async with web(says) as url:
            assert why in (await ask_registration(url, DOMAIN, nowhere)).problem

    async def test_is_waited_for_no_longer_than_its_time(self) -> None:
        """A server that takes the connection and says nothing."""
        async with web(None) as url:
            assert (await ask_registration(url, DOMAIN, nowhere, 0.05)).problem == "no answer within 0.05 seconds"


@asynccontextmanager
async def web(says: bytes | None) -> AsyncIterator[str]:
    """Serve one answer to everybody, or none."""
    writers = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        if says is not None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(says)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for writer in writers:
            writer.close()
        server.close()
