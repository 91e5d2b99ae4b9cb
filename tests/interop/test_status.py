"""What our status says when the other side is BIND, Knot or NSD and something is misconfigured: the same causes."""

from __future__ import annotations

import asyncio
import base64
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import dns.name
import pytest
from tests.interop.real_servers import LOOPBACK, Bind, Key, Knot, Nsd, PrimaryZone, SecondaryZone
from tests.server.running import APEX, PATIENCE, Running, free_port, running, until, zone_text

from mailname.server.clock import ShiftedClock
from mailname.server.config import ServerConfig, ZoneConfig
from mailname.server.network import Endpoint
from mailname.transfer.actions import Peer
from mailname.wire.tsig_key import make_key

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.real_servers import RealServer

    from mailname.wire.tsig_key import Key as OurKey

NAME = "example.tech."
KEY = dns.name.from_text("transfer.example.tech.")
OTHER = dns.name.from_text("other.example.tech.")
SIDES = [Bind, Knot, Nsd]


def key_of(key: OurKey) -> Key:
    """Write a key of ours as the others are given it."""
    return Key(key.name.to_text(), base64.b64encode(key.secret).decode())


def secondary_of(server: RealServer, key: OurKey | None = None, **more: Any) -> ServerConfig:
    """Configure ours as a secondary of another's."""
    peer = Peer(ip_address(LOOPBACK), server.port, key.name if key else None)
    at = Endpoint(ip_address(LOOPBACK), free_port())
    return ServerConfig((at,), (ZoneConfig(APEX, "secondary", primaries=(peer,)),), keys={key.name: key} if key else {}, **more)


def restarted(server: RealServer, text: str) -> None:
    """Put an older zone file in place while a server is down."""
    server.stop()
    (file,) = [file for file in server.folder.iterdir() if file.is_file() and "SOA" in file.read_text(errors="replace")]
    file.write_text(text)
    server.start()


async def cause(server: Running, code: str, *, of_secondary: bool = False) -> dict[str, Any]:
    """Wait until our status names this cause."""
    async with asyncio.timeout(PATIENCE):
        while True:
            zone = (await server.obey({"do": "status"}))["zones"][0]
            found = zone["secondaries"][0]["cause"] if of_secondary else zone["cause"]
            if found and found["code"] == code:
                assert isinstance(found, dict)
                return found
            await asyncio.sleep(0.02)


class TestTheirPrimary:
    @pytest.mark.parametrize("engine", SIDES)
    async def test_does_not_allow_us(self, engine: type[RealServer]) -> None:
        """REFUSED from BIND, NOTAUTH from Knot: both mean the list."""
        with engine([PrimaryZone(NAME, zone_text(5), allow_transfer=False)]) as server:
            async with running(secondary_of(server)) as ours:
                assert "does not allow 127.0.0.1 to transfer" in (await cause(ours, "REPL-01"))["says"]

    @pytest.mark.parametrize("engine", SIDES)
    async def test_does_not_know_our_key(self, engine: type[RealServer]) -> None:
        """BADKEY."""
        with engine([PrimaryZone(NAME, zone_text(5), key=key_of(make_key(OTHER)))]) as server:
            async with running(secondary_of(server, make_key(KEY))) as ours:
                assert "BADKEY" in (await cause(ours, "REPL-03"))["says"]

    @pytest.mark.parametrize("engine", SIDES)
    async def test_has_another_secret(self, engine: type[RealServer]) -> None:
        """BADSIG."""
        with engine([PrimaryZone(NAME, zone_text(5), key=key_of(make_key(KEY)))]) as server:
            async with running(secondary_of(server, make_key(KEY))) as ours:
                assert "BADSIG" in (await cause(ours, "REPL-04"))["says"]

    @pytest.mark.parametrize("engine", SIDES)
    async def test_has_another_time(self, engine: type[RealServer]) -> None:
        """BADTIME: they say their time, so we know the difference."""
        key = make_key(KEY)
        with engine([PrimaryZone(NAME, zone_text(5), key=key_of(key))]) as server:
            async with running(secondary_of(server, key), ShiftedClock(5000)) as ours:
                says = (await cause(ours, "REPL-05"))["says"]
                assert any(f"differ by {seconds} seconds" in says for seconds in range(4990, 5011)), says

    async def test_went_back(self, tmp_path: Path) -> None:
        """BIND with an older file: both serials are told."""
        with Bind([PrimaryZone(NAME, zone_text(9))]) as server:
            async with running(secondary_of(server, state=tmp_path)) as ours:
                await until(lambda: ours.serial() == 9)
                await asyncio.to_thread(restarted, server, zone_text(4))
                ours.clock.move(4000)
                assert "offers serial 4 and had served 9 before" in (await cause(ours, "REPL-15"))["says"]
                assert ours.serial() == 9

    async def test_is_away(self) -> None:
        """Nothing listens where it was."""
        with Bind([PrimaryZone(NAME, zone_text(5))]) as server:
            config = secondary_of(server)
        async with running(config) as ours:
            await cause(ours, "REPL-07")


class TestTheirSecondary:
    @pytest.mark.parametrize("engine", SIDES)
    @pytest.mark.parametrize(
        ("signs_with", "code", "says"),
        [(OTHER, "REPL-03", "BADKEY"), (KEY, "REPL-04", "BADSIG"), (None, "REPL-01", "must sign with the key")],
    )
    async def test_is_named_with_what_it_did_wrong(
        self, tmp_path: Path, engine: type[RealServer], signs_with: dns.name.Name | None, code: str, says: str
    ) -> None:
        """Our primary alone says why theirs has nothing."""
        await asyncio.to_thread((tmp_path / "zone").write_text, zone_text(5))
        port, theirs_at = free_port(), free_port()
        zone = ZoneConfig(APEX, "primary", tmp_path / "zone", secondaries=(Peer(ip_address(LOOPBACK), theirs_at, KEY),))
        key = make_key(signs_with) if signs_with else None
        config = ServerConfig((Endpoint(ip_address(LOOPBACK), port),), (zone,), keys={KEY: make_key(KEY)})
        async with running(config) as ours:
            theirs = engine([SecondaryZone(NAME, (LOOPBACK, port), key=key_of(key) if key else None)], port=theirs_at)
            await asyncio.to_thread(theirs.__enter__)
            try:
                assert says in (await cause(ours, code, of_secondary=True))["says"]
            finally:
                await asyncio.to_thread(theirs.__exit__)
