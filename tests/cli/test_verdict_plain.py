"""A verdict without a cause looks the same with and without the terminal's library."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console
from tests.checks.small_world import SmallWorld, look, verdict_of

from mailname.cli.verdict_plain import plain_verdict
from mailname.cli.verdict_view import print_verdict


class TestPlainVerdict:
    @pytest.mark.parametrize("width", [None, 300, 120])
    async def test_is_what_the_library_prints(self, width: int | None) -> None:
        """In a pipe, and on a terminal where all lines fit."""
        world = SmallWorld()
        facts = await look(world)
        verdict = verdict_of(world.plan, facts)
        written = io.StringIO()
        console = Console(
            width=width,
            file=written,
            force_terminal=width is not None,
            color_system="standard" if width else None,
            highlight=False,
            soft_wrap=True,
        )
        print_verdict(console, world.plan, facts, verdict)
        assert plain_verdict(world.plan, facts, verdict, width) == written.getvalue()

    async def test_is_left_to_the_library_where_a_line_does_not_fit(self) -> None:
        world = SmallWorld()
        facts = await look(world)
        assert plain_verdict(world.plan, facts, verdict_of(world.plan, facts), 40) is None

    @pytest.mark.parametrize("banner", ["220 ｍａｉｌ ready", "220 \x1b[31mmail", "220 o\u0308"])
    async def test_is_left_to_the_library_where_characters_may_not_take_one_column(self, banner: str) -> None:
        world = SmallWorld()
        facts = await look(world)
        facts = replace(facts, mail=tuple(replace(visit, banner=banner) for visit in facts.mail))
        assert plain_verdict(world.plan, facts, verdict_of(world.plan, facts), None) is None

    async def test_is_left_to_the_library_where_something_is_wrong(self) -> None:
        world = SmallWorld()
        world.delegate({})
        facts = await look(world)
        assert plain_verdict(world.plan, facts, verdict_of(world.plan, facts), None) is None
