"""NOTIFYs to one address share a socket."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

import pytest

from mailname.server import notify_line
from mailname.server.network import DirectNetwork, Endpoint
from mailname.server.notify_line import NotifyLines


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


async def _ask(lines: NotifyLines, at: Endpoint, text: bytes, timeout: float = 5.0) -> bytes:
    return await lines.ask(DirectNetwork(), at, lambda one: one.to_bytes(2) + text, timeout=timeout)


class TestNotifyLines:
    async def test_each_gets_its_own_answer_from_one_socket(self) -> None:
        secondary, lines = _Secondary(), NotifyLines()
        asking = [asyncio.ensure_future(_ask(lines, secondary.at, text)) for text in (b"one", b"two", b"three")]
        for _ in asking:
            await secondary.take()
        secondary.answer(0, b"\0")  # of no id that was sent, most likely; nobody's answer
        for number in (2, 0, 1):
            secondary.answer(number)
        assert [one[2:] for one in await asyncio.gather(*asking)] == [b"answer to one", b"answer to two", b"answer to three"]
        assert len({source for _, source in secondary.seen}) == 1
        secondary.udp.close()

    async def test_silence_is_a_timeout(self) -> None:
        secondary, lines = _Secondary(), NotifyLines()
        with pytest.raises(TimeoutError):
            await _ask(lines, secondary.at, b"one", 0.01)
        secondary.udp.close()

    async def test_nobody_listening_is_told_to_all(self) -> None:
        secondary, lines = _Secondary(), NotifyLines()
        secondary.udp.close()
        told = await asyncio.gather(*(_ask(lines, secondary.at, b"x") for _ in range(3)), return_exceptions=True)
        assert all(isinstance(one, ConnectionRefusedError) for one in told)

    async def test_only_some_go_without_an_answer_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Those that wait go when others are answered."""
        monkeypatch.setattr(notify_line, "_AT_ONCE", 2)
        monkeypatch.setattr(notify_line, "_ROOM_AFTER", 60.0)
        secondary, lines = _Secondary(), NotifyLines()
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

    async def test_a_silent_secondary_is_told_of_the_others_a_little_later(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(notify_line, "_AT_ONCE", 1)
        monkeypatch.setattr(notify_line, "_ROOM_AFTER", 0.001)
        secondary, lines = _Secondary(), NotifyLines()
        asking = [asyncio.ensure_future(_ask(lines, secondary.at, text)) for text in (b"one", b"two", b"three")]
        for number, _ in enumerate(asking):
            await secondary.take()
            assert not any(one.done() for one in asking)
            assert len(secondary.seen) == number + 1
        for number, _ in enumerate(asking):
            secondary.answer(number)
        await asyncio.gather(*asking)
        secondary.udp.close()

    async def test_begun_is_sent_before_anything_is_waited_for(self) -> None:
        secondary, lines = _Secondary(), NotifyLines()
        answer = lines.begin(DirectNetwork(), secondary.at, lambda one: one.to_bytes(2) + b"one", 5.0)
        secondary.udp.setblocking(True)
        message, source = secondary.udp.recvfrom(512)
        secondary.udp.sendto(message, source)
        assert answer is not None
        assert (await answer)[2:] == b"one"
        secondary.udp.close()

    async def test_begun_that_nobody_waits_for_any_more_leaves_nothing(self) -> None:
        secondary, lines = _Secondary(), NotifyLines()
        answer = lines.begin(DirectNetwork(), secondary.at, lambda one: one.to_bytes(2) + b"one", 0.01)
        assert answer is not None
        await asyncio.wait([answer])
        assert isinstance(answer.exception(), TimeoutError)
        await asyncio.sleep(0)
        assert not lines._lines
        secondary.udp.close()

    async def test_only_few_are_begun_besides(self) -> None:
        """A secondary's system takes some hundred datagrams before its server has looked at one."""
        secondary, lines = _Secondary(), NotifyLines()
        begun = [lines.begin(DirectNetwork(), secondary.at, lambda one: one.to_bytes(2), 0.01) for _ in range(20)]
        assert [one is not None for one in begun] == [True] * 8 + [False] * 12
        await asyncio.wait([one for one in begun if one is not None])
        secondary.udp.close()
