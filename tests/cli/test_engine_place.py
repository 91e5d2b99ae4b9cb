"""How servers of other programs are asked over SSH: what they are asked is kept here, as they keep no history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.engines.pair import PLAN

from mailname.cli import engine_place
from mailname.engines.told_traffic import Traffic
from mailname.plan import load

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Counting:
    """A server of another program that is asked a hundred times more between two looks."""

    questions = 0

    async def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """Tell the counts."""
        self.questions += 100
        return {"ok": True, **Traffic(since="2026-11-22T14:00:00Z", questions=self.questions).report(order.get("history"))}


def kept_in(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*.sqlite")]


class TestTraffic:
    async def test_of_another_program_has_a_history(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """From the second look on; orders without one are passed on as they are."""
        counting = Counting()

        async def found(*_: object) -> Counting:
            return counting

        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        monkeypatch.delenv("STATE_DIRECTORY", raising=False)
        monkeypatch.setattr(engine_place, "driven_by_ssh", found)
        text = PLAN.replace('role = "secondary"', 'role = "secondary"\nengine = "bind"\nssh = "root@192.0.2.1"')
        plan = load(text, "plan.toml").plan
        (give,) = engine_place.orders(plan, None).values()
        asked = {"do": "traffic", "history": "minute", "spans": 60, "most": 5}
        assert (await give(asked))["history"]["rows"] == []
        told = await give(asked)
        assert sum(row["questions"] for row in told["history"]["rows"]) == 100
        assert "history" not in await give({"do": "traffic", "most": 0})
        assert kept_in(tmp_path) == ["mailname/traffic/ns1.example.tech.sqlite"]
