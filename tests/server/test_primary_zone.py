"""Primary zones: loaded, kept, refused, announced."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import dns.name
import pytest
from tests.server.running import APEX, Site, asked, running, serial_at, until, zone_text

from mailname.server import image_library
from mailname.server.config import ZoneConfig
from mailname.server.secondary_zone import SecondaryZone
from mailname.server.zonefiles import read_image

if TYPE_CHECKING:
    from pathlib import Path

    from mailname.server.zonefiles import ReadFile
    from mailname.zone.load import Loader

OTHER = dns.name.from_text("other.test.")


def two_zones(site: Site) -> tuple[ZoneConfig, ZoneConfig]:
    other = site.folder / "other.test.zone"
    other.write_text(zone_text(5), encoding="utf-8")
    return site.zone(notify=False), ZoneConfig(OTHER, "primary", other)


class TestBadFile:
    async def test_on_reload_leaves_the_last_good_version_serving(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        """The place of the mistake is told, other zones take their changes, and the next good file is taken."""
        ours, other = two_zones(site)
        async with running(site.primary(ours, other)) as server:
            site.write(2, "www A not-an-address")
            assert other.file is not None
            other.file.write_text(zone_text(6), encoding="utf-8")
            problems = await server.reload()
            assert list(problems) == [APEX]
            assert f"{site.file}:9:7: " in problems[APEX]
            assert await serial_at(site.primary_at) == 1
            status = server.zone_status()
            assert (status["state"], status["serial"]) == ("serving", 1)
            assert f"{site.file}:9:7" in status["problem"]["says"]
            assert server.zone_status(OTHER)["serial"] == 6
            assert "serving serial 1 on" in caplog.text
            site.write(2)
            assert await server.reload(APEX) == {}
            assert (server.serial(), server.zone_status()["problem"]) == (2, None)

    async def test_at_start_leaves_the_version_served_before_serving(self, site: Site) -> None:
        """The copy in the state folder is as good as the file was."""
        async with running(site.primary()):
            pass
        site.write(2, "www A not-an-address")
        async with running(site.primary()) as server:
            assert await serial_at(site.primary_at) == 1
            assert "9:7" in server.zone_status()["problem"]["says"]

    async def test_at_the_very_first_start_is_servfail(self, site: Site) -> None:
        """Not REFUSED: the zone is ours; other zones are served."""
        ours, other = two_zones(site)
        site.file.write_text("rubbish", encoding="utf-8")
        async with running(site.primary(ours, other)) as server:
            assert await serial_at(site.primary_at) == "SERVFAIL"
            assert await serial_at(site.primary_at, tcp=True) == "SERVFAIL"
            assert server.zone_status()["state"] == "not loaded"
            assert (await asked(site.primary_at, "other.test.")).answer

    @pytest.mark.parametrize("how", ["missing", "a folder"])
    async def test_that_cannot_be_read_is_told(self, site: Site, how: str) -> None:
        """The system's reason stands in the problem."""
        site.file.unlink()
        if how == "a folder":
            site.file.mkdir()
        async with running(site.primary()) as server:
            assert f"cannot read {site.file}" in server.zone_status()["problem"]["says"]

    async def test_include_out_of_the_folder_is_refused(self, site: Site) -> None:
        """A zone file is no way to read /etc."""
        async with running(site.primary()) as server:
            site.write(2, "$INCLUDE ../secret")
            (site.folder.parent / "secret").write_text("x A 192.0.2.9\n", encoding="utf-8")
            assert "leaves the zone's folder" in (await server.reload())[APEX]
            (site.folder / "more.inc").write_text("x A 192.0.2.9\n", encoding="utf-8")
            site.write(2, "$INCLUDE more.inc")
            assert await server.reload() == {}
            assert (await asked(site.primary_at, "x.example.tech.", "A")).answer


class TestSerial:
    async def test_lower_is_refused(self, site: Site) -> None:
        """Secondaries would never take it. RFC 1982."""
        site.write(5)
        async with running(site.primary()) as server:
            site.write(4, "www A 192.0.2.9")
            problem = (await server.reload())[APEX]
            assert "serial 4" in problem
            assert "lower than 5" in problem
            assert await serial_at(site.primary_at) == 5

    async def test_lower_is_refused_after_a_restart(self, site: Site) -> None:
        """What was announced is remembered, even when the copy is lost."""
        site.write(5)
        async with running(site.primary()):
            pass
        (site.folder / "primary" / "example.tech.zone").unlink()
        site.write(4)
        async with running(site.primary()) as server:
            assert await serial_at(site.primary_at) == "SERVFAIL"
            assert server.zone_status()["announced"] == 5
            site.write(6)
            assert await server.reload() == {}
            assert await serial_at(site.primary_at) == 6

    async def test_changed_content_with_the_same_serial_is_served_and_told(self, site: Site) -> None:
        """As BIND does; but it is a problem until the serial is raised, however often the file is read again."""
        async with running(site.primary()) as server:
            site.write(1, "www A 192.0.2.9")
            for _ in range(2):
                assert await server.reload() == {}
                assert "its serial 1 did not" in server.zone_status()["problem"]["says"]
            assert (await asked(site.primary_at, "www.example.tech.", "A")).answer
            answer = await server.obey({"do": "reload"})
            assert answer["ok"]
            assert "its serial 1 did not" in answer["says"]
            site.write(2, "www A 192.0.2.9")
            await server.reload()
            assert server.zone_status()["problem"] is None

    async def test_unchanged_file_is_not_announced_again(self, site: Site) -> None:
        """A reload of a thousand zones does not wake a thousand secondaries."""
        async with running(site.primary()) as server:
            since = server.zone_status()["secondaries"][0]["tries"]
            await server.reload()
            assert server.zone_status()["secondaries"][0]["tries"] == since


class TestDiskThatRefuses:
    async def test_new_version_is_not_served(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A serial that is not on the disk could fall after a restart; the version before serves on, and it is said."""
        async with running(site.primary()) as server:
            site.write(2)

            def full(fd: int) -> None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            with monkeypatch.context() as patch:
                patch.setattr(os, "fsync", full)
                problem = (await server.reload())[APEX]
            assert "No space left on device" in problem
            assert await serial_at(site.primary_at) == 1
            assert "No space left on device" in server.zone_status()["problem"]["says"]
            assert not list((site.folder / "primary").glob(".*.new"))
            assert await server.reload() == {}
            assert await serial_at(site.primary_at) == 2
            assert server.zone_status()["problem"] is None


class TestReconfigured:
    async def test_removed_zone_is_refused(self, site: Site) -> None:
        """REFUSED, at once."""
        ours, other = two_zones(site)
        config = site.primary(ours, other)
        async with running(config) as server:
            await server.reconfigure(replace(config, zones=(other,)))
            assert await serial_at(site.primary_at) == "REFUSED"
            await server.reconfigure(config)
            assert await serial_at(site.primary_at) == 1

    async def test_zone_removed_while_it_loads_is_not_served_again(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its load ends without effect, on what is served and on the disk."""
        config = site.primary()
        reading, go_on = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def slowly(path: Path, apex: bytes, loader: Loader) -> ReadFile:
            loop.call_soon_threadsafe(reading.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
            return read_image(path, apex, loader)

        async with running(config) as server:
            site.write(2)
            monkeypatch.setattr(image_library, "read_image", slowly)
            loading = asyncio.create_task(server.reload())
            await reading.wait()
            changing = asyncio.create_task(server.reconfigure(replace(config, zones=())))
            await until(lambda: not server.zones)
            go_on.set()
            await changing
            assert "no longer served" in (await loading)[APEX]
            assert await serial_at(site.primary_at) == "REFUSED"
        assert "SOA ns2.example.tech. hostmaster.example.tech. 2 " not in (
            site.folder / "primary" / "example.tech.zone"
        ).read_text(encoding="utf-8")

    async def test_change_of_its_peers_serves_on(self, site: Site) -> None:
        """The zone starts again with the same content."""
        config = site.primary()
        async with running(config) as server:
            await server.reconfigure(replace(config, zones=(site.zone(notify=False),)))
            assert await serial_at(site.primary_at) == 1
            assert server.zone_status()["secondaries"] == []

    async def test_what_needs_a_restart_is_told(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        """Addresses, state and control socket stay as they are."""
        config = site.primary()
        async with running(config) as server:
            await server.reconfigure(replace(config, listen=(site.secondary_at,)))
            assert "start the server again" in caplog.text
            assert server.status()["listen"] == [str(site.primary_at)]
            assert await serial_at(site.primary_at) == 1


class TestNotify:
    async def test_secondary_that_is_down_is_told_when_it_is_back(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        """Retried until acknowledged, and the status says why not yet."""
        caplog.set_level(logging.INFO, "mailname")
        async with running(site.primary()) as server:
            await until(lambda: server.zone_status()["secondaries"][0]["says"])
            waiting = server.zone_status()["secondaries"][0]
            assert (waiting["state"], waiting["serial"]) == ("waiting", 1)
            assert "nothing listens there (UDP refused)" in waiting["says"]
            async with running(site.secondary()):
                await until(lambda: server.zone_status()["secondaries"][0]["state"] == "acknowledged")
            assert f"notify to {site.secondary_at} for serial 1: NOERROR" in caplog.text or "transferred serial 1" in caplog.text

    async def test_order_notifies_again(self, site: Site) -> None:
        """``mailname notify``."""
        async with running(site.secondary()) as secondary, running(site.primary()) as server:
            await until(lambda: server.zone_status()["secondaries"][0]["state"] == "acknowledged")
            await until(lambda: secondary.serial() == 1)
            copy = secondary.zones[APEX]
            assert isinstance(copy, SecondaryZone)
            copy._last_notify = None
            assert (await server.obey({"do": "notify"}))["ok"]
            await until(lambda: secondary.zone_status()["last_notify"])
