"""Datagrams to one address share a socket."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from mailname.server import datagram_lines
from mailname.server.datagram_lines import DatagramLines
from mailname.server.network import DirectNetwork, Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class _Secondary:
    """A socket on loopback that answers what it is told to answer."""

    def __init__(self) -> None:
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.setblocking(False)
        self.at = Endpoint(ip_address("127.0.0.1"), self.udp.getsockname()[1])
        self.seen: list[tuple[bytes, tuple[str, int]]] = []

    async def take(self) -> bytes:
        message, source = await asyncio.get_running_loop().sock_recvfrom(self.udp, 512)
        self.seen.append((message, source))
        return message

    def answer(self, number: int, prefix: bytes = b"") -> None:
        message, source = self.seen[number]
        self.udp.sendto(prefix + message[:2] + b"answer to " + message[2:], source)


async def _ask(lines: DatagramLines, at: Endpoint, text: bytes, timeout: float = 5.0) -> bytes:
    return await lines.ask(DirectNetwork(), at, lambda one: one.to_bytes(2) + text, timeout=timeout)


@pytest.fixture
async def lines() -> AsyncIterator[DatagramLines]:
    made = DatagramLines()
    yield made
    made.close()


class TestDatagramLines:
    async def test_each_gets_its_own_answer_from_one_socket(self, lines: DatagramLines) -> None:
        secondary = _Secondary()
        asking = [asyncio.ensure_future(_ask(lines, secondary.at, text)) for text in (b"one", b"two", b"three")]
        for _ in asking:
            await secondary.take()
        secondary.answer(0, b"\0")  # of no id that was sent, most likely; nobody's answer
        for number in (2, 0, 1):
            secondary.answer(number)
        assert [one[2:] for one in await asyncio.gather(*asking)] == [b"answer to one", b"answer to two", b"answer to three"]
        assert len({source for _, source in secondary.seen}) == 1
        secondary.udp.close()

    async def test_silence_is_a_timeout(self, lines: DatagramLines) -> None:
        secondary = _Secondary()
        with pytest.raises(TimeoutError):
            await _ask(lines, secondary.at, b"one", 0.01)
        secondary.udp.close()

    async def test_nobody_listening_is_told_to_all(self, lines: DatagramLines) -> None:
        secondary = _Secondary()
        secondary.udp.close()
        told = await asyncio.gather(*(_ask(lines, secondary.at, b"x") for _ in range(3)), return_exceptions=True)
        assert all(isinstance(one, ConnectionRefusedError) for one in told)

    async def test_only_some_go_without_an_answer_at_once(self, lines: DatagramLines, monkeypatch: pytest.MonkeyPatch) -> None:
        """Those that wait go when others are answered."""
        monkeypatch.setattr(datagram_lines, "_AT_ONCE", 2)
        monkeypatch.setattr(datagram_lines, "_ROOM_AFTER", 60.0)
        secondary = _Secondary()
        asking = [asyncio.ensure_future(_ask(lines, secondary.at, text)) for text in (b"one", b"two", b"three")]
        await secondary.take()
        await secondary.take()
        await asyncio.sleep(0.01)
        with pytest.raises(BlockingIOError):
            secondary.udp.recvfrom(512)
        secondary.answer(0)
        assert (await secondary.take())[2:] == b"three"
        secondary.answer(1)
        secondary.answer(2)
        await asyncio.gather(*asking)
        secondary.udp.close()

    async def test_a_silent_one_gets_the_others_a_little_later(
        self, lines: DatagramLines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(datagram_lines, "_AT_ONCE", 1)
        monkeypatch.setattr(datagram_lines, "_ROOM_AFTER", 0.001)
        secondary = _Secondary()
        asking = [asyncio.ensure_future(_ask(lines, secondary.at, text)) for text in (b"one", b"two", b"three")]
        for number, _ in enumerate(asking):
            await secondary.take()
            assert not any(one.done() for one in asking)
            assert len(secondary.seen) == number + 1
        for number, _ in enumerate(asking):
            secondary.answer(number)
        await asyncio.gather(*asking)
        secondary.udp.close()

    async def test_begun_is_sent_before_anything_is_waited_for(self, lines: DatagramLines) -> None:
        secondary = _Secondary()
        answer = lines.begin(DirectNetwork(), secondary.at, lambda one: one.to_bytes(2) + b"one", 5.0)
        secondary.udp.setblocking(True)
        message, source = secondary.udp.recvfrom(512)
        secondary.udp.sendto(message, source)
        assert answer is not None
        assert (await answer)[2:] == b"one"
        secondary.udp.close()

    async def test_begun_that_nobody_waits_for_leaves_nothing(
        self, lines: DatagramLines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """But the socket, for a while."""
        monkeypatch.setattr(datagram_lines, "_KEPT", 0.01)
        secondary = _Secondary()
        answer = lines.begin(DirectNetwork(), secondary.at, lambda one: one.to_bytes(2) + b"one", 0.01)
        assert answer is not None
        await asyncio.wait([answer])
        assert isinstance(answer.exception(), TimeoutError)
        assert lines._lines
        await asyncio.sleep(0.05)
        assert not lines._lines
        secondary.udp.close()

    async def test_only_few_are_begun_besides(self, lines: DatagramLines) -> None:
        """A secondary's system takes some hundred datagrams before its server has looked at one."""
        secondary = _Secondary()
        begun = [lines.begin(DirectNetwork(), secondary.at, lambda one: one.to_bytes(2), 0.01) for _ in range(20)]
        assert [one is not None for one in begun] == [True] * 8 + [False] * 12
        await asyncio.wait([one for one in begun if one is not None])
        secondary.udp.close()
