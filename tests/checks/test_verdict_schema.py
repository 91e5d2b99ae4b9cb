"""What a check says in JSON is what its schema says."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from tests.checks import test_explain as faults
from tests.checks.json_schema import mistakes
from tests.checks.small_world import SmallWorld, look, verdict_of

from mailname.checks.sweep import Pace, Shared, look_at
from mailname.checks.verdict_schema import check_schema, list_schema
from mailname.cli.check_list import line_of

if TYPE_CHECKING:
    from collections.abc import Callable


async def said(fault: Callable[[SmallWorld], None] | None) -> dict[str, Any]:
    world = SmallWorld()
    if fault:
        fault(world)
    return verdict_of(world.plan, await look(world)).to_json()


class TestCheckSchema:
    @pytest.mark.parametrize("fault", [None, faults.glue_wrong, faults.behind, faults.server_silent, faults.mail_host_down])
    async def test_fits_what_is_said(self, fault: Callable[[SmallWorld], None] | None) -> None:
        assert mistakes(await said(fault), check_schema()) == []

    async def test_notices_what_does_not_fit(self) -> None:
        """A member more, one less, another word, another kind."""
        good = await said(faults.glue_wrong)
        spoils: list[Callable[[dict[str, Any]], object]] = [
            lambda one: one.update(more=1),
            lambda one: one.pop("cause"),
            lambda one: one.update(verdict="fine"),
            lambda one: one["cause"].update(code="X-01"),
            lambda one: one["findings"][0]["evidence"][0].pop("answer"),
            lambda one: one.update(queries=-1),
        ]
        for spoil in spoils:
            bad = copy.deepcopy(good)
            spoil(bad)
            assert mistakes(bad, check_schema()) != []


class TestListSchema:
    @pytest.mark.parametrize("fault", [None, faults.mail_host_down])
    async def test_fits_each_line(self, fault: Callable[[SmallWorld], None] | None) -> None:
        world = SmallWorld()
        if fault:
            fault(world)
        async with world:
            plan, facts, verdict = await look_at(world.plan.domain, Shared(world.network, world.world(), Pace(0)))
        assert mistakes(line_of(plan.domain, facts, verdict), list_schema()) == []
