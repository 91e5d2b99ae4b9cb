"""Records of secondary zones, written a little later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mailname.server import late_records
from mailname.server.late_records import LateRecords

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import pytest


class Zone:
    def __init__(self) -> None:
        self.retired = False
        self.remembered = 0

    async def remember(self) -> None:
        self.remembered += 1


class Refused(Zone):
    """A zone that the disk refuses some times more."""

    def __init__(self, records: LateRecords, times: int) -> None:
        super().__init__()
        self.records, self.times = records, times

    async def remember(self) -> None:
        await super().remember()
        if self.remembered <= self.times:
            self.records.again(self)


class TestLateRecords:
    async def test_many_changes_are_one_record(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(late_records, "_CALM", 0.0)
        tasks: list[asyncio.Task[None]] = []

        def spawn(work: Coroutine[Any, Any, None], owner: object) -> None:
            assert owner is records
            tasks.append(asyncio.get_running_loop().create_task(work))

        records = LateRecords(spawn)
        zone, gone = Zone(), Zone()
        for _ in range(3):
            records.soon(zone)
        records.soon(gone)
        gone.retired = True
        assert records.is_due(zone)
        await asyncio.gather(*tasks)
        assert (zone.remembered, gone.remembered, len(tasks)) == (1, 0, 1)
        assert not records.is_due(zone)
        records.soon(zone)
        await asyncio.gather(*tasks)
        assert zone.remembered == 2

    async def test_wait_while_other_zones_go_on_changing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(late_records, "_CALM", 0.0)
        tasks: list[asyncio.Task[None]] = []
        records = LateRecords(lambda work, _: tasks.append(asyncio.get_running_loop().create_task(work)))
        zones = [Zone() for _ in range(5)]
        for zone in zones:
            records.soon(zone)
            await asyncio.sleep(0)
        assert [zone.remembered for zone in zones] == [0] * 5
        await asyncio.gather(*tasks)
        assert ([zone.remembered for zone in zones], len(tasks)) == ([1] * 5, 1)

    async def test_wait_no_longer_than_some_seconds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(late_records, "_CALM", 0.0)
        monkeypatch.setattr(late_records, "_LATEST", 0.0)
        tasks: list[asyncio.Task[None]] = []
        records = LateRecords(lambda work, _: tasks.append(asyncio.get_running_loop().create_task(work)))
        first = Zone()
        records.soon(first)
        while not first.remembered:
            records.soon(Zone())  # somebody changes all the time
            await asyncio.sleep(0)
        assert first.remembered == 1
        await asyncio.gather(*tasks)

    async def test_what_the_disk_refused_is_tried_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One zone at a time while it refuses, not each of thousands; who was refused last has its turn last."""
        monkeypatch.setattr(late_records, "_AGAIN", 0.0)
        tasks: list[asyncio.Task[None]] = []

        def spawn(work: Coroutine[Any, Any, None], _: object) -> None:
            tasks.append(asyncio.get_running_loop().create_task(work))

        records = LateRecords(spawn)
        one, other, gone = Refused(records, 1), Refused(records, 0), Refused(records, 9)
        for zone in (one, other, gone):
            records.again(zone)
        gone.retired = True
        await asyncio.gather(*tasks)
        assert ([zone.remembered for zone in (one, other, gone)], len(tasks)) == ([2, 1, 0], 1)
        records.again(other)
        await asyncio.gather(*tasks)
        assert other.remembered == 2
