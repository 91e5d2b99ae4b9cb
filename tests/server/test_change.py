"""A primary zone changed without its file: kept, served, announced, and there again after a new start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.server.running import APEX, Running, Site, asked, running, serial_at, until
from tests.zone.test_image_merge import changes_of

from mailname.errors import HostError, ZoneError
from mailname.server.primary_zone import PrimaryZone
from mailname.zone import Serial

if TYPE_CHECKING:
    from mailname.zone.image_merge import Changes
    from mailname.zone.image_zone import ImageZone

ADDED = ("+ new 60 A 192.0.2.77",)


def zone_in(server: Running) -> PrimaryZone:
    found = server.zones[APEX]
    assert isinstance(found, PrimaryZone)
    return found


async def changed(server: Running, *lines: str) -> Serial:
    return await zone_in(server).change(changes_of(*lines, apex=APEX))


class TestChange:
    async def test_is_served_and_announced(self, site: Site) -> None:
        """Under the next serial; the secondaries fetch it."""
        site.write(5)
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 5)
            assert await changed(primary, *ADDED) == Serial(6)
            assert (await asked(site.primary_at, "new.example.tech.", "A")).answer
            await until(lambda: secondary.serial() == 6)
            assert (await asked(site.secondary_at, "new.example.tech.", "A")).answer

    async def test_is_there_after_a_new_start(self, site: Site) -> None:
        """Nothing is wrong with a file that has not changed since."""
        site.write(5)
        async with running(site.primary()) as primary:
            await changed(primary, *ADDED)
            await changed(primary, "- new A 192.0.2.77", "+ newer 60 A 192.0.2.77")
        async with running(site.primary()) as primary:
            assert primary.serial() == 7
            assert primary.zone_status()["problem"] is None
            assert (await asked(site.primary_at, "newer.example.tech.", "A")).answer
            assert await primary.reload() == {}
            assert await changed(primary, *ADDED) == Serial(8)

    async def test_gives_way_to_a_newer_file(self, site: Site) -> None:
        """The file is the whole zone; who writes it knows what was changed."""
        site.write(5)
        async with running(site.primary()) as primary:
            await changed(primary, *ADDED)
            site.write(6)
            assert await primary.reload() == {}
            assert primary.zone_status()["problem"]["reason"] == "serial-not-raised"
            site.write(7)
            assert await primary.reload() == {}
            assert primary.serial() == 7
            assert not (await asked(site.primary_at, "new.example.tech.", "A")).answer

    async def test_that_comes_to_nothing_raises_no_serial(self, site: Site) -> None:
        """And writes nothing."""
        site.write(5)
        async with running(site.primary()) as primary:
            assert await changed(primary, "+ ns1 3600 A 192.0.2.1") == Serial(5)
            assert await serial_at(site.primary_at) == 5

    async def test_that_cannot_be_made_changes_nothing(self, site: Site) -> None:
        """Its reason comes back."""
        site.write(5)
        async with running(site.primary()) as primary:
            with pytest.raises(ZoneError, match="to be removed, but is not there"):
                await changed(primary, "- new A 192.0.2.77")
            with pytest.raises(ZoneError, match="a CNAME record and other data"):
                await changed(primary, "+ ns1 60 CNAME mail")
            assert await serial_at(site.primary_at) == 5
            assert await changed(primary, *ADDED) == Serial(6)

    async def test_that_the_disk_refuses_changes_nothing(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is served is as before."""
        site.write(5)
        async with running(site.primary()) as primary:
            await changed(primary, *ADDED)

            def full(*_: object) -> None:
                raise OSError(28, "No space left on device")

            with monkeypatch.context() as patch:
                patch.setattr("os.pwrite", full)
                with pytest.raises(HostError, match="No space left"):
                    await changed(primary, "+ newer 60 A 192.0.2.77")
            assert primary.serial() == 6
            assert await changed(primary, "+ newest 60 A 192.0.2.77") == Serial(7)
        async with running(site.primary()) as primary:
            assert primary.serial() == 7
            assert not (await asked(site.primary_at, "newer.example.tech.", "A")).answer

    async def test_is_made_from_the_version_that_is_served(self, site: Site) -> None:
        """Who makes it may look at that, and refuse."""
        site.write(5)
        async with running(site.primary()) as primary:

            def make(zone: ImageZone) -> Changes:
                if zone.serial != Serial(5):
                    raise LookupError
                return changes_of(*ADDED, apex=APEX)

            assert await zone_in(primary).change(make) == Serial(6)
            with pytest.raises(LookupError):
                await zone_in(primary).change(make)
            assert primary.serial() == 6

    async def test_of_a_zone_that_is_not_served_is_refused(self, site: Site) -> None:
        """There is nothing to change."""
        site.file.unlink()
        async with running(site.primary()) as primary:
            with pytest.raises(ZoneError, match="is not served"):
                await changed(primary, *ADDED)

    async def test_with_its_last_steps_lost_goes_on_above_them(self, site: Site) -> None:
        """No serial that anybody has seen is given to another content."""
        site.write(5)
        async with running(site.primary()) as primary:
            await changed(primary, *ADDED)
            await changed(primary, "+ newer 60 A 192.0.2.77")
        path = site.folder / "primary" / "example.tech.journal"
        octets = bytearray(path.read_bytes())
        octets[-1] ^= 1
        path.write_bytes(octets)
        async with running(site.primary()) as primary:
            assert primary.serial() == 8
            assert (await asked(site.primary_at, "new.example.tech.", "A")).answer
            assert not (await asked(site.primary_at, "newer.example.tech.", "A")).answer
