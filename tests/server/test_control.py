"""The control socket: orders in, answers out; never two servers, never somebody else's file."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from pathlib import Path
from typing import Any, cast

import pytest
from tests.server.running import Running, Site, running, until

from mailname.errors import HostError
from mailname.server.clock import ShiftedClock
from mailname.server.control import ControlSocket, ask


class TestSocketFile:
    async def test_is_for_owner_and_group_only(self, site: Site) -> None:
        """Mode 660, and gone when the server is."""
        path = site.folder / "primary.sock"
        async with running(site.primary()):
            assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert not path.exists()

    async def test_that_a_killed_server_left_behind_is_replaced(self, site: Site) -> None:
        """Nobody must clean up by hand."""
        path = site.folder / "primary.sock"
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
        assert path.is_socket()
        async with running(site.primary()):
            assert (await ask(path, {"do": "status"}))["ok"]

    async def test_that_is_another_file_is_left_alone(self, site: Site) -> None:
        """A wrong path must cost nobody a file."""
        path = site.folder / "primary.sock"
        path.write_text("precious", encoding="utf-8")
        with pytest.raises(HostError, match="cannot make the control socket"):
            await Running(site.primary(), clock=ShiftedClock()).start()
        assert path.read_text(encoding="utf-8") == "precious"

    async def test_of_a_running_server_is_not_taken(self, site: Site) -> None:
        """The second server says whose it is, and the first goes on."""
        async with running(site.primary()):
            other = site.secondary(control=site.folder / "primary.sock")
            with pytest.raises(HostError, match="another server listens"):
                await Running(other, clock=ShiftedClock()).start()
            assert (await ask(site.folder / "primary.sock", {"do": "status"}))["ok"]

    async def test_path_that_is_too_long_is_told(self, site: Site) -> None:
        """The system would say no more than "invalid"."""
        long = site.primary(control=site.folder / ("x" * 120))
        with pytest.raises(HostError, match="too long for a Unix socket"):
            await Running(long, clock=ShiftedClock()).start()


class TestOrders:
    @pytest.mark.parametrize(
        ("order", "says"),
        [
            ({"do": "dance"}, "there is no order dance"),
            ({"do": "status", "zone": "a..b"}, "a..b is not a zone's name"),
            ({"do": "status", "zone": "other.test"}, "the zone other.test is not served here"),
            ({"do": "retransfer"}, "no zone is a secondary zone of this server"),
            ({"do": "retransfer", "zone": "example.tech"}, "the zone example.tech is not a secondary zone of this server"),
            ({"dont": "status"}, 'an order looks like {"do": "status"}'),
            (["status"], 'an order looks like {"do": "status"}'),
        ],
    )
    async def test_that_cannot_be_obeyed_are_told_why(self, site: Site, order: object, says: str) -> None:
        """In a sentence; the server goes on."""
        async with running(site.primary()):
            answer = await ask(site.folder / "primary.sock", cast("dict[str, Any]", order))
            assert answer == {"ok": False, "says": says}

    async def test_reload_of_a_secondary_zone_names_the_right_order(self, site: Site) -> None:
        """It has no file."""
        async with running(site.secondary()) as server:
            assert "mailname retransfer example.tech" in (await server.obey({"do": "reload", "zone": "example.tech"}))["says"]
            assert "not a primary zone" in (await server.obey({"do": "notify", "zone": "example.tech"}))["says"]

    async def test_what_is_no_json_is_told(self, site: Site) -> None:
        """And silence is not waited for when the server ends."""
        async with running(site.primary()):
            reader, writer = await asyncio.open_unix_connection(str(site.folder / "primary.sock"))
            writer.write(b"hello\n")
            assert json.loads(await reader.readline()) == {"ok": False, "says": "an order is one line of JSON"}
            writer.close()
            await writer.wait_closed()
            _, silent = await asyncio.open_unix_connection(str(site.folder / "primary.sock"))
        silent.close()
        await silent.wait_closed()

    async def test_answer_of_any_size_comes_whole(self, tmp_path: Path) -> None:
        """Whoever gave the order may look at something else first: what fits into no buffer waits for him."""
        says = "x" * 3_000_000

        async def much(_: dict[str, Any]) -> dict[str, Any]:
            return {"ok": True, "says": says}

        control = ControlSocket(tmp_path / "s", much)
        await control.start()
        try:
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"), limit=1000)
            writer.write(b'{"do": "status"}\n')
            assert (await ask(tmp_path / "s", {"do": "status"}))["says"] == says
            assert json.loads(await reader.read())["says"] == says
        finally:
            writer.close()
            await writer.wait_closed()
            await control.close()

    async def test_status_is_one_json_document(self, site: Site) -> None:
        """With what mailname.status/1 promises."""
        async with running(site.secondary()), running(site.primary()) as server:
            await until(lambda: server.zone_status()["secondaries"][0]["state"] == "acknowledged")
            answer = await ask(site.folder / "primary.sock", {"do": "status"})
            assert (answer["schema"], answer["pid"]) == ("mailname.status/1", os.getpid())
            zone = answer["zones"][0]
            assert (zone["zone"], zone["role"], zone["state"], zone["serial"]) == ("example.tech.", "primary", "serving", 1)
            assert Path(zone["file"]) == site.file


class TestAsk:
    async def test_without_a_server_is_told(self, tmp_path: Path) -> None:
        """With the two things to do."""
        with pytest.raises(HostError, match="no server listens on the control socket") as caught:
            await ask(tmp_path / "none", {"do": "status"})
        assert "mailname serve" in caught.value.remedy

    @pytest.mark.parametrize("said", [b"", b"rubbish\n", b"[]\n"])
    async def test_answer_that_cannot_be_read_is_told(self, tmp_path: Path, said: bytes) -> None:
        """Whatever it is that listens there."""

        async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(said)
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_unix_server(babble, path=str(tmp_path / "s"))
        async with server:
            with pytest.raises(HostError, match=r"did not answer|no answer that can be read"):
                await ask(tmp_path / "s", {"do": "status"})
