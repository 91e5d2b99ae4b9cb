"""One domain that is watched: what stops a look is told, and stops nothing else."""

from __future__ import annotations

import pytest
from tests.checks import small_world

from mailname.checks import Place, World
from mailname.errors import HostError
from mailname.server.network import DirectNetwork
from mailname.web import domain as watched
from mailname.web.check_log import CheckLog
from mailname.web.domain import Domain, Surroundings
from mailname.web.live import Live
from mailname.web.rounds import Rounds


def domain() -> Domain:
    return Domain(small_world.plan_of(), "plan", lambda: Surroundings(DirectNetwork(), World(), Place()))


class TestLook:
    @pytest.mark.parametrize(
        ("error", "says"),
        [
            (HostError("no such key", step="look"), "no such key"),
            (OSError(24, "Too many open files"), "the check could not be made: Too many open files"),
            (ExceptionGroup("", [ExceptionGroup("", [HostError("no such key", step="look")])]), "no such key"),
        ],
    )
    async def test_that_fails_is_told_and_the_rounds_go_on(
        self, monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
    ) -> None:
        """The page tells why; the verdict from before stays."""

        async def fails(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(watched, "observe", fails)
        monkeypatch.setattr(watched, "look_at_sides", fails)
        monkeypatch.setattr(watched, "look_at_traffic", fails)
        one = domain()
        live = Live()
        await Rounds([one], live, CheckLog(), 300).check(one)
        assert (one.problem.splitlines()[0], one.busy, one.state, live.number) == (says, False, "unknown", 1)
