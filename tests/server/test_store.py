"""The state folder: for one process, whole at any instant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.server.running import APEX, Running, Site, running, zone_text

from mailname.errors import HostError
from mailname.server.clock import ShiftedClock
from mailname.server.store import Record, Store
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "state")
    yield opened
    opened.close()


class TestStore:
    async def test_second_server_is_refused_and_told_whose_it_is(self, site: Site) -> None:
        """Two processes on one state folder would overwrite each other."""
        async with running(site.primary()):
            with pytest.raises(HostError, match=f"in use by process {os.getpid()}"):
                Running(site.secondary(state=site.folder / "primary"), clock=ShiftedClock())
        async with running(site.secondary(state=site.folder / "primary")):
            pass

    def test_zone_and_record_come_back(self, store: Store) -> None:
        """As they were."""
        zone = read_zone(zone_text(7), "x", APEX).zone
        record = Record(7, 1.5, {"serial": 7}, {"reason": "refused"})
        store.save_zone(zone, "A copy\nof two lines.")
        store.save_record(APEX, record)
        assert (store.load_zone(APEX), store.load_record(APEX)) == (zone, record)

    def test_without_is_nothing(self, store: Store) -> None:
        """Then it is transferred or published anew."""
        assert (store.load_zone(APEX), store.load_record(APEX)) == (None, Record())

    @pytest.mark.parametrize("text", ["", "[]", "{", '{"announced": "7"}', '{"confirmed_at": NaN}', '{"confirmed_at": -5}'])
    def test_record_that_cannot_be_right_is_empty(self, store: Store, text: str) -> None:
        """Unknown is safer than wrong."""
        (store.folder / "example.tech.json").write_text(text, encoding="utf-8")
        assert store.load_record(APEX) == Record()

    def test_what_a_killed_process_left_is_removed(self, tmp_path: Path) -> None:
        """Half-written files do not fill the disk over the years."""
        left = tmp_path / ".example.tech.zone.abc.new"
        left.write_text("half", encoding="utf-8")
        Store(tmp_path).close()
        assert not left.exists()

    def test_folder_that_cannot_be_used_is_told(self, tmp_path: Path) -> None:
        """With the configuration's word for it."""
        (tmp_path / "file").write_text("", encoding="utf-8")
        with pytest.raises(HostError, match="cannot use the state folder"):
            Store(tmp_path / "file")
