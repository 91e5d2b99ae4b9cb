"""Transfers from one server share a few connections."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

import pytest

from mailname.server import transfer_turns
from mailname.server.network import Endpoint
from mailname.server.transfer_turns import Connection, TransferTurns

if TYPE_CHECKING:
    from mailname.server.network import Network

HERE = Endpoint(ip_address("127.0.0.1"), 53)
THERE = Endpoint(ip_address("127.0.0.2"), 53)


class _Writer:
    def __init__(self) -> None:
        self.closed = False

    def get_extra_info(self, name: str) -> None:
        """Return nothing: it is no TLS."""

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    async def wait_closed(self) -> None:
        """Return at once."""


class _Network:
    """Opens connections that lead nowhere, and remembers them."""

    def __init__(self) -> None:
        self.opened: list[_Writer] = []
        self.readers: list[asyncio.StreamReader] = []
        self.refuses = False

    async def open_tcp(self, to: Endpoint, source: object) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        del to, source
        if self.refuses:
            raise ConnectionRefusedError
        self.opened.append(_Writer())
        self.readers.append(asyncio.StreamReader())
        return self.readers[-1], cast("asyncio.StreamWriter", self.opened[-1])


class _Case:
    def __init__(self, at_once: int = 2) -> None:
        self.network = _Network()
        self.turns = TransferTurns(at_once)
        self.most = self.now = 0
        self.go_on = asyncio.Event()

    async def transfer(self, to: Endpoint = HERE, *, clean: bool = True, fresh: bool = False, proof: object = None) -> int:
        """Hold a connection until ``go_on``; return how many transfers had ended on it before."""
        async with self.turns.connection(cast("Network", self.network), to, None, proof, fresh=fresh) as connection:
            self.now += 1
            self.most = max(self.most, self.now)
            before = connection.used
            await self.go_on.wait()
            self.now -= 1
            connection.clean = clean
        return before

    async def end(self) -> None:
        """Close the connections that are kept open."""
        await self.turns.close()

    def open_ones(self) -> int:
        return sum(not one.closed for one in self.network.opened)


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class TestTransferTurns:
    async def test_more_than_may_wait_for_those_under_way(self) -> None:
        case = _Case()
        case_tasks = [asyncio.create_task(case.transfer()) for _ in range(6)]
        await _settled()
        assert case.now == 2
        case.go_on.set()
        await asyncio.gather(*case_tasks)
        assert case.most == 2

    async def test_a_connection_is_handed_on_while_others_wait_and_one_is_kept_then(self) -> None:
        case = _Case()
        tasks = [asyncio.create_task(case.transfer()) for _ in range(6)]
        await _settled()
        case.go_on.set()
        assert sorted(await asyncio.gather(*tasks)) == [0, 0, 1, 1, 2, 2]
        assert (len(case.network.opened), case.open_ones()) == (2, 1)
        await case.end()
        assert case.open_ones() == 0

    async def test_who_comes_soon_afterwards_gets_the_one_that_was_kept(self) -> None:
        """Who changes a zone once often does so again (RFC 7766 section 6.2.3)."""
        case = _Case()
        case.go_on.set()
        assert [await case.transfer() for _ in range(3)] == [0, 1, 2]
        await case.end()
        assert (await case.transfer(), len(case.network.opened)) == (0, 2)
        await case.end()

    async def test_one_that_was_kept_is_ended_after_a_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(transfer_turns, "KEPT", 0.0)
        case = _Case()
        case.go_on.set()
        assert await case.transfer() == 0
        await asyncio.sleep(0.01)
        assert case.open_ones() == 0
        assert await case.transfer() == 0

    async def test_one_that_the_server_has_ended_meanwhile_is_not_used(self) -> None:
        case = _Case()
        case.go_on.set()
        assert await case.transfer() == 0
        case.network.readers[0].feed_eof()
        assert (await case.transfer(), case.open_ones()) == (0, 1)
        await case.end()

    async def test_one_on_which_something_is_left_is_not_handed_on(self) -> None:
        """What came of a transfer that broke must not be taken for the next one's."""
        case = _Case(1)
        tasks = [asyncio.create_task(case.transfer(clean=False)) for _ in range(3)]
        await _settled()
        case.go_on.set()
        assert await asyncio.gather(*tasks) == [0, 0, 0]
        assert (len(case.network.opened), case.open_ones()) == (3, 0)

    async def test_who_wants_a_new_one_gets_a_new_one(self) -> None:
        case = _Case(1)
        tasks = [asyncio.create_task(case.transfer()), asyncio.create_task(case.transfer(fresh=True))]
        await _settled()
        case.go_on.set()
        assert await asyncio.gather(*tasks) == [0, 0]
        assert (len(case.network.opened), case.open_ones()) == (2, 1)
        await case.end()

    async def test_servers_have_turns_of_their_own(self) -> None:
        """A primary that is silent holds up no zones of others."""
        case = _Case(1)
        tasks = [asyncio.create_task(case.transfer(to)) for to in (HERE, THERE)]
        await _settled()
        assert case.now == 2
        case.go_on.set()
        await asyncio.gather(*tasks)

    async def test_a_connection_goes_to_nobody_who_wants_another_proof(self) -> None:
        """A server that showed the certificate that one zone pins has shown nothing to a zone that pins another."""
        case = _Case(1)
        tasks = [asyncio.create_task(case.transfer(proof=proof)) for proof in ("one pin", "one pin", "another pin", None)]
        await _settled()
        case.go_on.set()
        assert await asyncio.gather(*tasks) == [0, 1, 0, 0]
        assert (len(case.network.opened), case.open_ones()) == (3, 3)
        await case.end()
        assert case.open_ones() == 0

    async def test_one_that_cannot_be_opened_gives_the_turn_back(self) -> None:
        case = _Case(1)
        case.go_on.set()
        case.network.refuses = True
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                await case.transfer()
        case.network.refuses = False
        assert await case.transfer() == 0

    async def test_who_no_longer_waits_is_passed_over(self) -> None:
        case = _Case(1)
        tasks = [asyncio.create_task(case.transfer()) for _ in range(3)]
        await _settled()
        tasks[1].cancel()
        await _settled()
        case.go_on.set()
        assert await tasks[0] == 0
        assert await tasks[2] == 1

    async def test_who_is_called_off_as_the_turn_comes_passes_it_on(self) -> None:
        """Neither the turn nor the connection is lost between two of them."""
        case = _Case(1)
        case.go_on.set()
        async with case.turns.connection(cast("Network", case.network), HERE, None) as first:
            called_off, last = (asyncio.create_task(case.transfer()) for _ in range(2))
            await _settled()
            first.clean = True
        called_off.cancel()
        assert await last == 1
        assert case.open_ones() == 1
        await case.end()

    async def test_a_transfer_that_fails_closes_its_connection(self) -> None:
        case = _Case(1)

        async def fail() -> None:
            async with case.turns.connection(cast("Network", case.network), HERE, None) as one:
                assert isinstance(one, Connection)
                raise ValueError("odd")

        with pytest.raises(ValueError, match="odd"):
            await fail()
        assert case.open_ones() == 0
        case.go_on.set()
        assert await case.transfer() == 0
