"""HOST-09 and HOST-13: the host's own name, and the way from its addresses to the name and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.host.told import PLAN, facts, host

from mailname.host.facts import Facts, Told
from mailname.host.own_name import judge_own_name, judge_reverse_name
from mailname.host.step import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

BOTH = ("192.0.2.11", "2001:db8::11")
MAIL = PLAN.replace("mail.example.net", "ns1.example.tech")


def reverse(names: Mapping[str, tuple[str, ...] | None], forward: Mapping[str, tuple[str, ...] | None], plan: str = PLAN) -> str:
    """Return the outcome, and the first thing that was seen."""
    result = judge_reverse_name(Facts({}, names=names, forward=forward), host(plan))
    return f"{result.outcome}: {result.seen[0]}"


class TestOwnName:
    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"name": "vm-4711\nvm-4711"}, "it takes itself for 'vm-4711', the plan calls it ns1.example.tech."),
            ({"name": Told("ns1\nhostname: Name or service not known", 1)}, "it takes itself for 'ns1'"),
            ({"own-address": Told("", 2)}, "its own name 'ns1' cannot be resolved there"),
        ],
    )
    def test_what_is_wrong_is_named(self, changed: dict[str, Told | str | None], said: str) -> None:
        result = judge_own_name(facts(changed), host())
        assert result.outcome is Outcome.DOES_NOT_HOLD
        assert said in result.seen[0]


class TestReverseName:
    def test_each_name_leads_back_to_its_own_address(self) -> None:
        """One name for each family is as well as one for both."""
        names = {"192.0.2.11": ("v4.example.",), "2001:db8::11": ("v6.example.",)}
        back = {"v4.example.": ("192.0.2.11",), "v6.example.": ("2001:DB8:0::11",)}
        assert reverse(names, back).startswith("holds: ")
        assert reverse(names, {**back, "v4.example.": ("192.0.2.12",)}) == (
            "does not hold: v4.example does not lead back to 192.0.2.11."
        )

    def test_where_mail_comes_from_the_name_is_the_host_s(self) -> None:
        """Receivers compare it with the name that the host greets with."""
        names: dict[str, tuple[str, ...] | None] = dict.fromkeys(BOTH, ("static.example.",))
        assert reverse(names, {"static.example.": BOTH}).startswith("holds: ")
        assert "leads to static.example, not to ns1.example.tech" in reverse(names, {"static.example.": BOTH}, MAIL)

    def test_what_nobody_tells_is_unknown(self) -> None:
        assert reverse({"192.0.2.11": None}, {}).startswith("could not find out: ")
        assert reverse({"192.0.2.11": ("a.",)}, {"a.": None}).startswith("could not find out: ")
        assert reverse({"192.0.2.11": ()}, {}) == "does not hold: 192.0.2.11 has no PTR record."
