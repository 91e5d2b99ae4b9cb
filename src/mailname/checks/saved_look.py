"""A look that is saved and judged again elsewhere: the facts, the plan they are held against, and where both were found.

Secrets are never in it. The plan names the transfer key and holds no secret; comments of its file are not kept; of a server's
status (``observe_control``) whatever is called a secret is left out before it becomes a fact.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import dns.exception
import dns.name

from mailname.checks.explain import Verdict, explain
from mailname.checks.facts import SCHEMA, Facts
from mailname.checks.json_values import optional, table, text
from mailname.checks.judge import Place, judge
from mailname.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailname.plan import Plan

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, RecursionError, dns.exception.DNSException)


class SavedLook(NamedTuple):
    """One look at the world and all that its verdict rests on.

    Attributes:
        plan_data: what the plan's TOML says, without its comments; None when there was no plan.
        read_plan: the plan, where it has been read already.

    """

    facts: Facts
    plan_data: Mapping[str, Any] | None = None
    place: Place | None = None
    read_plan: Plan | None = None

    def plan(self) -> Plan:
        """Return the plan to judge by. Raises PlanError when it is none."""
        if self.read_plan is not None:
            return self.read_plan
        if self.plan_data is None:
            from mailname.checks.seen import plan_as_seen

            return plan_as_seen(self.facts)
        from mailname.plan import load

        lines = (f"{json.dumps(key, ensure_ascii=False)} = {_toml(value)}" for key, value in self.plan_data.items())
        return load("\n".join(lines) + "\n", "the saved plan").plan

    def judged(self) -> tuple[Plan, Verdict]:
        """Judge again.

        Raises:
            HostError: the facts contradict themselves, as no look's do.
            PlanError: the plan in it is none.

        """
        try:
            plan = self.plan()
            return plan, explain(plan, self.facts, judge(plan, self.facts, self.place))
        except _UNREADABLE as error:
            raise _not_ours("the saved look", f"its facts do not fit together: {_why(error)}") from error

    def to_json(self) -> dict[str, Any]:
        """Return it as one JSON document."""
        place = self.place or Place()
        return {
            **self.facts.to_json(),
            "plan": self.plan_data,
            "place": {
                "plan_file": place.plan_file,
                "network_file": place.network_file,
                "control": {name.to_text(): str(path) for name, path in place.control_sockets.items()},
            },
        }


def plan_data(toml: str) -> dict[str, Any]:
    """Return what a plan's text says, without its comments. The text is one that was loaded before."""
    import tomllib

    return tomllib.loads(toml)


def read_saved(written: str | bytes, file: str) -> SavedLook:
    """Read what was saved.

    Raises:
        HostError: it is no saved look, or one of a kind that this version does not know.

    """
    try:
        document = json.loads(written)
        if not isinstance(document, dict) or "schema" not in document:
            raise _not_ours(file, "it is no JSON object with a schema")
        if document["schema"] != SCHEMA:
            raise _not_ours(file, f"its schema is {str(document['schema'])[:60]!r}, not {SCHEMA!r}")
        place = table(document, "place")
        control = table(place, "control")
        return SavedLook(
            Facts.from_json(document),
            optional(document, "plan", table),
            Place(
                optional(place, "plan_file", text),
                optional(place, "network_file", text),
                {dns.name.from_text(name): Path(text(control, name)) for name in control},
            ),
        )
    except _UNREADABLE as error:
        raise _not_ours(file, _why(error)) from error


def _why(error: BaseException) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error) or type(error).__name__


def _not_ours(file: str, why: str) -> HostError:
    return HostError(
        f"{file} cannot be read as a saved look: {why}",
        remedy="Save one with: mailname check PLAN --save FILE",
        step="replay",
    )


def _toml(value: object) -> str:
    """Write a value in one line of TOML; what JSON writes is TOML but for tables and one letter (TOML 1.0, String)."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
