"""The transfer key is rotated in a rehearsal, by the network file alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
from tests.lab import plan_texts

from mailname.engines.rotation import Rotation
from mailname.lab import Lab
from mailname.plan import load
from mailname.server.clock import SystemClock
from mailname.server.network_map import MappedNetwork

if TYPE_CHECKING:
    from pathlib import Path


class TestRotation:
    async def test_is_done_in_one_run(self, tmp_path: Path) -> None:
        """All servers share the file, and are told; the zone goes on arriving, signed with the new key."""
        plan = load(plan_texts.WITH_KEY, "plan.toml").plan
        async with Lab(plan, tmp_path) as lab:
            await lab.publish()
            assert await lab.wait_for_secondaries()
            network = MappedNetwork.load(lab.network_file)
            others = {server.name: network.control[server.name] for server in plan.secondaries}
            run = Rotation(plan, network.control[plan.primary.name], network, SystemClock(), others)
            await run.look()
            await run.begin()
            uses, strangers = await run.wait(20.0)
            assert ([use.has_moved for use in uses], strangers) == ([True], [])
            await run.finish()
            assert await run.still_accepted() == []
            assert list(lab.primary.config.keys) == [dns.name.from_text("k2.transfer.example.tech")]
            await lab.publish()
            assert await lab.wait_for_secondaries()
