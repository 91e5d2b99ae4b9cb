"""Versions on the disk: a small change is a small write, and killed at any moment nothing is lost that anybody has seen."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.server.running import APEX, zone_text
from tests.server.test_atomic import cut_at
from tests.zone.test_image_changes import rows
from tests.zone.test_image_merge import changes_of

from mailname.errors import HostError
from mailname.server.store import Record, Store
from mailname.server.versions import Versions, last_version
from mailname.server.zone_change import changed_zone
from mailname.transfer import journal
from mailname.zone import Serial
from mailname.zone.image import build_image
from mailname.zone.image_zone import ImageZone
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WIRE = APEX.to_wire() or b""


def version(serial: int, more: str = "") -> ImageZone:
    return ImageZone(build_image(read_zone(zone_text(serial, more), "x", APEX).zone))


ONE, TWO, THREE = version(1), version(2, "a A 192.0.2.7"), version(3, "b A 192.0.2.7")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


def versions_of(store: Store, announced: int | None = None) -> Versions:
    found = Versions(store, APEX, file=Path("example.tech.zone"))
    found.open(Serial(announced) if announced is not None else None)
    return found


def kept(store: Store) -> ImageZone | None:
    """Return what is found after a new start."""
    return versions_of(store).load()


class TestKeep:
    def test_first_version_is_kept_as_text(self, store: Store) -> None:
        """There is nothing that it could be a change of."""
        versions_of(store).keep(None, ONE)
        assert store.load_zone(APEX) == ONE
        assert not store.journal_path(APEX).exists()

    def test_change_is_kept_in_the_journal_alone(self, store: Store) -> None:
        """The text of a large zone would take a second."""
        held = versions_of(store)
        held.keep(None, ONE)
        held.keep(ONE, TWO)
        held.keep(TWO, THREE)
        assert store.load_zone(APEX) == ONE
        assert kept(store) == THREE
        assert held.newest == Serial(3)

    def test_text_follows(self, store: Store) -> None:
        """And the journal stays: others may still hold the versions before."""
        held = versions_of(store)
        held.keep(None, ONE)
        held.keep(ONE, TWO)
        held.write_text()
        assert store.load_zone(APEX) == TWO
        again = versions_of(store)
        assert again.load() == TWO
        assert again.way(Serial(1), Serial(2)) is not None
        again.keep(TWO, THREE)
        assert kept(store) == THREE

    def test_after_a_new_start_goes_on_where_it_was(self, store: Store) -> None:
        """Whether the text was read or what was announced is remembered."""
        versions_of(store).keep(None, ONE)
        versions_of(store, 1).keep(ONE, TWO)
        assert store.load_zone(APEX) == ONE
        versions_of(store, 1).keep(TWO, THREE)
        assert store.load_zone(APEX) == ONE
        assert kept(store) == THREE

    def test_content_that_changed_under_its_serial_ends_the_journal(self, store: Store) -> None:
        """Who holds that serial may hold either content: nothing can be told to him but all."""
        held = versions_of(store)
        held.keep(None, ONE)
        held.keep(ONE, TWO)
        other = version(2, "a A 192.0.2.8")
        held.keep(TWO, other)
        assert kept(store) == other
        assert held.way(Serial(1), Serial(2)) is None
        again = versions_of(store)
        again.load()
        again.keep(other, THREE)  # who holds serial 2 may hold the first content, and what leads on from the second is no help
        assert again.way(Serial(2), Serial(3)) is None
        assert store.load_zone(APEX) == THREE
        again.keep(THREE, version(4))
        assert again.way(Serial(3), Serial(4)) is not None

    def test_zone_that_is_all_another_is_kept_as_text(self, store: Store) -> None:
        """The change would be larger than the zone."""
        held = versions_of(store)
        held.keep(None, ONE)
        large = version(2, "".join(f"n{i} TXT {'x' * 200}\n" for i in range(4000)))
        larger = version(3, "".join(f"n{i} TXT {'y' * 200}\n" for i in range(4000)))
        held.keep(ONE, large)
        held.keep(large, larger)
        assert store.load_zone(APEX) == larger
        assert held.way(Serial(2), Serial(3)) is None

    def test_journal_is_bounded(self, store: Store) -> None:
        """It never has more than twice the octets of the zone, or of what any zone may have; the newest steps are kept."""
        held = versions_of(store)
        held.keep(None, ONE)
        before = ONE
        for serial in range(2, 40):
            after = version(serial, "".join(f"{'ab'[serial % 2]}{i} TXT {'x' * 200}\n" for i in range(100)))
            held.keep(before, after)
            assert store.journal_path(APEX).stat().st_size < 600_000 if store.journal_path(APEX).exists() else True
            if serial % 5 == 0:
                held.write_text()
                assert store.journal_path(APEX).stat().st_size <= 300_000
            before = after
        assert kept(store) == before
        assert held.way(Serial(38), Serial(39)) is not None
        assert held.way(Serial(1), Serial(39)) is None

    def test_remembers_what_came_from_the_file(self, store: Store) -> None:
        """Across a new start, in the journal and beside the text."""
        held = versions_of(store)
        held.keep(None, ONE, from_file=True)
        held.keep(ONE, TWO, from_file=True)
        held.keep(TWO, THREE)
        again = versions_of(store, 1)
        assert (again.newest, again.from_file) == (Serial(3), Serial(2))
        held.write_text()
        assert store.load_record(APEX) == Record(announced=3, from_file=2)

    def test_way_is_that_of_the_versions(self, store: Store) -> None:
        """Step by step."""
        held = versions_of(store)
        held.keep(None, ONE)
        held.keep(ONE, TWO)
        held.keep(TWO, THREE)
        way = held.way(Serial(1), Serial(3))
        assert way is not None
        assert [(step.before.value, step.after.value) for step in way.steps] == [(1, 2), (2, 3)]
        assert len(rows(journal.changes_of(way.octets, way.steps, WIRE))) == 7
        assert way.size == sum(step.end - step.at for step in way.steps)


class TestSpoiled:
    def test_step_does_not_take_what_comes_before_it(self, store: Store) -> None:
        """What was lost is known to be lost, and nothing spoiled is served."""
        held = versions_of(store)
        held.keep(None, ONE)
        held.keep(ONE, TWO)
        held.keep(TWO, THREE)
        path = store.journal_path(APEX)
        octets = bytearray(path.read_bytes())
        octets[-1] ^= 1
        path.write_bytes(octets)
        again = versions_of(store, 1)
        assert again.load() == TWO
        assert again.newest == Serial(3)
        again.keep(TWO, THREE)  # not put behind what is spoiled
        assert kept(store) == THREE

    def test_last_step_of_a_secondary_may_never_have_been_safe(self, store: Store) -> None:
        """A power cut while it was written looks like that: the copy before is served, unless the record tells of a later one."""
        held = Versions(store, APEX)
        held.open()
        held.keep(None, ONE)
        held.keep(ONE, TWO)
        held.keep(TWO, THREE)
        path = store.journal_path(APEX)
        octets = bytearray(path.read_bytes())
        octets[-1] ^= 1
        path.write_bytes(octets)
        assert last_version(Versions(store, APEX), 2) == TWO
        assert last_version(Versions(store, APEX), 3) is None

    def test_step_that_the_text_has_already_is_not_missed(self, store: Store) -> None:
        """Later steps go on from the text."""
        held = versions_of(store)
        held.keep(None, ONE)
        held.keep(ONE, TWO)
        held.write_text()
        held.keep(TWO, THREE)
        path = store.journal_path(APEX)
        octets = bytearray(path.read_bytes())
        octets[journal.HEAD_SIZE + journal.HEADER_SIZE + 3] ^= 1
        path.write_bytes(octets)
        assert kept(store) == THREE

    def test_journal_that_does_not_go_with_the_text_is_not_used(self, store: Store) -> None:
        """A text from a backup, a journal of today."""
        held = versions_of(store)
        held.keep(None, version(1, "z A 192.0.2.1"))
        held.keep(version(1, "z A 192.0.2.1"), TWO)
        store.save_zone(ONE, "from yesterday")
        again = versions_of(store)
        assert again.load() == ONE
        assert again.newest == Serial(2)


class Killed(BaseException):
    """The process ends here."""


JOURNAL_STEPS = ("open", "ftruncate", "pwrite", "fsync")
WHOLE_STEPS = ("mkstemp", "fchmod", "fsync", "replace", "sync_folder")


class TestEveryWrite:
    @pytest.mark.parametrize("step", JOURNAL_STEPS)
    @pytest.mark.parametrize("error", [Killed(), OSError(28, "No space left on device")])
    def test_cut_leaves_the_old_or_the_new_version(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
    ) -> None:
        """An entry put behind another; the serial that is remembered is that of the version found, or of neither a later one."""
        held = versions_of(store)
        held.keep(None, ONE)
        held.keep(ONE, TWO)
        with monkeypatch.context() as patch:
            cut_at(step, patch, error)
            with pytest.raises(Killed if isinstance(error, Killed) else HostError):
                held.keep(TWO, THREE)
        assert held.newest == Serial(2)
        again = versions_of(store)
        found = again.load()
        assert found in (TWO, THREE)
        assert found is not None
        assert again.newest == found.serial
        held.keep(TWO, version(3, "c A 192.0.2.9"))  # another try, with another content
        assert kept(store) == version(3, "c A 192.0.2.9")

    @pytest.mark.parametrize("short", range(0, 300, 7))
    def test_write_that_is_cut_short_is_as_if_it_never_began(self, store: Store, short: int) -> None:
        """At any octet."""
        held = versions_of(store)
        held.keep(None, ONE)
        held.keep(ONE, TWO)
        size = store.journal_path(APEX).stat().st_size
        held.keep(TWO, THREE)
        os.truncate(store.journal_path(APEX), min(size + short, store.journal_path(APEX).stat().st_size - 1))
        again = versions_of(store)
        assert (again.load(), again.newest) == (TWO, Serial(2))
        again.keep(TWO, THREE)
        assert kept(store) == THREE

    @pytest.mark.parametrize("step", WHOLE_STEPS)
    @pytest.mark.parametrize("case", ["first step", "text", "trimmed", "whole", "same serial"])
    @pytest.mark.parametrize("nth", [1, 2, 3])
    def test_cut_in_a_file_that_is_replaced(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, step: str, case: str, nth: int
    ) -> None:
        """The first entry, the text that follows, the journal made shorter, a version that is kept whole."""
        held = versions_of(store)
        held.keep(None, ONE)
        if case != "first step":
            held.keep(ONE, TWO)
        before, after = (ONE, TWO) if case == "first step" else (TWO, THREE)
        other = version(2, "a A 192.0.2.8")
        with monkeypatch.context() as patch, contextlib.suppress(Killed):
            _cut_at_nth(step, nth, patch)
            match case:
                case "first step":
                    held.keep(before, after)
                case "text":
                    held.write_text()
                case "trimmed":
                    patch.setattr("mailname.server.versions.journal_limit", lambda zone: 0)
                    held.write_text()
                case "whole":
                    patch.setattr("mailname.server.versions.difference", lambda *_, **__: None)
                    held.keep(before, after)
                case _:
                    held.keep(before, other)
        found = kept(store)
        wanted = {"first step": (ONE, TWO), "text": (TWO,), "trimmed": (TWO,), "whole": (TWO, THREE), "same serial": (TWO, other)}
        assert found in wanted[case]
        again = versions_of(store, store.load_record(APEX).announced)
        loaded = again.load()
        assert loaded is not None
        assert again.newest is not None
        assert not again.newest.is_newer_than(loaded.serial)
        way = again.way(Serial(1), Serial(2))
        if found == other:
            assert way is None


def _cut_at_nth(step: str, nth: int, patch: pytest.MonkeyPatch) -> None:
    """End the process before a step is done for the n-th time."""
    import tempfile

    from mailname.server import atomic, journal_file

    left = nth

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def run(*args: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            return real(*args, **options)

        return run

    match step:
        case "mkstemp":
            patch.setattr(tempfile, "mkstemp", counted(tempfile.mkstemp))
        case "replace":
            patch.setattr(Path, "replace", counted(Path.replace))
        case "sync_folder":
            run = counted(atomic.sync_folder)
            patch.setattr(atomic, "sync_folder", run)
            patch.setattr(journal_file, "sync_folder", run)
        case _:
            patch.setattr(os, step, counted(getattr(os, step)))


class TestChangedZone:
    def test_raises_the_serial_above_what_was_announced(self) -> None:
        """Whatever the zone's own is."""
        changed = changed_zone(ONE, changes_of("+ a 60 A 192.0.2.9", apex=APEX), Serial(7))
        assert changed is not None
        assert changed.serial == Serial(8)
        assert changed.record_count == ONE.record_count + 1

    def test_takes_a_serial_that_is_newer(self) -> None:
        """The changes may bring a SOA of their own."""
        soa = "ns2 hostmaster {} 3600 1 86400 60"
        changes = changes_of(f"- @ SOA {soa.format(1)}", f"+ @ 3600 SOA {soa.format(5)}", apex=APEX)
        changed = changed_zone(ONE, changes, Serial(1))
        assert changed is not None
        assert changed.serial == Serial(5)

    def test_refuses_a_serial_that_was_announced(self) -> None:
        """Nobody would fetch it."""
        from mailname.errors import ZoneError

        soa = "ns2 hostmaster {} 3600 1 86400 60"
        changes = changes_of(f"- @ SOA {soa.format(1)}", f"+ @ 3600 SOA {soa.format(5)}", apex=APEX)
        with pytest.raises(ZoneError, match="bring serial 5, which is not newer than 9"):
            changed_zone(ONE, changes, Serial(9))

    def test_that_comes_to_nothing_is_none(self) -> None:
        """A record that is there already, or one that comes and goes."""
        assert changed_zone(ONE, changes_of("+ ns1 60 A 192.0.2.1", apex=APEX), Serial(1)) is None
        assert changed_zone(ONE, changes_of("+ x 60 A 192.0.2.1", "- x A 192.0.2.1", apex=APEX), Serial(1)) is None
        assert changed_zone(ONE, changes_of(apex=APEX), Serial(1)) is None
        raised = changed_zone(ONE, changes_of(apex=APEX), Serial(1), always=True)
        assert raised is not None
        assert raised.serial == Serial(2)
