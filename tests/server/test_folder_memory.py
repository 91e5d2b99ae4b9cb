"""What a folder remembers of its zones: no start serves anything older than what was announced, and differences are sent."""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.running import PRIMARY, asked, until
from tests.server.test_folder_zones import WORKERS, Folder, folder

from mailname.server import folder_announced, folder_journals
from mailname.server.asking import fetch_zone
from mailname.server.clock import ShiftedClock
from mailname.server.folder_announced import REMEMBERED, Announced
from mailname.transfer.actions import Peer, Transfer
from mailname.zone import Serial

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.running import Running

    from mailname.server.asking import TransferredZone
    from mailname.zone import Zone

__all__ = ["folder"]  # the fixture

A = b"\x01a\x04test\x00"
B = b"\x01b\x04test\x00"


def announced(path: Path) -> Announced:
    found = Announced(path)
    found.open(is_ours=True)
    return found


def entries(path: Path) -> set[tuple[bytes, int]]:
    """Return what a file of announced serials says."""
    known = announced(path)
    return {(apex, serial.value) for apex in known if (serial := known.serial(apex)) is not None}


async def problem(server: Running, name: str) -> str | None:
    found = server.zone_status(dns.name.from_text(name))["problem"]
    return found and str(found["says"])


async def fetched(folder: Folder, server: Running, name: str, held: Zone | None) -> TransferredZone:
    """Transfer a zone as a secondary does that holds a version of it."""
    unless = held.serial if held is not None else None
    order = Transfer(Peer(PRIMARY, folder.port), Serial(1), unless)
    return await fetch_zone(server.context, order, dns.name.from_text(name), held)


def lose_packs(folder: Folder) -> None:
    """Lose the images, as in a power cut: they are a cache, and nobody waits until they are on the disk."""
    for pack in folder.images.glob("*.pack"):
        pack.unlink()


@pytest.mark.parametrize("workers", WORKERS)
class TestOlderFile:
    async def test_is_not_served_after_a_restart(self, folder: Folder, workers: int) -> None:
        """The version that was served last is, whether it was the first one or a later one; a newer file is taken again."""
        names = folder.many(4, 10)
        async with folder.served(workers) as server:
            folder.write(names[1], 12)
            assert await server.reload() == {}
        folder.write(names[0], 9)  # never changed since its first version
        folder.write(names[1], 11)
        folder.write(names[2], 11)  # newer: changed while the server was down
        async with folder.served(workers) as server:
            assert [await folder.serial(name) for name in names] == [10, 12, 11, 10]
            assert "lower than 10" in (await problem(server, names[0]) or "")
            assert "lower than 12" in (await problem(server, names[1]) or "")
            assert await problem(server, names[2]) is None
        async with folder.served(workers) as server:
            assert [await folder.serial(name) for name in names] == [10, 12, 11, 10]
            folder.write(names[0], 13)
            assert set(await server.reload()) == {dns.name.from_text(names[1])}
            assert [await folder.serial(name) for name in names] == [13, 12, 11, 10]

    async def test_is_not_served_after_one_zone_was_read_again(self, folder: Folder, workers: int) -> None:
        """What ``mailname reload NAME`` took over has an image, too, as has a zone that was repaired."""
        folder.many(2, 10)
        async with folder.served(workers) as server:
            folder.write("z0.test", 12)
            assert (await server.obey({"do": "reload", "zone": "z0.test"}))["ok"]
            folder.write("z1.test", 9)
            assert await server.reload()
            folder.write("z1.test", 13)
            assert await server.reload() == {}
            await until(lambda: not server.context.tasks)
            assert [await folder.serial(name) for name in ("z0.test", "z1.test")] == [12, 13]
        folder.write("z0.test", 11)
        folder.write("z1.test", 11)
        async with folder.served(workers):
            assert [await folder.serial(name) for name in ("z0.test", "z1.test")] == [12, 13]

    async def test_is_not_served_where_the_image_is_lost(self, folder: Folder, workers: int) -> None:
        """A zone that has changed has an entry of its own: SERVFAIL until there is a file that is no older."""
        names = folder.many(3, 10)
        async with folder.served(workers) as server:
            folder.write(names[1], 12)
            assert await server.reload() == {}
        lose_packs(folder)
        folder.write(names[1], 11)
        async with folder.served(workers) as server:
            assert [await folder.serial(name) for name in names] == [10, "SERVFAIL", 10]
            assert "lower than 12" in (await problem(server, names[1]) or "")
            folder.write(names[1], 12)
            assert await server.reload() == {}
            assert [await folder.serial(name) for name in names] == [10, 12, 10]

    async def test_that_is_still_known_is_not_served_either(self, folder: Folder, workers: int) -> None:
        """The file of yesterday is moved back, so that it seems unchanged, and only yesterday's pack is left."""
        path, kept = folder.write("a.test", 10), folder.path / "kept"
        async with folder.served(workers):
            pass
        (pack,) = folder.images.glob("*.pack")
        yesterday = pack.read_bytes()
        path.rename(kept)
        folder.write("a.test", 12)
        async with folder.served(workers):
            assert await folder.serial("a.test") == 12
        lose_packs(folder)
        pack.write_bytes(yesterday)
        kept.rename(path)
        async with folder.served(workers) as server:
            assert await folder.serial("a.test") == "SERVFAIL"
            assert "lower than 12" in (await problem(server, "a.test") or "")

    async def test_that_comes_back_after_a_while_without_one_is_not_served(self, folder: Folder, workers: int) -> None:
        """Removed and put back: the same, for a day. Then another owner may begin anew."""
        folder.many(2, 10)
        async with folder.served(workers) as server:
            path = folder.path / "z0.test.zone"
            path.unlink()
            assert await server.reload() == {}
            assert await folder.serial("z0.test") == "REFUSED"
        async with folder.served(workers) as server:
            clock = server.clock
            assert isinstance(clock, ShiftedClock)
            folder.write("z0.test", 9)
            assert set(await server.reload()) == {dns.name.from_text("z0.test")}
            assert await folder.serial("z0.test") == "SERVFAIL"
            clock.move(REMEMBERED + 60)
            assert await server.reload() == {}
            assert await folder.serial("z0.test") == 9

    async def test_with_the_same_serial_is_served_and_told(self, folder: Folder, workers: int) -> None:
        """Who edits while the server is down and forgets the serial is told as at any other time."""
        folder.write("a.test", 10)
        async with folder.served(workers):
            pass
        folder.write("a.test", 10, "more A 192.0.2.77")
        async with folder.served(workers) as server:
            assert (await asked(folder.at, "more.a.test", "A")).answer
            assert "secondaries will not fetch it" in (await problem(server, "a.test") or "")


class TestMemory:
    async def test_costs_nothing_where_nothing_has_changed(self, folder: Folder) -> None:
        """Not a file, not an entry: only a zone whose new version is read has one."""
        names = folder.many(6)
        for _ in range(2):
            async with folder.served() as server:
                assert await server.reload() == {}
            assert {one.suffix for one in folder.images.iterdir()} == {"", ".pack"}
            assert not (folder.images / "announced").exists()
        async with folder.served() as server:
            folder.write(names[3], 2)
            assert await server.reload() == {}
        assert entries(folder.images / "announced") == {(b"\x02z3\x04test\x00", 2)}

    async def test_that_the_disk_does_not_take_is_told(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """The new version is served, for its file is there; the status says what would not hold, until the disk takes it."""
        names = folder.many(2)

        def full(handle: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        async with folder.served() as server:
            folder.write(names[0], 2)
            with monkeypatch.context() as patch:
                patch.setattr(folder_announced, "sync", full)
                assert await server.reload() == {}
                assert await folder.serial(names[0]) == 2
                found = server.zone_status(dns.name.from_text(names[0]))["problem"]
                assert (found["reason"], "older file" in found["says"]) == ("not-kept", True)
            folder.write(names[1], 2)
            assert await server.reload() == {}
            assert [await problem(server, name) for name in names] == [None, None]
        assert entries(folder.images / "announced") == {(b"\x02z0\x04test\x00", 2), (b"\x02z1\x04test\x00", 2)}


class TestJournal:
    async def test_answers_ixfr_where_somebody_transfers_the_zone(self, folder: Folder) -> None:
        """From the first version that was transferred on, over a restart; nobody else's zone has one."""
        names = folder.many(3)
        async with folder.served() as server:
            held = (await fetched(folder, server, names[0], None)).zone
            for serial in (2, 3):
                for name in names:
                    folder.write(name, serial, f"now TXT {serial}")
                assert await server.reload() == {}
            changed = await fetched(folder, server, names[0], held)
            assert (changed.kind, changed.zone.serial) == ("IXFR", Serial(3))
            assert changed.zone == (await fetched(folder, server, names[0], None)).zone
        assert [path.name for path in (folder.images / "journals").iterdir()] == ["z0.test.journal"]
        folder.write(names[0], 4, "now TXT 4")  # while the server is down
        async with folder.served() as server:
            changed = await fetched(folder, server, names[0], held)
            assert (changed.kind, changed.zone.serial) == ("IXFR", Serial(4))
            (folder.path / f"{names[0]}.zone").unlink()
            assert await server.reload() == {}
        assert not list((folder.images / "journals").iterdir())

    async def test_leads_nowhere_where_it_may_be_wrong(self, folder: Folder) -> None:
        """Another content under a serial that was served, or an image that is lost: the whole zone is sent."""
        folder.write("a.test", 1)
        async with folder.served() as server:
            held = (await fetched(folder, server, "a.test", None)).zone
            folder.write("a.test", 2, "one A 192.0.2.1")
            assert await server.reload() == {}
            folder.write("a.test", 2, "other A 192.0.2.2")
            assert await server.reload() == {}
            found = await fetched(folder, server, "a.test", held)
            assert (found.kind, found.zone.serial) == ("AXFR", Serial(2))
            folder.write("a.test", 3)
            assert await server.reload() == {}
            assert (await fetched(folder, server, "a.test", held)).kind == "AXFR"
            assert (await fetched(folder, server, "a.test", found.zone)).kind == "IXFR"
        lose_packs(folder)
        async with folder.served() as server:
            assert (await fetched(folder, server, "a.test", found.zone)).kind == "AXFR"

    async def test_of_the_zone_used_for_longest_ago_goes_first(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """Their number and their size are bounded."""
        monkeypatch.setattr(folder_journals, "_MOST", 2)
        names = folder.many(4)
        async with folder.served() as server:
            for name in names:
                await fetched(folder, server, name, None)
            for name in names:
                folder.write(name, 2)
            assert await server.reload() == {}
            assert {path.name for path in (folder.images / "journals").iterdir()} == {"z2.test.journal", "z3.test.journal"}
            monkeypatch.setattr(folder_journals, "_MOST_OCTETS", 500)
            folder.write(names[3], 3)
            assert await server.reload() == {}
            assert [path.name for path in (folder.images / "journals").iterdir()] == ["z3.test.journal"]


class TestAnnounced:
    @given(st.integers(0, 120), st.integers(0, 254), st.integers(0, 40))
    def test_spoiled_anywhere_tells_what_is_left(self, at: int, octet: int, cut: int) -> None:
        """A torn end is as if it had never begun; an entry that is spoiled hides no other one."""
        good = b"".join(folder_announced._entry(apex, serial, 0) for apex, serial in ((A, 1), (B, 2), (A, 3)))
        size = len(good) // 3
        spoiled = bytearray(good[: len(good) - cut])
        if at < len(spoiled):
            spoiled[at] ^= octet + 1
        whole = [(A, 1), (B, 2), (A, 3)]
        hit = {at // size} if at < len(spoiled) else set()
        left = [one for place, one in enumerate(whole) if (place + 1) * size <= len(spoiled) and place not in hit]
        found = [(apex, serial) for apex, serial, *_ in folder_announced._good_entries(bytes(spoiled))]
        assert found == left

    def test_is_written_behind_the_last_good_entry(self, tmp_path: Path) -> None:
        """What was cut short is cut off."""
        path = tmp_path / "announced"
        announced(path).add({A: Serial(1)}, {}, 1e9)
        path.write_bytes(path.read_bytes() + b"SOA\x01torn")
        announced(path).add({B: Serial(2)}, {}, 1e9)
        assert entries(path) == {(A, 1), (B, 2)}
        assert b"torn" not in path.read_bytes()

    def test_is_written_anew_when_most_is_overtaken(self, tmp_path: Path) -> None:
        """It does not grow without end."""
        path = tmp_path / "announced"
        known = announced(path)
        for serial in range(1, 500):
            known.add({A: Serial(serial)}, {}, 1e9)
        assert entries(path) == {(A, 499)}
        assert path.stat().st_size <= 66 * (20 + len(A))

    def test_of_another_process_is_read_and_not_written(self, tmp_path: Path) -> None:
        """One process at a time writes."""
        path = tmp_path / "announced"
        announced(path).add({A: Serial(7)}, {}, 1e9)
        before = path.read_bytes()
        other = Announced(path)
        other.open(is_ours=False)
        other.add({A: Serial(8)}, {}, 1e9)
        assert (other.serial(A), path.read_bytes()) == (Serial(8), before)
        assert not other.unwritten


def test_entry_is_as_described() -> None:
    """20 octets, little-endian, and the name."""
    entry = folder_announced._entry(A, 0x01020304, 5)
    assert entry[:4] == b"SOA\x01"
    assert struct.unpack("<3I", entry[8:20]) == (0x01020304, 5, len(A))
    assert entry[20:] == A
