"""Killed at any moment: no published zone is lost, no serial falls, and the pair is in step again by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.server.running import APEX, PATIENCE, PRIMARY, SECONDARY, Site, serial_at, until, zone_text

from mailname.errors import HostError
from mailname.server.atomic import write_atomic
from mailname.server.control import ask
from mailname.server.store import Record, Store
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.server.network import Endpoint

ROUNDS = 6


class Process:
    """``mailname serve --config FILE`` as a child, to be killed at will."""

    def __init__(self, site: Site, at: Endpoint, role: str) -> None:
        self.at = at
        self.control = site.folder / f"{role}.sock"
        self.config = site.folder / f"{role}.toml"
        zone = (
            f'file = "{site.file}"\n[[zone.secondary]]\naddress = "{SECONDARY}"'
            if role == "primary"
            else f'[[zone.primary]]\naddress = "{PRIMARY}"'
        )
        self.config.write_text(
            f'listen = ["{at}"]\nstate = "{role}"\ncontrol = "{self.control}"\n'
            f'[[zone]]\nname = "example.tech"\nrole = "{role}"\n{zone}\nport = {site.port}\n',
            encoding="utf-8",
        )
        self.log = site.folder / f"{role}.log"
        self.child: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        program = Path(sys.executable).with_name("mailname")
        with self.log.open("ab") as log:
            self.child = await asyncio.create_subprocess_exec(program, "serve", "--config", self.config, stderr=log)

    async def stop(self, how: signal.Signals) -> int:
        assert self.child is not None
        if self.child.returncode is None:
            self.child.send_signal(how)
        return await self.child.wait()


async def seen(at: Endpoint) -> int | None:
    """Ask for the serial; None when nothing or SERVFAIL comes."""
    try:
        async with asyncio.timeout(1):
            answered = await serial_at(at)
    except OSError:
        return None
    return answered if isinstance(answered, int) else None


async def until_above(count: Callable[[], int], more: int) -> None:
    """Wait until a count has risen by so much."""
    enough = count() + more
    await until(lambda: count() >= enough)


async def until_answered(processes: list[Process], serial: int) -> None:
    """Wait until each answers this serial or a newer one."""
    async with asyncio.timeout(PATIENCE):
        for process in processes:
            while True:
                if (await seen(process.at) or 0) >= serial:
                    break
                await asyncio.sleep(0.01)


class TestPair:
    async def test_killed_at_random_moments_ends_in_step(self, site: Site) -> None:
        """While zones are published in a loop and a client watches both."""
        chance = random.Random(os.environ.get("PYTEST_XDIST_WORKER", "one"))
        site.write(1, retry=1)
        processes = [Process(site, site.primary_at, "primary"), Process(site, site.secondary_at, "secondary")]
        highest = {process.at: 0 for process in processes}
        acknowledged = 1
        serial = 1

        async def watch(process: Process) -> None:
            while True:
                found = await seen(process.at)
                if found is not None:
                    assert found >= highest[process.at], f"{process.at} fell from {highest[process.at]} to {found}"
                    highest[process.at] = found
                await asyncio.sleep(0.002)

        async def publish() -> None:
            nonlocal serial, acknowledged
            while True:
                serial += 1
                write_atomic(site.file, zone_text(serial, f"v A 192.0.2.{serial % 256}", retry=1).encode())
                with contextlib.suppress(HostError):
                    if (await ask(processes[0].control, {"do": "reload"}))["ok"]:
                        acknowledged = serial
                await asyncio.sleep(0.01)

        for process in processes:
            await process.start()
        watching = [asyncio.create_task(watch(process)) for process in processes]
        publishing = asyncio.create_task(publish())
        try:
            for _ in range(ROUNDS):
                await until_above(lambda: acknowledged, chance.randrange(1, 6))
                await asyncio.sleep(chance.random() * 0.02)
                victim = chance.choice(processes)
                await victim.stop(signal.SIGKILL)
                promised = acknowledged
                await victim.start()
                await until_answered(processes[:1], promised)
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)
            serial += 1
            site.write(serial, retry=1)
            assert (await ask(processes[0].control, {"do": "reload"}))["ok"]
            await until_answered(processes, serial)
            for task in watching:
                assert not task.done(), task.exception()
        finally:
            for task in (publishing, *watching):
                task.cancel()
            await asyncio.gather(publishing, *watching, return_exceptions=True)
            assert [await process.stop(signal.SIGTERM) for process in processes] == [0, 0], processes[0].log.read_text()


class Killed(BaseException):
    """The process ends here."""


class TestEveryWrite:
    @pytest.mark.parametrize("name", ["save_zone", "save_record"])
    @pytest.mark.parametrize("step", ["mkstemp", "fchmod", "fsync", "replace", "sync_folder"])
    def test_cut_leaves_a_version_whole_and_the_serial_remembered(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, step: str
    ) -> None:
        """Each step of each file: the version that is found again is the old or the new one, never older than announced."""
        from tests.server.test_atomic import cut_at

        old, new = (read_zone(zone_text(serial), "x", APEX).zone for serial in (1, 2))
        store = Store(tmp_path)
        store.save_zone(old, "old")
        store.save_record(APEX, Record(announced=1))
        with monkeypatch.context() as patch:
            if name == "save_zone":
                cut_at(step, patch, Killed())
            with contextlib.suppress(Killed):
                store.save_zone(new, "new")
                cut_at(step, patch, Killed())
                store.save_record(APEX, Record(announced=2))
        store.close()
        again = Store(tmp_path)
        kept, record = again.load_zone(APEX), again.load_record(APEX)
        again.close()
        assert kept in (old, new)
        assert kept is not None
        assert record.announced in (1, 2)
        assert kept.serial.value >= (record.announced or 0)
        assert not list(tmp_path.glob(".*.new"))
