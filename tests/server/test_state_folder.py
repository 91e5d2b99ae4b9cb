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

from mailname.errors import HostError
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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

    async def test_secondary_catches_up(self, site: Site) -> None:
        await in_step(site, range(1, 3))
        shutil.copytree(site.folder / "secondary", site.folder / "yesterday")
        await in_step(site, range(3, 5))
        shutil.rmtree(site.folder / "secondary")
        shutil.copytree(site.folder / "yesterday", site.folder / "secondary")
        async with running(site.primary()), running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 4)
            assert is_version(secondary, 4)


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
            with (small_disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
                while True:
                    ballast.write(bytes(4096))
            publish(site, 2)
            problems = await primary.reload()
            assert "No space left on device" in problems[APEX]
            assert "No space left on device" in primary.zone_status()["problem"]["says"]
            assert await serial_at(site.primary_at) == 1
            (small_disk / "ballast").unlink()
            assert await primary.reload() == {}
            assert await serial_at(site.primary_at) == 2
            assert primary.zone_status()["problem"] is None

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


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)
