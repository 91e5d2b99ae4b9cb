"""Transfers of which not all messages are signed: up to 99 in a row may be without, the last may not (RFC 8945 section 5.3.1)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.rrset
import pytest
from tests.server.running import APEX, PRIMARY, Site, running

from mailname.errors import TransferError
from mailname.server.asking import fetch_zone
from mailname.server.network import read_message
from mailname.transfer.actions import Peer, Transfer
from mailname.wire.tsig import StreamSigner, Verified, verify
from mailname.wire.tsig_key import make_key
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

KEY = make_key(dns.name.from_text("transfer."))
SOA = "ns2.example.tech. hostmaster.example.tech. 1 3600 600 86400 60"


def records(hosts: int) -> list[dns.rrset.RRset]:
    """Return a transfer, one record for each message."""
    soa = dns.rrset.from_text(APEX, 60, "IN", "SOA", SOA)
    ns = dns.rrset.from_text(APEX, 60, "IN", "NS", "ns2.example.tech.")
    return [
        soa,
        ns,
        *(dns.rrset.from_text(f"h{number}.example.tech.", 60, "IN", "A", "192.0.2.1") for number in range(hosts)),
        soa,
    ]


@contextlib.asynccontextmanager
async def primary(port: int, hosts: int, signs: Callable[[int, int], bool]) -> AsyncIterator[None]:
    """Run a primary that signs the messages that it is told to."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = verify(await read_message(reader), {KEY.name: KEY}, time.time())
        assert isinstance(request, Verified)
        signer, content = StreamSigner(KEY, request.mac), records(hosts)
        for number, rrset in enumerate(content):
            message = dns.message.Message(int.from_bytes(request.message[:2], "big"))
            message.flags = dns.flags.QR | dns.flags.AA
            message.answer = [rrset]
            wire = message.to_wire()
            if signs(number, len(content) - 1):
                wire = signer.sign(wire, time.time())
            else:
                assert signer._ctx is not None
                signer._ctx.update(wire)
            writer.write(len(wire).to_bytes(2, "big") + wire)
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(connected, str(PRIMARY), port)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


class TestStream:
    @pytest.mark.parametrize(
        ("hosts", "signs", "reason"),
        [
            (97, lambda number, last: number in {0, last}, None),
            (98, lambda number, last: number in {0, last}, None),
            (99, lambda number, last: number in {0, last}, "unsigned"),
            (300, lambda number, last: number % 100 == 0 or number == last, None),
            (300, lambda number, last: number % 100 == 0 and number != last, "unsigned"),
            (20, lambda number, last: number != last, "unsigned"),
        ],
        ids=["98 in a row", "99 in a row", "100 in a row", "each hundredth and the last", "never the last", "all but the last"],
    )
    async def test_is_taken_or_refused(
        self, site: Site, hosts: int, signs: Callable[[int, int], bool], reason: str | None
    ) -> None:
        """The first, the last, and at least each hundredth; else nothing of it is taken."""
        site.keys = {KEY.name: KEY}
        peer = Peer(PRIMARY, site.port, KEY.name)
        async with running(replace(site.secondary(), zones=())) as server, primary(site.port, hosts, signs):
            transfer = fetch_zone(server.context, Transfer(peer, Serial(1)), APEX)
            if reason is None:
                assert (await transfer).zone.record_count == hosts + 2
                return
            with pytest.raises(TransferError) as caught:
                await transfer
            assert caught.value.reason == reason
