"""Two keys at once: a key is rotated in any order of servers, and each side tells which key was used."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.name
import pytest
from tests.server.running import APEX, PRIMARY, SECONDARY, Running, Site, running, until

from mailname.server.config import ServerConfig, ZoneConfig
from mailname.server.key_use import KeyFile
from mailname.transfer.actions import Peer
from mailname.wire.tsig_key import make_key

if TYPE_CHECKING:
    from mailname.wire.tsig_key import Key

OLD, NEW = (make_key(dns.name.from_text(name)) for name in ("old.", "new."))
STATES = {"only old": (OLD,), "both": (NEW, OLD), "only new": (NEW,)}


def with_keys(site: Site, role: str, keys: tuple[Key, ...]) -> ServerConfig:
    """Return a server's configuration in which it shares these keys with the other one, the first preferred."""
    names = [key.name for key in keys]
    other = Peer(SECONDARY if role == "primary" else PRIMARY, site.port, names[0], tuple(names[1:]))
    if role == "primary":
        config = site.primary(ZoneConfig(APEX, "primary", site.file, secondaries=(other,)))
    else:
        config = site.secondary(ZoneConfig(APEX, "secondary", primaries=(other,)))
    files = (KeyFile(Path("transfer.key"), dns.name.from_text("set."), keys),)
    return replace(config, keys={key.name: key for key in keys}, key_files=files)


def told(server: Running, key: Key, side: str) -> list[dict[str, Any]]:
    """Return who uses a key, by a server's status."""
    (file,) = server.status()["keys"]
    return next((one[side] for one in file["keys"] if one["name"] == key.name.to_text()), [])


async def refused(server: Running) -> list[Any]:
    """Return what a server's history tells that it has refused, and how often."""
    events = (await server.obey({"do": "history"}))["events"]
    return [(one["says"], one["count"]) for one in events if one["what"] == "refused"]


class TestRotation:
    @pytest.mark.parametrize(
        ("primary", "secondary", "common"),
        [
            ("only old", "both", OLD),
            ("both", "only old", OLD),
            ("both", "both", NEW),
            ("both", "only new", NEW),
            ("only new", "both", NEW),
        ],
    )
    async def test_zone_and_notify_arrive_in_each_state(self, site: Site, primary: str, secondary: str, common: Key) -> None:
        """The preferred key where both know it, else the other one. Both sides tell which it was."""
        async with (
            running(with_keys(site, "primary", STATES[primary])) as first,
            running(with_keys(site, "secondary", STATES[secondary])) as second,
        ):
            await until(lambda: second.serial() == 1)
            site.write(2)
            await first.reload()
            await until(lambda: second.serial() == 2)
            await until(lambda: first.zone_status()["secondaries"][0]["state"] == "acknowledged")
            for server, other in ((first, SECONDARY), (second, PRIMARY)):
                await until(partial(told, server, common, "answered_by"))
                assert [one["address"] for one in told(server, common, "used_by")] == [str(other)]
                assert [one["address"] for one in told(server, common, "answered_by")] == [str(other)]
                unused = NEW if common is OLD else OLD
                assert told(server, unused, "used_by") == told(server, unused, "answered_by") == []
            # The primary asks, once its NOTIFY was acknowledged, whether its secondary is ahead.
            assert {one["for"] for one in told(second, common, "used_by")} <= {"NOTIFY", "SOA"}
            assert {one["for"] for one in told(first, common, "used_by")} <= {"SOA", "AXFR", "IXFR"}

    async def test_server_that_is_behind_refuses_no_notify(self, site: Site) -> None:
        """The primary has seen with which key it asks, and signs its NOTIFY with that one; there is nothing to be explained."""
        async with (
            running(with_keys(site, "primary", STATES["both"])) as first,
            running(with_keys(site, "secondary", STATES["only old"])) as second,
        ):
            await until(lambda: second.serial() == 1 and told(first, OLD, "used_by"))
            await until(lambda: first.zone_status()["secondaries"][0]["state"] == "acknowledged")
            before = await refused(second)
            site.write(2)
            await first.reload()
            await until(lambda: second.serial() == 2)
            await until(lambda: first.zone_status()["secondaries"][0]["state"] == "acknowledged")
            assert await refused(second) == before

    async def test_no_key_in_common_is_badkey(self, site: Site) -> None:
        """The last key's failure is the one that is told."""
        async with (
            running(with_keys(site, "primary", (make_key(dns.name.from_text("third.")),))),
            running(with_keys(site, "secondary", STATES["both"])) as second,
        ):
            await until(lambda: second.zone_status()["last_failure"])
            failure = second.zone_status()["last_failure"]
            assert (failure["reason"], second.serial()) == ("badkey", None)
            assert "old." in failure["says"]

    async def test_status_holds_no_secret(self, site: Site) -> None:
        """Names, algorithms, addresses and times."""
        async with running(with_keys(site, "primary", STATES["both"])) as first:
            (file,) = first.status()["keys"]
            assert set(file) == {"name", "file", "keys"}
            assert [(one["name"], one["signs"]) for one in file["keys"]] == [("new.", True), ("old.", False)]
            assert set(file["keys"][0]) == {"name", "algorithm", "signs", "used_by", "answered_by"}
