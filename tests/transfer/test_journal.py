"""Journals: what was written is read again, and what was cut or spoiled is told from it."""

from __future__ import annotations

import hashlib
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.strategies import APEX
from tests.uncompiled import returned_uncompiled
from tests.zone.test_image_changes import rows, versions
from tests.zone.test_image_merge import Record, _record, changes_of, image_of

from mailname.transfer import journal
from mailname.transfer.journal_records import StepReader, written
from mailname.zone import Serial
from mailname.zone.image_changes import difference
from mailname.zone.image_merge import Changes, merged
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from collections.abc import Callable

APEX_WIRE = APEX.to_wire() or b""


def entry_between(old: bytes, new: bytes, *, from_file: bool = False) -> bytes:
    changes = difference(old, new)
    assert changes is not None
    before, after = ImageZone(old), ImageZone(new)
    return journal.entry(changes, before.serial, after.serial, records=after.record_count, from_file=from_file)


def journal_of(images: list[bytes]) -> bytes:
    """Return the journal of versions that followed one another."""
    return journal.head(APEX_WIRE) + b"".join(entry_between(old, new) for old, new in pairwise(images))


THREE = [image_of("a A 192.0.2.1\n"), image_of("a A 192.0.2.2\nb MX 1 a\n", 2), image_of("b MX 1 a\n", 3)]
OCTETS = journal_of(THREE)


class TestJournal:
    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.lists(_record, max_size=8), min_size=2, max_size=5))
    def test_steps_lead_from_the_first_version_to_the_last(self, records: list[list[Record]]) -> None:
        """Whatever they hold."""
        images = versions(records)
        if not images:
            return
        octets = journal_of(images)
        found = journal.look_through(octets, APEX_WIRE)
        assert (found.end, found.spoiled) == (len(octets) if len(images) > 1 else journal.HEAD_SIZE, False)
        assert len(found.steps) == len(images) - 1
        held = images[0]
        for step, image in zip(found.steps, images[1:], strict=True):
            assert step.records == ImageZone(image).record_count
            held = merged(held, journal.changes_of(octets, (step,), APEX_WIRE))
            assert ImageZone(held) == ImageZone(image)
        whole = merged(images[0], journal.changes_of(octets, found.steps, APEX_WIRE))
        assert ImageZone(whole) == ImageZone(images[-1])

    def test_steps_are_as_they_were_written(self) -> None:
        """Record for record, in their order."""
        found = journal.look_through(OCTETS, APEX_WIRE)
        for step, old, new in zip(found.steps, THREE, THREE[1:], strict=False):
            assert rows(journal.changes_of(OCTETS, (step,), APEX_WIRE)) == rows(difference(old, new))

    def test_remembers_what_came_from_the_file(self) -> None:
        """The last version of a primary's file is told from what was changed since."""
        octets = journal.head(APEX_WIRE) + entry_between(*THREE[:2], from_file=True) + entry_between(*THREE[1:])
        assert [step.from_file for step in journal.look_through(octets, APEX_WIRE).steps] == [True, False]

    def test_cut_anywhere_ends_with_the_last_whole_entry(self) -> None:
        """What was being written when the power went is as if it had never been begun."""
        ends = [journal.HEAD_SIZE, *(step.end for step in journal.look_through(OCTETS, APEX_WIRE).steps)]
        for size in range(len(OCTETS)):
            found = journal.look_through(OCTETS[:size], APEX_WIRE)
            whole = [end for end in ends if end <= size]
            assert found.end == max(whole, default=0)
            assert len(found.steps) == max(len(whole) - 1, 0)
            assert not found.spoiled
            assert found.newest == (Serial(len(whole)) if len(whole) > 1 else None)

    def test_cut_with_rubbish_behind_it_ends_there(self) -> None:
        """A disk may have given it room that was never written."""
        for rubbish in (bytes(200), b"STEP" * 50):
            found = journal.look_through(OCTETS + rubbish, APEX_WIRE)
            assert (len(found.steps), found.end, found.spoiled) == (2, len(OCTETS), False)

    def test_flipped_bit_anywhere_is_found(self) -> None:
        """A spoiled step is not used; the serial that it led to is remembered while its header, or a later one, is there."""
        whole = journal.look_through(OCTETS, APEX_WIRE)
        for bit in range(8 * len(OCTETS)):
            octets = bytearray(OCTETS)
            octets[bit // 8] ^= 1 << bit % 8
            found = journal.look_through(bytes(octets), APEX_WIRE)
            good = [step for step in whole.steps if not step.start <= bit // 8 < step.end]
            if bit // 8 < journal.HEAD_SIZE:
                assert (found.steps, found.spoiled) == ((), True)
                continue
            assert list(found.steps) == good
            in_last_header = whole.steps[1].start <= bit // 8 < whole.steps[1].at
            assert found.spoiled is not in_last_header
            assert found.newest == Serial(2 if in_last_header else 3)
            assert found.sure == Serial(2 if bit // 8 >= whole.steps[1].start else 3)

    def test_of_another_zone_is_not_used(self) -> None:
        """Somebody may have renamed the file."""
        assert journal.look_through(OCTETS, b"\3net\0") == journal.Journal((), 0, None, spoiled=True)

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=300))
    def test_no_octets_raise(self, octets: bytes) -> None:
        """Also with a checksum that matches."""
        header = journal._HEADER.pack(b"STEP", 1, 2, len(octets), 0, 1, hashlib.blake2b(octets, digest_size=16).digest())
        whole = journal.head(APEX_WIRE) + header + zlib.crc32(header).to_bytes(4, "little") + octets
        for data in (octets, journal.head(APEX_WIRE) + octets, whole):
            found = journal.look_through(data, APEX_WIRE)
            if data is whole:
                assert len(found.steps) == 1
            try:
                changes = journal.changes_of(data, found.steps, APEX_WIRE)
            except ValueError:
                continue
            assert written(changes.packed) == b"".join(data[step.at : step.end] for step in found.steps)


class TestChain:
    def test_leads_from_one_serial_to_another(self) -> None:
        """Without a gap, and to the newest alone."""
        steps = journal.look_through(OCTETS, APEX_WIRE).steps
        assert journal.chain(steps, Serial(1), Serial(3)) == steps
        assert journal.chain(steps, Serial(2), Serial(3)) == steps[1:]
        assert journal.chain(steps, Serial(3), Serial(3)) == ()
        assert journal.chain(steps, Serial(1), Serial(2)) is None
        assert journal.chain(steps, Serial(7), Serial(3)) is None
        assert journal.chain(steps[1:], Serial(1), Serial(3)) is None

    def test_has_no_gap(self) -> None:
        """What follows a gap is a way of its own."""
        later = [image_of("c TXT t\n", 7), image_of("", 8)]
        octets = OCTETS + entry_between(*later)
        steps = journal.look_through(octets, APEX_WIRE).steps
        assert journal.chain(steps, Serial(1), Serial(8)) is None
        assert journal.chain(steps, Serial(7), Serial(8)) == steps[2:]
        assert tuple(journal.newest_that_fit(steps, 10_000)) == steps[2:]

    @pytest.mark.parametrize("kept", [0, 1, 2])
    def test_newest_that_fit(self, kept: int) -> None:
        """Whole steps, from the end."""
        steps = journal.look_through(OCTETS, APEX_WIRE).steps
        room = sum(step.end - step.start for step in steps[2 - kept :])
        assert tuple(journal.newest_that_fit(steps, room)) == steps[2 - kept :]
        assert len(tuple(journal.newest_that_fit(steps, room - 1))) == max(kept - 1, 0)


class TestStepReader:
    @pytest.mark.parametrize(
        "spoil",
        [
            lambda octets: octets[1:],
            lambda octets: octets[:-1],
            lambda octets: octets + octets,
            lambda octets: octets[: len(octets) // 2],
            lambda octets: b"\x40" + octets[1:],
            lambda octets: b"\xc0\x00" + octets,
            lambda octets: b"",
        ],
    )
    def test_takes_nothing_but_one_sequence(self, spoil: Callable[[bytes], bytes]) -> None:
        """Two SOAs, and records that end where the octets do."""
        octets = spoil(written(changes_of("- @ SOA ns1 h 1 2 3 4 30", "+ @ 60 SOA ns1 h 2 2 3 4 30").packed))
        changes = Changes(APEX_WIRE)
        assert not StepReader(changes.packed).read(octets, 0, len(octets))

    def test_reads_only_between_its_places(self) -> None:
        """Whatever stands around them."""
        octets = written(changes_of("- @ SOA ns1 h 1 2 3 4 30", "+ @ 60 SOA ns1 h 2 2 3 4 30").packed)
        reader = StepReader(Changes(APEX_WIRE).packed)
        assert reader.read(b"xx" + octets + b"xx", 2, 2 + len(octets))
        assert (reader.before, reader.after) == (1, 2)
        assert not reader.read(octets, 0, len(octets) + 1)


def digest_of_journals() -> str:
    """Return a digest of what this form of the core writes, and reads again."""
    found = hashlib.sha256(OCTETS)
    for step in journal.look_through(OCTETS, APEX_WIRE).steps:
        found.update(repr(rows(journal.changes_of(OCTETS, (step,), APEX_WIRE))).encode())
    return found.hexdigest()


class TestForms:
    def test_both_forms_of_the_core_write_the_same(self) -> None:
        """Octet for octet."""
        assert returned_uncompiled(digest_of_journals) == digest_of_journals()
