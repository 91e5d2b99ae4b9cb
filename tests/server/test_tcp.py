"""TCP: several questions on one connection, and bounds on what one client may hold (RFC 7766)."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import time
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import dns.edns
import dns.message
import pytest
from tests.server.running import Site, free_port, running, serial_at, until, zone_text

from mailname.server import tcp
from mailname.server.network import DirectNetwork, Endpoint, read_message
from mailname.server.tcp_limits import TcpLimits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from mailname.server.config import ServerConfig


def framed(name: str = "example.tech.", rdtype: str = "SOA", message_id: int = 1, padding: int = 0) -> bytes:
    options: list[dns.edns.Option] = [dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(padding))] if padding else []
    wire = dns.message.make_query(name, rdtype, id=message_id, options=options).to_wire()
    return len(wire).to_bytes(2, "big") + wire


def large_zone(site: Site) -> ServerConfig:
    """Return the configuration of a server that lets anybody here transfer a zone of more than a megabyte."""
    site.file.write_text(zone_text(1, "\n".join(f'h{n} TXT "{"x" * 250}"' for n in range(4000))), encoding="utf-8")
    return site.primary(site.zone(notify=False, allow=(ip_network("127.0.0.0/8"),)))


async def read_ids(reader: asyncio.StreamReader) -> list[int]:
    """Return the ids of all messages until the other side ends the stream."""
    found = []
    with contextlib.suppress(EOFError):
        while True:
            found.append(int.from_bytes((await read_message(reader))[:2], "big"))
    return found


@contextlib.asynccontextmanager
async def connected(at: Endpoint) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(str(at.address), at.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class Nobody:
    """Has no answer to anything."""

    updating = None

    def on_tcp(self, wire: bytes, source: Endpoint) -> Iterator[bytes]:
        del wire, source
        return iter(())


class TestTcpListener:
    @pytest.mark.parametrize("turns", range(5))
    async def test_who_was_accepted_while_it_closes_is_sent_away(self, turns: int) -> None:
        """However far his connection had come. No socket is left behind, which pytest would tell."""
        at = Endpoint(ip_address("127.0.0.1"), free_port())
        listener = tcp.TcpListener(DirectNetwork(), at, Nobody(), TcpLimits(time.monotonic))
        await listener.start()
        clients = [socket.create_connection((str(at.address), at.port), 10.0) for _ in range(20)]
        for _ in range(turns):
            await asyncio.sleep(0)
        await listener.close()
        gc.collect()
        for client in clients:
            with client, contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""


class TestConnection:
    async def test_pipelined_questions_are_all_answered(self, site: Site) -> None:
        """Also when the client has closed its side by then. RFC 7766 section 6.2.1.1."""
        async with running(site.primary()), connected(site.primary_at) as (reader, writer):
            writer.write(b"".join(framed(message_id=number) for number in range(200)))
            writer.write_eof()
            ids = [int.from_bytes((await read_message(reader))[:2], "big") for _ in range(200)]
            assert ids == list(range(200))
            assert await reader.read() == b""

    async def test_question_behind_a_transfer_need_not_wait_for_its_end(self, site: Site) -> None:
        """Answers come as they are ready, matched by id. RFC 7766 section 6.2.1.1."""
        async with running(large_zone(site)), connected(site.primary_at) as (reader, writer):
            writer.write(framed(rdtype="AXFR", message_id=1) + framed(message_id=2) + framed("mail.example.tech.", "A", 3))
            writer.write_eof()
            ids = await read_ids(reader)
            assert ids[0] == ids[-1] == 1
            assert ids.count(2) == ids.count(3) == 1
            assert max(ids.index(2), ids.index(3)) < len(ids) - 3

    async def test_transfers_beyond_the_bound_wait_and_all_are_sent(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is asked behind them waits too: the server stops reading, and drops nothing."""
        monkeypatch.setattr(tcp, "MOST_STREAMS", 2)
        async with running(large_zone(site)), connected(site.primary_at) as (reader, writer):
            writer.write(b"".join(framed(rdtype="AXFR", message_id=number) for number in (1, 2, 3)) + framed(message_id=4))
            writer.write_eof()
            ids = await read_ids(reader)
            assert ids.count(1) == ids.count(2) == ids.count(3) > 3
            assert ids.count(4) == 1
            last = [len(ids) - 1 - ids[::-1].index(number) for number in (1, 2, 3)]
            assert min(last[:2]) < ids.index(4) < last[2]

    async def test_half_closed_client_gets_its_whole_transfer(self, site: Site) -> None:
        """Who has said all it wants to say may still listen."""
        async with running(large_zone(site)) as server, connected(site.primary_at) as (reader, writer):
            writer.write(framed(rdtype="AXFR"))
            writer.write_eof()
            octets = 0
            with contextlib.suppress(EOFError):
                while True:
                    octets += len(await read_message(reader))
            assert octets > 1_000_000
            await until(lambda: not len(server._limits))

    async def test_client_that_does_not_read_is_not_read_from(self, site: Site) -> None:
        """What it may have on the way is bounded, and when it reads on, every question has its answer."""
        site.write(1, "big TXT " + " ".join(f'"{"x" * 250}"' for _ in range(20)))
        questions = [framed("big.example.tech.", "TXT", number, padding=1000) for number in range(3000)]
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
            client.setblocking(False)
            async with running(site.primary()) as server:
                await asyncio.get_running_loop().sock_connect(client, (str(site.primary_at.address), site.port))
                reader, writer = await asyncio.open_connection(sock=client)
                writer.write(b"".join(questions))
                await until(lambda: any(server.clock.monotonic() - since > 0.5 for since in server._limits._stuck.values()))
                assert writer.transport.get_write_buffer_size() > 1_000_000, "octets that nobody takes from the client"
                ids = [int.from_bytes((await read_message(reader))[:2], "big") for _ in questions]
                assert ids == list(range(3000))
                writer.close()

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
        monkeypatch.setattr(tcp, "MESSAGE", 0.05)
        async with running(site.primary()), connected(site.primary_at) as (reader, writer):
            writer.write(sent)
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""

    async def test_slow_writer_is_sent_away(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """One octet now and then keeps no connection: a question has its time from the first octet to the last."""
        monkeypatch.setattr(tcp, "MESSAGE", 0.2)
        async with running(site.primary()), connected(site.primary_at) as (reader, writer):
            writer.write(framed())
            assert dns.message.from_wire(await read_message(reader)).answer
            ended = asyncio.create_task(reader.read())
            with contextlib.suppress(ConnectionError):
                while not ended.done():
                    writer.write(b"\1")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            with contextlib.suppress(ConnectionError):
                assert await ended == b""

    async def test_transfer_is_no_idleness(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who asks nothing while it reads a transfer is not sent away before its end, and is afterwards."""
        monkeypatch.setattr(tcp, "IDLE", 0.1)
        async with running(large_zone(site)), connected(site.primary_at) as (reader, writer):
            for number in range(1, 5):
                writer.write(framed(rdtype="AXFR", message_id=number))
            first = await read_message(reader)
            await asyncio.sleep(0.4)
            with contextlib.suppress(ConnectionResetError):
                ids = [first[1], *await read_ids(reader)]
                assert {ids.count(number) for number in range(1, 5)} == {ids.count(1)}
                assert ids.count(1) > 3

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
        async with running(large_zone(site)) as server, connected(site.primary_at) as (_, writer):
            for _ in range(20):
                writer.write(framed(rdtype="AXFR"))
            await until(lambda: len(server._limits))
            assert await serial_at(site.primary_at) == 1
            await until(lambda: not len(server._limits))
            await until(lambda: not any(listener._connections for listener in server._tcp))

    async def test_server_stops_though_a_client_does_not_read(self, site: Site) -> None:
        """Stopping does not wait for the slowest."""
        async with asyncio.timeout(20), running(large_zone(site)) as server, connected(site.primary_at) as (_, writer):
            for _ in range(20):
                writer.write(framed(rdtype="AXFR"))
            await until(lambda: len(server._limits))
            await server.stop()

    async def test_answers_that_are_not_fetched_keep_their_place(self, site: Site) -> None:
        """A client that closes its side, and does not read, still counts: or there would be no bound."""
        async with running(large_zone(site)) as server, connected(site.primary_at) as (reader, writer):
            writer.write(b"".join(framed(f"h{number}.example.tech.", "TXT") for number in range(2000)))
            writer.write_eof()
            await until(lambda: len(server._limits) == 1 and server._limits._idle)
            assert await serial_at(site.primary_at) == 1
            assert len(server._limits) == 1
            assert len(await read_ids(reader)) == 2000
            await until(lambda: not len(server._limits))

    async def test_client_that_resets_leaves_nothing(self, site: Site) -> None:
        """Its place is free again."""
        async with running(site.primary()) as server:
            for _ in range(5):
                async with connected(site.primary_at) as (_, writer):
                    writer.write(framed()[:5])
                    await writer.drain()
                    writer.transport.abort()
            await until(lambda: not len(server._limits))
            assert await serial_at(site.primary_at, tcp=True) == 1


class TestLimits:
    async def test_one_client_has_its_bound(self, site: Site) -> None:
        """One too many ends the connection of that client that has been idle longest."""
        async with running(site.primary()) as server, contextlib.AsyncExitStack() as stack:
            server._limits._most_per_client = 3
            pairs: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
            while len(pairs) < 3:
                pairs.append(await stack.enter_async_context(connected(site.primary_at)))
                await until(lambda: len(server._limits) == len(pairs))
            reader, writer = await stack.enter_async_context(connected(site.primary_at))
            with contextlib.suppress(ConnectionResetError):
                assert await pairs[0][0].read() == b""
            for still_open, asking in ((reader, writer), pairs[2]):
                asking.write(framed())
                assert dns.message.from_wire(await read_message(still_open)).answer
            assert len(server._limits) <= 3
