from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, cast

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rrset
import pytest
from tests.server.running import SECONDARY, Site, running, until

from mailname.server import holding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.server.running import Running


@contextlib.asynccontextmanager
async def acknowledging(site: Site, serial: int | None) -> AsyncIterator[None]:
    """Acknowledge every NOTIFY at the secondary's address, fetch nothing, and answer this serial; 0: SERVFAIL; None: never."""

    class Udp(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.DatagramTransport", transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            asked = dns.message.from_wire(data)
            reply = dns.message.make_response(asked)
            reply.flags |= dns.flags.AA
            if asked.opcode() != dns.opcode.NOTIFY:
                if serial is None:
                    return
                if serial == 0:
                    reply.set_rcode(dns.rcode.SERVFAIL)
                else:
                    reply.answer.append(dns.rrset.from_text("example.tech.", 60, "IN", "SOA", f"a. b. {serial} 1 1 1 1"))
            self.transport.sendto(reply.to_wire(), addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Udp, local_addr=(str(SECONDARY), site.port))
    try:
        yield
    finally:
        transport.close()


async def told_of_secondary(server: Running) -> dict[str, Any]:
    await until(lambda: server.zone_status()["secondaries"][0]["state"] == "acknowledged")
    answer = await server.obey({"do": "status"})
    found: dict[str, Any] = answer["zones"][0]["secondaries"][0]
    return found


class TestSecondaryThatDoesNotFetch:
    @pytest.mark.parametrize(("serial", "code"), [(4, "REPL-27"), (5, None), (6, "REPL-15")])
    async def test_is_asked_what_it_holds(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, serial: int, code: str | None
    ) -> None:
        """The version before: it cannot fetch; ours: it has it from elsewhere; a newer one: we went back."""
        monkeypatch.setattr(holding, "GRACE", -1.0)
        site.write(5)
        async with acknowledging(site, serial), running(site.primary()) as primary:
            told = await told_of_secondary(primary)
            assert told["holds"] == {"serial": serial, "says": ""}
            assert (told["cause"] or {}).get("code") == code

    async def test_that_does_not_serve_is_told(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """It knows of the zone, and has nothing."""
        monkeypatch.setattr(holding, "GRACE", -1.0)
        async with acknowledging(site, 0), running(site.primary()) as primary:
            told = await told_of_secondary(primary)
            assert told["holds"] == {"serial": None, "says": "answers SERVFAIL"}
            assert told["cause"]["code"] == "REPL-29"

    async def test_is_given_time(self, site: Site) -> None:
        """A version of a moment ago may be on its way."""
        async with acknowledging(site, 4), running(site.primary()) as primary:
            assert (await told_of_secondary(primary))["holds"] is None

    async def test_that_is_silent_is_not_guessed_at(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """It has acknowledged: what it holds is not known."""
        monkeypatch.setattr(holding, "GRACE", -1.0)
        monkeypatch.setattr(holding, "_TIMEOUT", 0.05)
        async with acknowledging(site, None), running(site.primary()) as primary:
            told = await told_of_secondary(primary)
            assert (told["holds"], told["cause"]) == (None, None)
