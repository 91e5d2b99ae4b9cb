"""Versions of several zones are kept with one order to the disk, and each as if it were alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dns.name
import pytest
from tests.server.running import zone_text

from mailname.errors import HostError
from mailname.server import atomic, late_texts, versions
from mailname.server.late_texts import write_texts
from mailname.server.store import Record, Store, save_records
from mailname.server.versions import Keeping, Versions, keep_together
from mailname.zone import Serial
from mailname.zone.image import build_image
from mailname.zone.image_zone import ImageZone
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

APEXES = tuple(dns.name.from_text(f"{name}.example.") for name in ("one", "two", "three", "four", "five"))


def version(apex: dns.name.Name, serial: int) -> ImageZone:
    return ImageZone(build_image(read_zone(zone_text(serial, f"www A 192.0.2.{serial}"), "x", apex).zone))


def of(store: Store, apex: dns.name.Name, announced: int | None = None) -> Versions:
    found = Versions(store, apex, file=Path(f"{apex}zone"))
    found.open(Serial(announced) if announced is not None else None)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many files each order to the disk is for."""
    seen: list[int] = []

    def noted(those: Sequence[Sequence[atomic.NewVersion]]) -> list[OSError | None]:
        seen.append(sum(map(len, those)))
        return atomic.write_together(those)

    monkeypatch.setattr(versions, "write_together", noted)
    monkeypatch.setattr(late_texts, "write_together", noted)
    return seen


class TestFirstVersions:
    def test_are_kept_together(self, store: Store, orders: list[int]) -> None:
        """Text and record of each; a new start finds them."""
        held = [of(store, apex) for apex in APEXES]
        new = [version(apex, 1) for apex in APEXES]
        those = [Keeping(one, None, zone, from_file=True) for one, zone in zip(held, new, strict=True)]
        assert keep_together(those) == [None] * len(APEXES)
        assert orders == [2 * len(APEXES)]
        for apex, one, zone in zip(APEXES, held, new, strict=True):
            assert (one.kept, one.newest, one.from_file) == (zone, Serial(1), Serial(1))
            assert of(store, apex).load() == zone
            assert store.load_record(apex) == Record(announced=1, from_file=1)

    def test_among_changes_are_kept_as_well(self, store: Store) -> None:
        """One journal entry, four new zones."""
        changing = of(store, APEXES[0])
        changing.keep(None, version(APEXES[0], 1))
        others = [Keeping(of(store, apex), None, version(apex, 1)) for apex in APEXES[1:]]
        change = Keeping(changing, version(APEXES[0], 1), version(APEXES[0], 2))
        assert keep_together([others[0], change, *others[1:]]) == [None] * len(APEXES)
        assert [of(store, apex).load() for apex in APEXES] == [version(APEXES[0], 2), *(version(apex, 1) for apex in APEXES[1:])]
        assert store.journal_path(APEXES[0]).exists()

    def test_disk_that_refuses_is_told_of_each(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody waits for ever: later they can be kept."""
        held = [of(store, apex) for apex in APEXES]
        with monkeypatch.context() as patch:
            patch.setattr(versions, "write_together", lambda those: [OSError(28, "No space left on device")] * len(those))
            patch.setattr(Store, "save_zone", refusing)
            outcomes = keep_together([Keeping(one, None, version(apex, 1)) for one, apex in zip(held, APEXES, strict=True)])
        assert [type(one) for one in outcomes] == [HostError] * len(APEXES)
        assert [one.kept for one in held] == [None] * len(APEXES)
        for one, apex in zip(held, APEXES, strict=True):
            one.keep(None, version(apex, 1))
            assert of(store, apex).load() == version(apex, 1)


def refusing(*_: object) -> None:
    raise HostError("the disk is full", remedy="", step="write")


class TestTexts:
    @pytest.fixture
    def behind(self, store: Store) -> list[Versions]:
        """Keep a second version of each zone in its journal."""
        found = []
        for apex in APEXES:
            one = of(store, apex)
            one.keep(None, version(apex, 1))
            one.keep(version(apex, 1), version(apex, 2))
            found.append(one)
        return found

    def test_are_written_together(self, store: Store, behind: list[Versions], orders: list[int]) -> None:
        assert all(one.is_text_behind for one in behind)
        assert write_texts(behind) == [None] * len(APEXES)
        assert orders == [2 * len(APEXES)]
        assert not any(one.is_text_behind for one in behind)
        assert [store.load_zone(apex) for apex in APEXES] == [version(apex, 2) for apex in APEXES]
        assert write_texts(behind) == [None] * len(APEXES)  # there is nothing more to do
        assert orders[1:] == [0]

    def test_disk_that_refuses_is_told_of_each(self, behind: list[Versions], monkeypatch: pytest.MonkeyPatch) -> None:
        """The journals have them; they are tried again."""
        with monkeypatch.context() as patch:
            patch.setattr(late_texts, "write_together", lambda those: [OSError(28, "No space left on device")] * len(those))
            patch.setattr(Store, "save_zone", refusing)
            assert [type(one) for one in write_texts(behind)] == [HostError] * len(APEXES)
        assert all(one.is_text_behind for one in behind)
        assert write_texts(behind) == [None] * len(APEXES)


class TestRecords:
    @pytest.mark.parametrize("many", [1, len(APEXES)])
    def test_are_kept(self, store: Store, many: int) -> None:
        assert save_records([(store, apex, Record(announced=7)) for apex in APEXES[:many]]) == [None] * many
        assert [store.load_record(apex).announced for apex in APEXES[:many]] == [7] * many

    def test_that_the_disk_refuses_are_told(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("mailname.server.store.write_together", lambda those: [OSError(28, "full")] * len(those))
            patch.setattr(Store, "save_record", refusing)
            outcomes = save_records([(store, apex, Record(announced=7)) for apex in APEXES])
        assert [type(one) for one in outcomes] == [HostError] * len(APEXES)
