"""A zone whose configuration changes roles while it is asked: no gap, no lower serial."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.server.running import PRIMARY, SECONDARY, Running, Site, running, serial_at, until

from mailname.server import asking, hinted
from mailname.transfer.actions import Peer
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from mailname.server.config import ZoneConfig
    from mailname.server.network import Endpoint, IPAddress


class Clients:
    """Who asks a server all the time, by UDP and TCP, and remembers what it was told."""

    def __init__(self, *servers: Endpoint) -> None:
        self.servers = servers
        self.heard: dict[tuple[Endpoint, bool], list[int | str]] = {(at, tcp): [] for at in servers for tcp in (False, True)}

    async def _ask(self, at: Endpoint, *, tcp: bool) -> None:
        while True:
            self.heard[at, tcp].append(await serial_at(at, tcp=tcp))
            await asyncio.sleep(0)

    @contextlib.asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Ask as long as this is entered; a question that gets no answer ends it with an error."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._ask(at, tcp=tcp)) for at, tcp in self.heard]
            await until(self.have_heard)
            yield
            before = {key: len(heard) for key, heard in self.heard.items()}
            await until(lambda: all(len(heard) > before[key] for key, heard in self.heard.items()))
            for task in tasks:
                task.cancel()

    def have_heard(self) -> bool:
        """Tell whether each of them had an answer."""
        return all(self.heard.values())

    def fell(self) -> list[tuple[int | str, int | str]]:
        """Return where an answer was none, or its serial lower than the one before."""
        pairs = [pair for heard in self.heard.values() for pair in itertools.pairwise(heard)]
        return [
            (one, other)
            for one, other in pairs
            if not (isinstance(one, int) and isinstance(other, int)) or Serial(one).is_newer_than(Serial(other))
        ]


def as_primary(site: Site, other: IPAddress, file: str) -> ZoneConfig:
    """Return the zone as a primary has it that tells the other server."""
    return replace(site.zone(), file=site.folder / file, secondaries=(Peer(other, site.port),))


def as_secondary(site: Site, other: IPAddress) -> ZoneConfig:
    """Return the zone as a secondary has it that asks the other server."""
    return site.copy(Peer(other, site.port))


def all_at(serial: int, *servers: Running) -> Callable[[], bool]:
    """Return the question whether all servers have this serial."""
    return lambda: all(server.serial() == serial for server in servers)


async def take(server: Running, zone: ZoneConfig) -> None:
    await server.reconfigure(replace(server.config, zones=(zone,)))


@pytest.mark.parametrize("state", [True, False], ids=["state folder", "nothing on disk"])
class TestSwap:
    async def test_of_both_servers_leaves_no_question_without_an_answer(self, site: Site, state: bool) -> None:
        """There and back, in either order, with changes in between."""
        nothing: dict[str, None] = {} if state else {"state": None}
        site.write(1)
        async with running(site.primary(**nothing)) as one, running(site.secondary(**nothing)) as other:
            await until(lambda: other.serial() == 1 and not other.zone_status()["busy"])
            clients = Clients(site.primary_at, site.secondary_at)
            async with clients.asking():
                serial = 1
                for turn in range(4):
                    first = (one, as_secondary(site, SECONDARY)) if turn % 2 == 0 else (other, as_secondary(site, PRIMARY))
                    serial += 1
                    site.write(serial)
                    (site.folder / f"turn{turn}.zone").write_bytes(site.file.read_bytes())
                    second = (
                        (other, as_primary(site, PRIMARY, f"turn{turn}.zone"))
                        if turn % 2 == 0
                        else (one, as_primary(site, SECONDARY, f"turn{turn}.zone"))
                    )
                    for server, zone in (first, second) if turn < 2 else (second, first):
                        await take(server, zone)
                    await until(all_at(serial, one, other))
            assert clients.fell() == []

    async def test_without_a_good_file_answers_what_was_answered(self, site: Site, state: bool) -> None:
        """The new primary's file is missing, or older than what was announced: told, and never served."""
        nothing: dict[str, None] = {} if state else {"state": None}
        site.write(7)
        async with running(site.primary(**nothing)), running(site.secondary(**nothing)) as other:
            await until(lambda: other.serial() == 7 and not other.zone_status()["busy"])
            clients = Clients(site.secondary_at)
            async with clients.asking():
                await take(other, as_primary(site, PRIMARY, "missing.zone"))
                assert (other.serial(), other.zone_status()["problem"]["reason"]) == (7, "load-failed")
                site.write(6)
                await take(other, as_primary(site, PRIMARY, site.file.name))
                assert other.serial() == 7
                assert "lower than 7" in other.zone_status()["problem"]["says"]
            assert clients.fell() == []

    async def test_of_a_primary_whose_new_primary_is_not_there_answers_on(self, site: Site, state: bool) -> None:
        """The version was good until this moment: it has all its time until it expires."""
        nothing: dict[str, None] = {} if state else {"state": None}
        site.write(7, expire=1000)
        async with running(site.primary(**nothing)) as one:
            clients = Clients(site.primary_at)
            async with clients.asking():
                await take(one, as_secondary(site, SECONDARY))
                await until(lambda: one.zone_status()["last_failure"])
                assert (one.zone_status()["state"], one.serial()) == ("serving", 7)
                one.clock.move(990)
                assert await serial_at(site.primary_at) == 7
            assert clients.fell() == []
            one.clock.move(20)
            await until(lambda: one.zone_status()["state"] == "expired")


class TestExpired:
    async def test_copy_is_not_answered_by_the_zone_that_follows_it(self, site: Site) -> None:
        """Neither as a secondary of somebody else, nor as a primary without a file."""
        site.write(7, expire=1000)
        async with running(site.secondary(state=None)) as other:
            async with running(site.primary()):
                await until(lambda: other.serial() == 7 and not other.zone_status()["busy"])
            other.clock.move(1001)
            await until(lambda: other.zone_status()["state"] == "expired")
            for zone in (as_secondary(site, SECONDARY), as_primary(site, PRIMARY, "missing.zone")):
                await take(other, zone)
                assert await serial_at(site.secondary_at) == "SERVFAIL"


class TestFault:
    async def test_of_ours_in_a_transfer_is_no_end_of_refreshing(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever went wrong: it is told, and tried again."""
        fetch = asking.fetch_zone

        async def fault(*_args: object) -> None:
            monkeypatch.setattr(hinted, "fetch_zone", fetch)
            raise MemoryError

        monkeypatch.setattr(hinted, "fetch_zone", fault)
        async with running(site.primary(site.zone(notify=False), state=None)) as primary, running(site.secondary()) as secondary:
            await until(lambda: (secondary.zone_status()["last_failure"] or {}).get("reason") == "internal")
            await take(primary, site.zone())
            await until(lambda: secondary.serial() == 1)
