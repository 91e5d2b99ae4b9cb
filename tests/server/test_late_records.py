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
