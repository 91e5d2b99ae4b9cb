"""``mailname publish`` killed anywhere, or refused by the disk, and run again: it ends right."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.engines.pair import APEX, NS1, NS2, PLAN, Pair, plan_of
from tests.server.disk_faults import Fault, built, environment
from tests.server.running import until

from mailname.server.network import Endpoint
from mailname.server.network_map import MappedNetwork
from mailname.zone.text import write_zone

if TYPE_CHECKING:
    from tests.server.running import Running

ROOT = Path(__file__).resolve().parents[2]
FILE = "/.example.tech.zone.*.new"
STEPS = [("create", FILE), ("write", FILE), ("fchmod", FILE), ("fsync", FILE), ("rename", FILE), ("fsync", "*")]
FAULTS = {
    "killed": Fault("kill", 1),
    "write cut short": Fault("torn", 1),
    "disk full": Fault("on", 1, error=errno.ENOSPC),
}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD is the Linux loader's")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("library"))


async def publish(pair: Pair, version: int, faulty: dict[str, str] | None = None) -> int:
    """Run the command for a plan that says which version it is; return how it ended."""
    plan = pair.folder / "plan.toml"
    plan.write_text(f'{PLAN}[[record]]\nname = "now.example.tech"\ntype = "TXT"\ndata = "{version}"\n', encoding="utf-8")
    places = {Endpoint(NS1): ("127.0.0.3", pair.network.port), Endpoint(NS2): ("127.0.0.2", pair.network.port)}
    MappedNetwork(places).save(pair.folder / "network.json")
    program = Path(sys.executable).with_name("mailname")
    words: list[str | Path] = [
        "publish",
        plan,
        "--network",
        pair.folder / "network.json",
        "--control",
        pair.control,
        "--yes-really",
    ]
    child = await asyncio.create_subprocess_exec(
        program,
        *words,
        env=os.environ | (faulty or {}),
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await child.wait()


def version_of(server: Running) -> str:
    zone = server.zones[APEX].zone
    assert zone is not None
    found = re.search(r'TXT\s+(".*")', write_zone(zone))
    assert found is not None
    return found.group(1)


def same_serial(one: Running, other: Running) -> bool:
    return one.serial() == other.serial()


class TestInterrupted:
    @pytest.mark.parametrize("how", FAULTS)
    async def test_run_again_it_ends_right(self, tmp_path: Path, library: Path, how: str) -> None:
        """At each step of the zone file: what is served is a version that was meant, serials only rise, no rest is left."""
        pair = Pair(tmp_path, plan_of())
        pair.file.parent.mkdir()
        pair.file.write_text("@ 3600 SOA ns2 hostmaster 1 14400 3600 1209600 3600\n@ 3600 NS ns2\nns2 3600 A 198.51.100.2\n")
        fault = FAULTS[how]
        async with pair.server("ns2") as primary, pair.server("ns1") as secondary:
            assert await publish(pair, 1) == 0
            version, highest = 1, primary.serial() or 0
            for call, where in STEPS:
                if fault.mode == "torn" and call != "write":
                    continue
                version += 1
                at = Fault(fault.mode, 1, call, where, fault.error)
                status = await publish(pair, version, environment(library, pair.file.parent, at))
                assert status == (4 if fault.mode == "on" else -signal.SIGKILL), (call, where, status)
                assert version_of(primary) in (f'"{version - 1}"', f'"{version}"')
                assert (primary.serial() or 0) >= highest
                assert await publish(pair, version) == 0
                assert version_of(primary) == f'"{version}"'
                await until(partial(same_serial, primary, secondary))
                assert version_of(secondary) == f'"{version}"'
                assert (primary.serial() or 0) > highest
                highest = primary.serial() or 0
