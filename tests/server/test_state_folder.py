"""What becomes of a state folder outside of our hands: spoiled, brought back from a copy, on a disk that is full or read-only."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.interop.programs import go_without
from tests.server.running import APEX, Running, Site, running, serial_at, until, zone_text
from tests.zone.test_image_merge import changes_of

from mailname.errors import HostError
from mailname.server import late_records
from mailname.server.primary_zone import PrimaryZone
from mailname.server.store import Store
from mailname.zone import Serial
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import dns.name

SIDES = ("primary", "secondary")
LAST = 4


def text(serial: int) -> str:
    hosts = "\n".join(f"host{number} A 192.0.2.{number}" for number in range(60))
    return zone_text(serial, f"now TXT {serial}\n{hosts}", retry=1)


def publish(site: Site, serial: int) -> None:
    site.file.write_text(text(serial), encoding="utf-8")
    os.utime(site.file, (1e9 + serial, 1e9 + serial))  # long ago, so that its image is kept


async def in_step(site: Site, serials: range) -> None:
    """Let a pair publish some versions, and end."""
    publish(site, serials[0])
    async with running(site.primary()) as primary, running(site.secondary()) as secondary:
        for serial in serials:
            publish(site, serial)
            assert await primary.reload() == {}
            await until_at(secondary, serial)


async def until_at(server: Running, serial: int) -> None:
    """Wait until a server serves this serial."""
    await until(lambda: server.serial() == serial)


def is_version(server: Running, serial: int) -> bool:
    return server.zones[APEX].zone == read_zone(text(serial), "x", APEX).zone


class TestFlippedBit:
    async def test_is_never_served(self, site: Site) -> None:
        """In any file, anywhere: what is served is a version that there was, and the pair ends with the last one."""
        await in_step(site, range(1, LAST + 1))
        good = site.folder / "good"
        for side in SIDES:
            shutil.copytree(site.folder / side, good / side)
        files = sorted(path.relative_to(good) for path in good.rglob("*") if path.is_file() and path.stat().st_size)
        assert {"example.tech.zone", "example.tech.json", "history.sqlite"} <= {path.name for path in files}
        assert any(path.suffix == ".pack" for path in files)
        assert any(path.suffix == ".journal" for path in files)
        chance = random.Random(7)
        for path in files:
            for _ in range(2):
                for side in SIDES:
                    shutil.rmtree(site.folder / side)
                    shutil.copytree(good / side, site.folder / side)
                flip(site.folder / path, chance)
                async with running(site.secondary()) as secondary:
                    served = secondary.serial()
                    assert served is None or is_version(secondary, served), path
                async with running(site.primary()) as primary, running(site.secondary()) as secondary:
                    await until_at(secondary, LAST)
                    assert is_version(primary, LAST), path
                    assert is_version(secondary, LAST), path


def flip(path: Path, chance: random.Random) -> None:
    octets = bytearray(path.read_bytes())
    octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
    path.write_bytes(octets)


class TestYesterday:
    async def test_primary_never_goes_below_its_secondary(self, site: Site) -> None:
        """State folder and zone file are of yesterday: the secondary keeps what it has, and says that the primary went back."""
        await in_step(site, range(1, 3))
        shutil.copytree(site.folder / "primary", site.folder / "yesterday")
        await in_step(site, range(3, 5))
        shutil.rmtree(site.folder / "primary")
        shutil.copytree(site.folder / "yesterday", site.folder / "primary")
        publish(site, 2)
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            assert primary.serial() == 2
            await until(lambda: secondary.zone_status()["last_failure"])
            assert is_version(secondary, 4)
            publish(site, 5)
            assert await primary.reload() == {}
            await until(lambda: secondary.serial() == 5)

    async def test_primary_asks_and_says_that_it_went_back(self, site: Site) -> None:
        """Nobody told it: its secondaries did. Nothing below what they hold is taken over, until a version above is."""
        await in_step(site, range(1, 5))
        shutil.rmtree(site.folder / "primary")
        publish(site, 2)
        async with running(site.secondary()) as secondary, running(site.primary()) as primary:
            await until(lambda: primary.zone_status()["problem"])
            status = (await primary.obey({"do": "status"}))["zones"][0]
            assert (status["cause"]["code"], status["announced"]) == ("REPL-15", 4)
            assert "127.0.0.3 holds serial 4, and here is serial 2" in status["cause"]["says"]
            publish(site, 3)
            assert "lower than 4" in (await primary.reload())[APEX]
            publish(site, 5)
            assert await primary.reload() == {}
            assert primary.zone_status()["problem"] is None
            await until(lambda: secondary.serial() == 5)

    async def test_primary_asks_a_secondary_that_was_away(self, site: Site) -> None:
        """When that acknowledges a NOTIFY."""
        await in_step(site, range(1, 5))
        shutil.rmtree(site.folder / "primary")
        publish(site, 2)
        async with running(site.primary()) as primary:
            await until(lambda: primary.zone_status()["secondaries"][0]["tries"])
            assert primary.zone_status()["problem"] is None
            async with running(site.secondary()):
                await until(lambda: primary.zone_status()["problem"])
                assert primary.zone_status()["problem"]["reason"] == "went-back"

    async def test_update_goes_above_what_a_secondary_holds(self, site: Site) -> None:
        """What changes here by itself needs nobody to raise the serial."""
        await in_step(site, range(1, 5))
        shutil.rmtree(site.folder / "primary")
        publish(site, 2)
        async with running(site.secondary()) as secondary, running(site.primary()) as primary:
            await until(lambda: primary.zone_status()["problem"])
            zone = primary.zones[APEX]
            assert isinstance(zone, PrimaryZone)
            assert await zone.change(changes_of("+ new 60 A 192.0.2.77", apex=APEX)) == Serial(5)
            assert zone.problem is None
            await until(lambda: secondary.serial() == 5)

    async def test_secondary_catches_up(self, site: Site) -> None:
        await in_step(site, range(1, 3))
        shutil.copytree(site.folder / "secondary", site.folder / "yesterday")
        await in_step(site, range(3, 5))
        shutil.rmtree(site.folder / "secondary")
        shutil.copytree(site.folder / "yesterday", site.folder / "secondary")
        async with running(site.primary()), running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 4)
            assert is_version(secondary, 4)


class TestJournalThatCannotBeRead:
    """It is there, and the system does not give it to us: a permission, a broken disk. Nobody may take it for an empty one."""

    @contextlib.contextmanager
    def closed(self, folder: Path) -> Iterator[None]:
        """Put a folder in its place: that cannot be read as root either."""
        journal, aside = folder / "example.tech.journal", folder / "aside"
        journal.rename(aside)
        journal.mkdir()
        yield
        journal.rmdir()
        aside.rename(journal)

    async def test_of_a_secondary_answers_no_older_copy_and_is_in_step_by_its_primary(self, site: Site) -> None:
        await in_step(site, range(1, 4))
        with self.closed(site.folder / "secondary"):
            async with running(site.secondary()) as secondary:
                assert secondary.serial() is None
                async with running(site.primary()):
                    await until_at(secondary, 3)
                    await until(lambda: secondary.zone_status()["problem"])
                told = secondary.zone_status()["problem"]
                assert told["reason"] == "not-kept"
                assert "cannot read" in told["says"]
                assert "start the server again" in told["remedy"]
        async with running(site.secondary()) as secondary:
            assert is_version(secondary, 3)

    async def test_of_a_primary_is_left_alone_and_the_file_is_served(self, site: Site) -> None:
        await in_step(site, range(1, 4))
        publish(site, 4)
        with self.closed(site.folder / "primary"):
            async with running(site.primary()) as primary:
                assert is_version(primary, 4)
                assert primary.zone_status()["problem"]["reason"] == "not-kept"
                publish(site, 5)
                assert "cannot read" in (await primary.reload())[APEX]
                assert primary.serial() == 4
        async with running(site.primary()) as primary:
            assert is_version(primary, 5)
            assert primary.zone_status()["problem"] is None


class TestFilesCutUnderTheServer:
    async def test_harm_nobody_who_is_answered(self, site: Site) -> None:
        """As by copying an older folder over the one in use: what is served lies in memory, and the next version is kept."""
        await in_step(site, range(1, 3))
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await until_at(secondary, 2)
            cut = [path for side in SIDES for path in (site.folder / side).rglob("*") if path.suffix in (".pack", ".journal")]
            assert {path.suffix for path in cut} == {".pack", ".journal"}
            for path in cut:
                os.truncate(path, 0)
            assert is_version(primary, 2)
            assert is_version(secondary, 2)
            publish(site, 3)
            assert await primary.reload() == {}
            await until_at(secondary, 3)
            (site.folder / "primary" / "lock").unlink()
            assert "was replaced" in (await primary.obey({"do": "status"}))["disk"]["problem"]
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            assert primary.serial() == 3
            await until_at(secondary, 3)
            assert is_version(secondary, 3)


class TestTwoProcesses:
    async def test_second_names_the_first(self, site: Site) -> None:
        """One server per state folder."""
        async with running(site.primary()):
            with pytest.raises(HostError, match=f"in use by process {os.getpid()}"):
                Running(site.primary())

    async def test_lock_of_one_that_was_killed_is_no_obstacle(self, site: Site) -> None:
        """The system lets go of it; the file that stays, with its number, means nothing."""
        (site.folder / "primary").mkdir()
        (site.folder / "primary" / "lock").write_text("4194305\n", encoding="ascii")
        async with running(site.primary()) as primary:
            assert primary.serial() == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of one megabyte, where we may."""
    if sys.platform != "linux" or os.geteuid() != 0:
        go_without("only root on Linux can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "small", disk], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        go_without(f"no disk can be mounted here: {done.stderr}")
    yield disk
    with contextlib.suppress(OSError):
        (disk / "ballast").unlink()
    subprocess.run(["umount", "--lazy", disk], check=True)  # zones that were served are mapped until nobody holds them


class TestRealDisk:
    async def test_full_one_is_told_and_served_from(self, site: Site, small_disk: Path) -> None:
        """The primary refuses the version that it cannot keep and serves on; once there is room it takes it."""
        config = site.primary(state=small_disk / "state")
        async with running(config) as primary:
            fill(small_disk)
            publish(site, 2)
            problems = await primary.reload()
            assert "No space left on device" in problems[APEX]
            assert "No space left on device" in primary.zone_status()["problem"]["says"]
            assert await serial_at(site.primary_at) == 1
            (small_disk / "ballast").unlink()
            assert await primary.reload() == {}
            assert await serial_at(site.primary_at) == 2
            assert primary.zone_status()["problem"] is None

    async def test_full_one_of_a_secondary_never_lets_the_serial_fall(self, site: Site, small_disk: Path) -> None:
        """What it cannot keep it serves; started again, it answers nothing until its primary is there.

        Or the newer version, where the last block of its journal still had the room for it: the older one never.
        """
        config = site.secondary(state=small_disk / "state")
        publish(site, 1)
        async with running(site.primary()) as primary, running(config) as secondary:
            await until_at(secondary, 1)
            await until((small_disk / "state" / "example.tech.json").exists)
            fill(small_disk)
            publish(site, 2)
            assert await primary.reload() == {}
            await until(lambda: secondary.zone_status()["problem"])
            await until_at(secondary, 2)
            assert secondary.zone_status()["problem"]["reason"] == "not-kept"
        async with running(config) as secondary:
            assert await serial_at(site.secondary_at) in ("SERVFAIL", 2)
            (small_disk / "ballast").unlink()
            async with running(site.primary()):
                await until_at(secondary, 2)
                await until(lambda: secondary.zone_status()["problem"] is None)
        async with running(config):
            assert await serial_at(site.secondary_at) == 2

    async def test_room_that_comes_back_is_noticed_by_itself(
        self, site: Site, small_disk: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody publishes, nobody starts anything again: the copy is kept, the history too, and the next start has them."""
        monkeypatch.setattr(late_records, "_AGAIN", 0.05)
        config = site.secondary(state=small_disk / "state")
        publish(site, 1)
        async with running(site.primary()) as primary, running(config) as secondary:
            await until_at(secondary, 1)
            await until((small_disk / "state" / "example.tech.json").exists)
            fill(small_disk)
            for serial in range(2, 40):  # the last blocks of its files may have room for some
                publish(site, serial)
                assert await primary.reload() == {}
                await until_at(secondary, serial)
                told = await secondary.obey({"do": "status"})
                if secondary.zone_status()["problem"] and told["history"]["problem"]:
                    break
            assert secondary.zone_status()["problem"]["reason"] == "not-kept"
            assert "disk is full" in told["history"]["problem"]
            (small_disk / "ballast").unlink()
            await until(lambda: secondary.zone_status()["problem"] is None)
            assert (await secondary.obey({"do": "status"}))["history"]["problem"] is None
        async with running(config):
            assert await serial_at(site.secondary_at) == serial

    async def test_full_one_that_takes_not_even_a_mark_keeps_the_secondary_where_it_is(
        self, site: Site, small_disk: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A start could not be kept from answering the older version: so the newer is not served, and that is told."""

        def refuse(store: Store, apex: dns.name.Name) -> None:
            raise HostError(f"cannot mark the copy of {apex} in {store.folder} as old: Read-only file system", step="state")

        publish(site, 1)
        async with running(site.primary()) as primary, running(site.secondary(state=small_disk / "state")) as secondary:
            await until_at(secondary, 1)
            await until((small_disk / "state" / "example.tech.json").exists)
            fill(small_disk)
            with monkeypatch.context() as patched:
                patched.setattr(Store, "disown", refuse)
                publish(site, 2)
                assert await primary.reload() == {}
                await until(lambda: (secondary.zone_status()["last_failure"] or {}).get("reason") == "not-kept")
                assert await serial_at(site.secondary_at) == 1
                cause = (await secondary.obey({"do": "status"}))["zones"][0]["cause"]
                assert cause["code"] == "REPL-26"
                assert "Serial 2 was fetched and is not served" in cause["says"]
            (small_disk / "ballast").unlink()
            await until_at(secondary, 2)
            assert secondary.zone_status()["problem"] is None

    async def test_read_only_one_is_started_from(self, site: Site, small_disk: Path) -> None:
        """What is kept there is served, whatever became of the zone file; what is new is refused, since it cannot be kept."""
        config = site.primary(state=small_disk / "state")
        async with running(config):
            pass
        remount(small_disk, "ro")
        site.file.write_text("spoiled", encoding="utf-8")
        async with running(config) as again:
            assert again.serial() == 1
            publish(site, 2)
            assert "Read-only file system" in (await again.reload())[APEX]
            assert await serial_at(site.primary_at) == 1
        remount(small_disk, "rw")


def fill(disk: Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(4096))


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)
