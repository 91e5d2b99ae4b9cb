"""A folder of zones: read into packs, mapped at the next start, followed on reload; a bad file costs nothing but itself."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import shutil
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.name
import dns.rcode
import pytest
from tests.server.running import PRIMARY, Running, asked, free_port, until, zone_text
from tests.server.test_udp_workers import AVAILABLE

from mailname.errors import HostError
from mailname.server import folder_reading, pack_folder
from mailname.server.asking import fetch_zone
from mailname.server.clock import ShiftedClock
from mailname.server.config import config_for_folder
from mailname.server.network import Endpoint
from mailname.transfer.actions import Peer, Transfer
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE = ip_network("127.0.0.0/8")


@dataclass
class Folder:
    """A folder of zone files, and a server of it."""

    path: Path
    port: int = field(default_factory=free_port)

    @property
    def images(self) -> Path:
        return self.path / ".images"

    @property
    def at(self) -> Endpoint:
        return Endpoint(PRIMARY, self.port)

    def write(self, name: str, serial: int, more: str = "", *, file: str | None = None) -> Path:
        """Write a zone file, as long ago as a file has to be to be known again."""
        path = self.path / (file or f"{name}.zone")
        path.write_text(zone_text(serial, more).replace("example.tech", name), encoding="utf-8")
        self.age(path)
        return path

    def age(self, path: Path) -> None:
        """Let a file have changed a while ago, each time at another moment."""
        self.moment = getattr(self, "moment", time.time_ns() - 3_600 * 10**9) + 10**9
        os.utime(path, ns=(self.moment, self.moment))

    def many(self, count: int, serial: int = 1) -> list[str]:
        names = [f"z{number}.test" for number in range(count)]
        for name in names:
            self.write(name, serial)
        return names

    def server(self, workers: int, *, images: bool = True) -> Running:
        config = config_for_folder(self.path, (self.at,), (HERE,), None, self.images if images else None)
        return Running(config, clock=ShiftedClock(), workers=workers)

    @asynccontextmanager
    async def served(self, workers: int = 1, *, images: bool = True) -> AsyncIterator[Running]:
        server = self.server(workers, images=images)
        await server.start()
        try:
            yield server
        finally:
            await server.stop()

    async def serial(self, name: str, *, tcp: bool = False) -> int | str:
        """Return the serial that is answered, or the rcode."""
        answer = await asked(self.at, name, tcp=tcp)
        if answer.rcode() != dns.rcode.NOERROR:
            return dns.rcode.to_text(answer.rcode())
        found: int = answer.answer[0][0].serial
        return found

    async def serials(self, names: list[str]) -> set[int | str]:
        return {await self.serial(name) for name in names} | {await self.serial(name, tcp=True) for name in names}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "zones"
    path.mkdir()
    return Folder(path)


def told(caplog: pytest.LogCaptureFixture) -> str:
    """Return what was logged about the folder, and forget it."""
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("folder ")]
    caplog.clear()
    return lines[-1].partition(": ")[2] if lines else ""


WORKERS = [0, 1] if AVAILABLE else [0]


@pytest.mark.parametrize("workers", WORKERS)
class TestStart:
    async def test_serves_every_file(self, folder: Folder, workers: int) -> None:
        """NAME.zone is zone NAME, however it is spelled; root.zone is the root; what starts with a dot is being written."""
        folder.many(10)
        folder.write("OTHER.test", 7, file="OTHER.test.zone")
        folder.write("0/25.2.0.192.in-addr.arpa", 8, file="0%2F25.2.0.192.in-addr.arpa.zone")
        folder.write("hidden.test", 9, file=".hidden.test.zone")
        (folder.path / "notes").write_text("no zone")
        async with folder.served(workers) as server:
            assert await folder.serials([f"z{number}.test" for number in range(10)]) == {1}
            assert await folder.serial("other.TEST") == 7
            assert await folder.serial("0/25.2.0.192.in-addr.arpa") == 8
            assert await folder.serial("hidden.test") == "REFUSED"
            assert {one["zone"].lower() for one in server.status()["zones"]} == {
                *(f"z{number}.test." for number in range(10)),
                "other.test.",
                "0/25.2.0.192.in-addr.arpa.",
            }

    async def test_reads_nothing_again_that_is_unchanged(
        self, folder: Folder, workers: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The next start maps the images."""
        caplog.set_level(logging.INFO)
        names = folder.many(5)
        folder.write("ODD.test", 1, file="ODD.test.zone")
        async with folder.served(workers):
            assert told(caplog) == "6 zones, 6 read, 0 unchanged, 0 not as they should be"
        folder.write(names[1], 2)
        async with folder.served(workers):
            assert told(caplog) == "6 zones, 1 read, 5 unchanged, 0 not as they should be"
            assert await folder.serials([names[1]]) == {2}
            assert await folder.serials([names[0], "odd.test"]) == {1}
        async with folder.served(workers):
            assert told(caplog) == "6 zones, 0 read, 6 unchanged, 0 not as they should be"
            assert await folder.serials([names[1]]) == {2}

    async def test_keeps_nothing_where_nothing_is_to_be_kept(
        self, folder: Folder, workers: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """--no-images: everything is read anew."""
        caplog.set_level(logging.INFO)
        folder.many(3)
        for _ in range(2):
            async with folder.served(workers, images=False):
                assert told(caplog) == "3 zones, 3 read, 0 unchanged, 0 not as they should be"
                assert await folder.serials(["z1.test"]) == {1}
        assert not folder.images.exists()

    async def test_serves_from_a_folder_that_cannot_be_written(self, folder: Folder, workers: int) -> None:
        """Images are a help, no condition."""
        folder.many(2)
        folder.images.write_text("a file where the folder should be")
        async with folder.served(workers):
            assert await folder.serials(["z1.test"]) == {1}

    @pytest.mark.parametrize("spoil", ["flip", "cut", "empty", "foreign"])
    async def test_reads_again_what_is_damaged(
        self, folder: Folder, workers: int, spoil: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A pack is never trusted blindly."""
        caplog.set_level(logging.INFO)
        folder.many(3)
        async with folder.served(workers):
            pass
        (pack,) = folder.images.glob("*.pack")
        octets = bytearray(pack.read_bytes())
        octets[len(octets) // 2] ^= 1
        pack.write_bytes({"flip": bytes(octets), "cut": bytes(octets[:-9]), "empty": b"", "foreign": b"GIF89a" * 50}[spoil])
        caplog.clear()
        async with folder.served(workers):
            assert told(caplog) == "3 zones, 3 read, 0 unchanged, 0 not as they should be"
            assert await folder.serials(["z0.test", "z2.test"]) == {1}
        assert pack not in folder.images.glob("*.pack")

    async def test_reads_a_file_again_that_changed_while_it_was_read(
        self, folder: Folder, workers: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A file that changed within the clock's grain may have changed again without showing it."""
        caplog.set_level(logging.INFO)
        path = folder.write("a.test", 1)
        os.utime(path)
        async with folder.served(workers):
            pass
        folder.age(path)
        os.utime(path)
        async with folder.served(workers):
            assert told(caplog) == "1 zones, 1 read, 0 unchanged, 0 not as they should be"

    async def test_serves_the_last_good_version_of_a_file_that_was_spoiled(self, folder: Folder, workers: int) -> None:
        """And says what is wrong; a zone of which there never was a good one is answered SERVFAIL."""
        folder.many(3)
        async with folder.served(workers):
            pass
        for name in ("z1.test", "new.test"):
            path = folder.path / f"{name}.zone"
            path.write_text("$TTL 60\n@ SOA ns1 h 2 3 4 5 6\n NS ns1\nwww A 192.0.2.300\n")
            folder.age(path)
        async with folder.served(workers) as server:
            assert await folder.serials(["z0.test", "z1.test", "z2.test"]) == {1}
            assert await folder.serials(["new.test"]) == {"SERVFAIL"}
            wrong = {one["zone"]: one for one in server.status()["zones"] if one["problem"]}
            assert set(wrong) == {"z1.test.", "new.test."}
            assert ":4:" in wrong["z1.test."]["problem"]["says"]
            assert (wrong["z1.test."]["state"], wrong["new.test."]["state"]) == ("serving", "not loaded")

    async def test_tells_of_a_file_that_is_named_after_no_zone(self, folder: Folder, workers: int) -> None:
        """Before anything is served."""
        folder.write("a.test", 1, file="a..test.zone")
        with pytest.raises(HostError, match="the file's name is not a zone's name"):
            await folder.server(workers).start()

    async def test_beside_another_server_only_reads(self, folder: Folder, workers: int) -> None:
        """Two servers on one folder do not write over each other's packs."""
        folder.many(3)
        async with folder.served(workers):
            before = sorted(folder.images.iterdir())
            folder.write("z1.test", 2)
            other = Folder(folder.path)
            async with other.served(workers):
                assert await other.serials(["z1.test"]) == {2}
                assert await other.serials(["z0.test"]) == {1}
            assert sorted(folder.images.iterdir()) == before


@pytest.mark.parametrize("workers", WORKERS)
class TestReload:
    async def test_follows_the_folder(self, folder: Folder, workers: int) -> None:
        """Files that changed, came and went; the others are not read."""
        names = folder.many(6)
        async with folder.served(workers) as server:
            folder.write(names[0], 2)
            folder.write("new.test", 3)
            (folder.path / f"{names[1]}.zone").unlink()
            assert await server.reload() == {}
            assert await folder.serials([names[0]]) == {2}
            assert await folder.serials(["new.test"]) == {3}
            assert await folder.serials([names[1]]) == {"REFUSED"}
            assert await folder.serials(names[2:]) == {1}
            assert len(server.status()["zones"]) == 6

    async def test_again_and_again_ends_with_the_last(self, folder: Folder, workers: int) -> None:
        """Packs of a zone or two are put together; nothing is lost."""
        names = folder.many(4)
        async with folder.served(workers) as server:
            for serial in range(2, 40):
                folder.write(names[serial % 4], serial)
                assert await server.reload() == {}
                assert await folder.serial(names[serial % 4]) == serial
            assert await folder.serials(names) == {36, 37, 38, 39}
        assert len(list(folder.images.glob("*.pack"))) <= 18
        async with folder.served(workers):
            assert await folder.serials(names) == {36, 37, 38, 39}

    async def test_leaves_the_last_good_version_where_a_file_is_bad(self, folder: Folder, workers: int) -> None:
        """Only that zone; when it is good again, nothing is wrong any more."""
        names = folder.many(3)
        async with folder.served(workers) as server:
            bad = folder.write(names[1], 2, "www A 192.0.2.300")
            folder.write(names[2], 2)
            problems = await server.reload()
            assert set(problems) == {dns.name.from_text(names[1])}
            assert await folder.serials([names[1]]) == {1}
            assert await folder.serials([names[2]]) == {2}
            assert server.zone_status(dns.name.from_text(names[1]))["problem"]["reason"] == "load-failed"
            folder.write(names[1], 3)
            assert await server.reload() == {}
            assert await folder.serials([names[1]]) == {3}
            assert server.zone_status(dns.name.from_text(names[1]))["problem"] is None
            assert bad.exists()

    async def test_refuses_a_lower_serial(self, folder: Folder, workers: int) -> None:
        """What was served has been announced (RFC 1982)."""
        folder.write("a.test", 10)
        async with folder.served(workers) as server:
            folder.write("a.test", 9)
            problems = await server.reload()
            assert "lower than 10" in problems[dns.name.from_text("a.test")]
            assert await folder.serials(["a.test"]) == {10}

    async def test_tells_of_a_serial_that_was_not_raised(self, folder: Folder, workers: int) -> None:
        """The content is served, and no secondary will fetch it."""
        folder.write("a.test", 10)
        apex = dns.name.from_text("a.test")
        async with folder.served(workers) as server:
            folder.write("a.test", 10, "more A 192.0.2.77")
            assert await server.reload() == {}
            answer = await asked(folder.at, "more.a.test", "A")
            assert len(answer.answer) == 1
            assert server.zone_status(apex)["problem"]["reason"] == "serial-not-raised"
            assert await server.reload() == {}
            assert server.zone_status(apex)["problem"]["reason"] == "serial-not-raised"
            folder.write("a.test", 11, "more A 192.0.2.78")
            assert await server.reload() == {}
            assert server.zone_status(apex)["problem"] is None

    async def test_of_one_zone_reads_that_one(self, folder: Folder, workers: int) -> None:
        """``mailname reload NAME``."""
        names = folder.many(3)
        async with folder.served(workers) as server:
            for name in names:
                folder.write(name, 2)
            found = await server.obey({"do": "reload", "zone": names[1]})
            assert found["ok"]
            assert await folder.serials([names[1]]) == {2}
            assert await folder.serials([names[0], names[2]]) == {1}
            assert await server.reload() == {}
            assert await folder.serials(names) == {2}

    async def test_leaves_nothing_behind(self, folder: Folder, workers: int) -> None:
        """No descriptor of a former pack, though nobody looks for garbage."""

        def descriptors() -> int:
            return len(list(Path("/proc/self/fd").iterdir()))

        names = folder.many(4)
        async with folder.served(workers) as server:
            before = descriptors()
            gc.disable()
            try:
                for serial in range(2, 30):
                    for name in names:
                        folder.write(name, serial)
                    assert (await server.obey({"do": "reload"}))["ok"]
                    assert (await asked(folder.at, names[0], "AXFR", tcp=True)).answer
                    assert await folder.serials(names) == {serial}
                await until(lambda: descriptors() <= before + 2)
            finally:
                gc.enable()

    async def test_that_fails_leaves_no_trace(self, folder: Folder, workers: int, caplog: pytest.LogCaptureFixture) -> None:
        """A file that is named after no zone: nothing is taken over until it is gone, and then all is."""
        names = folder.many(3)
        async with folder.served(workers) as server:
            odd = folder.write("a.test", 1, file="a..test.zone")
            folder.write(names[0], 2)
            assert await server.reload() == {}
            assert "the file's name is not a zone's name" in caplog.text
            assert await folder.serials(names) == {1}
            odd.unlink()
            (folder.path / f"{names[1]}.zone").unlink()
            assert await server.reload() == {}
            assert await folder.serials([names[0]]) == {2}
            assert await folder.serials([names[1]]) == {"REFUSED"}
            assert await folder.serials([names[2]]) == {1}

    async def test_of_a_folder_that_is_gone_changes_nothing(self, folder: Folder, workers: int) -> None:
        """An unmounted disk takes no zone out of service."""
        names = folder.many(3)
        async with folder.served(workers) as server:
            shutil.move(folder.path, folder.path.parent / "moved")
            assert await server.reload() == {}
            assert await folder.serials(names) == {1}


@pytest.mark.parametrize("workers", WORKERS)
class TestAsleep:
    async def test_is_transferred_like_any_zone(self, folder: Folder, workers: int) -> None:
        """To who may; the zone wakes for it."""
        names = folder.many(3)
        async with folder.served(workers) as server:
            for name in names:
                fetched = await fetch_zone(
                    server.context, Transfer(Peer(PRIMARY, folder.port), Serial(1)), dns.name.from_text(name)
                )
                assert fetched.zone.serial == Serial(1)
                assert fetched.zone.apex == dns.name.from_text(name)

    async def test_many_take_turns_at_being_awake(self, folder: Folder, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who asks for transfers of all zones does not fill the memory."""
        monkeypatch.setattr("mailname.server.folder_zones._MOST_AWAKE", 3)
        monkeypatch.setattr("mailname.server.folder_zones._MOST_LOOKED_AT", 3)
        names = folder.many(12)
        async with folder.served(workers) as server:
            assert server.zones.folder is not None
            for name in names:
                assert (await asked(folder.at, name, "AXFR", tcp=True)).answer
                assert len(server.zones.folder.awake) <= 3
            assert await folder.serials(names) == {1}

    async def test_is_ordered_about_like_any_zone(self, folder: Folder, workers: int) -> None:
        """Status, notify, retransfer: what is there to say is said."""
        folder.many(3)
        async with folder.served(workers) as server:
            assert (await server.obey({"do": "notify"}))["says"] == "3 zone(s) notified"
            assert (await server.obey({"do": "notify", "zone": "z1.test"}))["says"] == "1 zone(s) notified"
            assert not (await server.obey({"do": "retransfer"}))["ok"]
            assert not (await server.obey({"do": "status", "zone": "nothing.test"}))["ok"]
            (one,) = (await server.obey({"do": "status", "zone": "z1.test"}))["zones"]
            assert (one["serial"], one["state"], one["file"]) == (1, "serving", str(folder.path / "z1.test.zone"))


class TestManyPacks:
    async def test_are_filled_one_after_the_other(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """More zones than a pack holds, read by several threads."""
        monkeypatch.setattr(folder_reading, "FULL", 7)
        monkeypatch.setattr(pack_folder, "FULL", 7)
        names = folder.many(50)
        async with folder.served():
            assert await folder.serials(names) == {1}
        assert len(list(folder.images.glob("*.pack"))) == 8
        async with folder.served() as server:
            assert await folder.serials(names) == {1}
            for name in names[::2]:
                folder.write(name, 2)
            assert await server.reload() == {}
            assert await folder.serials(names[::2]) == {2}
            assert await folder.serials(names[1::2]) == {1}
        async with folder.served():
            assert await folder.serials(names[::2]) == {2}
            assert await folder.serials(names[1::2]) == {1}

    async def test_of_large_zones_are_written_after_the_start(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """One pack each; nobody waits for it."""
        caplog.set_level(logging.INFO)
        monkeypatch.setattr(folder_reading, "LARGE", 1)
        monkeypatch.setattr(folder_reading, "PlainFiles", None)
        names = folder.many(3)
        async with folder.served() as server:
            assert await folder.serials(names) == {1}
            await until(lambda: len(list(folder.images.glob("*.pack"))) == 3 and not server.context.tasks)
            assert await folder.serials(names) == {1}
            folder.write(names[1], 2)
            assert await server.reload() == {}
            assert await folder.serials([names[1]]) == {2}
            await until(lambda: not server.context.tasks)
        caplog.clear()
        async with folder.served():
            assert told(caplog) == "3 zones, 0 read, 3 unchanged, 0 not as they should be"
            assert await folder.serials([names[1]]) == {2}


class TestAnswers:
    async def test_go_on_while_the_folder_is_read(self, folder: Folder) -> None:
        """Reload after reload, no question gets anything but a version that was there."""
        names = folder.many(20)
        seen: list[Any] = []

        async with folder.served() as server:
            ended = asyncio.Event()

            async def ask() -> None:
                while not ended.is_set():
                    seen.append(await folder.serial(names[len(seen) % 20]))

            asking = asyncio.create_task(ask())
            for serial in range(2, 12):
                for name in names:
                    folder.write(name, serial)
                assert await server.reload() == {}
            ended.set()
            await asking
        assert set(seen) <= set(range(1, 12))
        assert len(seen) > 10
