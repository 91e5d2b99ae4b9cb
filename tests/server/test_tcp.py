"""TCP: several questions on one connection, and bounds on what one client may hold (RFC 7766)."""

from __future__ import annotations

import asyncio
import contextlib
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import dns.message
import pytest
from tests.server.running import Site, running, serial_at, until, zone_text

from mailname.server import tcp
from mailname.server.network import read_message
from mailname.server.tcp import TcpLimits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mailname.server.network import Endpoint


def framed(name: str = "example.tech.", rdtype: str = "SOA", message_id: int = 1) -> bytes:
    wire = dns.message.make_query(name, rdtype, id=message_id).to_wire()
    return len(wire).to_bytes(2, "big") + wire


@contextlib.asynccontextmanager
async def connected(at: Endpoint) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(str(at.address), at.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class TestConnection:
    async def test_pipelined_questions_are_all_answered(self, site: Site) -> None:
        """Also when the client has closed its side by then. RFC 7766 section 6.2.1.1."""
        async with running(site.primary()), connected(site.primary_at) as (reader, writer):
            writer.write(b"".join(framed(message_id=number) for number in range(200)))
            writer.write_eof()
            ids = [int.from_bytes((await read_message(reader))[:2], "big") for _ in range(200)]
            assert ids == list(range(200))
            assert await reader.read() == b""

    async def test_message_may_come_octet_by_octet(self, site: Site) -> None:
        """Segments mean nothing. RFC 7766 section 8."""
        async with running(site.primary()), connected(site.primary_at) as (reader, writer):
            for octet in framed():
                writer.write(bytes([octet]))
                await writer.drain()
                await asyncio.sleep(0)
            assert dns.message.from_wire(await read_message(reader)).answer

    @pytest.mark.parametrize("sent", [b"", b"\x00", b"\x00\x20half", b"\xff\xff"])
    async def test_silent_client_is_sent_away(self, site: Site, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that says nothing, or not all."""
        monkeypatch.setattr(tcp, "FIRST_MESSAGE", 0.05)
        async with running(site.primary()), connected(site.primary_at) as (reader, writer):
            writer.write(sent)
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""

    async def test_idle_client_is_sent_away(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """After its last answer."""
        monkeypatch.setattr(tcp, "IDLE", 0.05)
        async with running(site.primary()), connected(site.primary_at) as (reader, writer):
            writer.write(framed())
            assert dns.message.from_wire(await read_message(reader)).answer
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""

    async def test_slow_reader_is_cut_off(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """It cannot hold a transfer, its memory and its place for ever; others are served meanwhile."""
        monkeypatch.setattr(tcp, "SLOW_READER", 0.1)
        site.file.write_text(zone_text(1, "\n".join(f'h{n} TXT "{"x" * 250}"' for n in range(4000))), encoding="utf-8")
        zone = site.zone(notify=False, allow=(ip_network("127.0.0.0/8"),))
        async with running(site.primary(zone)) as server, connected(site.primary_at) as (_, writer):
            for _ in range(20):
                writer.write(framed(rdtype="AXFR"))
            await until(lambda: server._limits._clients)
            assert await serial_at(site.primary_at) == 1
            await until(lambda: not server._limits._clients)
            await until(lambda: not any(listener._connections for listener in server._tcp))

    async def test_server_stops_though_a_client_does_not_read(self, site: Site) -> None:
        """Stopping does not wait for the slowest."""
        site.file.write_text(zone_text(1, "\n".join(f'h{n} TXT "{"x" * 250}"' for n in range(4000))), encoding="utf-8")
        zone = site.zone(notify=False, allow=(ip_network("127.0.0.0/8"),))
        async with asyncio.timeout(20), running(site.primary(zone)) as server, connected(site.primary_at) as (_, writer):
            for _ in range(20):
                writer.write(framed(rdtype="AXFR"))
            await until(lambda: server._limits._clients)
            await server.stop()

    async def test_client_that_resets_leaves_nothing(self, site: Site) -> None:
        """Its place is free again."""
        async with running(site.primary()) as server:
            for _ in range(5):
                async with connected(site.primary_at) as (_, writer):
                    writer.write(framed()[:5])
                    await writer.drain()
                    writer.transport.abort()
            await until(lambda: not server._limits._clients)
            assert await serial_at(site.primary_at, tcp=True) == 1


class TestLimits:
    async def test_one_client_has_its_bound(self, site: Site) -> None:
        """One too many ends the connection of that client that has been idle longest."""
        async with running(site.primary()) as server, contextlib.AsyncExitStack() as stack:
            server._limits._most_per_client = 3
            pairs: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
            while len(pairs) < 3:
                pairs.append(await stack.enter_async_context(connected(site.primary_at)))
                await until(lambda: server._limits._clients.total() == len(pairs))
            reader, writer = await stack.enter_async_context(connected(site.primary_at))
            with contextlib.suppress(ConnectionResetError):
                assert await pairs[0][0].read() == b""
            for still_open, asking in ((reader, writer), pairs[2]):
                asking.write(framed())
                assert dns.message.from_wire(await read_message(still_open)).answer
            assert server._limits._clients.total() <= 3

    def test_all_together_have_theirs(self) -> None:
        """And a place that is left is free again."""
        limits = TcpLimits(most=2, most_per_client=2)
        one, other = ip_address("192.0.2.1"), ip_address("192.0.2.2")
        with limits.admit(one) as first, limits.admit(other) as second, limits.admit(ip_address("192.0.2.3")) as third:
            assert (first, second, third) == (True, True, False)
        with limits.admit(one) as again:
            assert again
        assert not limits._clients
