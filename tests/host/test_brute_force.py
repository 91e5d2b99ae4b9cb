"""HOST-03: fail2ban's word is not taken for a ban."""

from __future__ import annotations

import pytest
from tests.host.told import FILTER, SAFE, facts

from mailname.host.brute_force import judge_brute_force
from mailname.host.facts import Told
from mailname.host.step import Outcome

BANNED = SAFE["fail2ban"] + "\t198.51.100.7 198.51.100.8"


class TestBruteForce:
    @pytest.mark.parametrize(
        ("changed", "outcome", "said"),
        [
            ({"fail2ban": Told("inactive\nsh: 1: fail2ban-client: not found", 127)}, Outcome.DOES_NOT_HOLD, "is not installed"),
            ({"fail2ban": Told("inactive\nERROR Failed to access socket", 255)}, Outcome.DOES_NOT_HOLD, "does not run"),
            ({"fail2ban": Told("active\nSorry but the jail 'sshd' does not exist", 255)}, Outcome.DOES_NOT_HOLD, "sshd is off"),
            ({"fail2ban": Told("active\nERROR Unable to contact server", 255)}, Outcome.UNKNOWN, "Unable to contact"),
            ({"trial": "1\nlanded 0"}, Outcome.DOES_NOT_HOLD, "never came into the packet filter"),
            ({"trial": Told("", 127)}, Outcome.UNKNOWN, "not tried: no trial"),
            ({"fail2ban": BANNED}, Outcome.DOES_NOT_HOLD, "198.51.100.7, 198.51.100.8, and the packet filter knows nothing"),
        ],
    )
    def test_what_is_told(self, changed: dict[str, Told | str | None], outcome: Outcome, said: str) -> None:
        result = judge_brute_force(facts(changed))
        assert (result.outcome, said in result.seen[0]) == (outcome, True)

    @pytest.mark.parametrize("where", ["filter", "iptables", "ipset"])
    def test_bans_that_are_in_the_rules(self, where: str) -> None:
        rules = FILTER.replace("[22, 53]", '["198.51.100.7"]') if where == "filter" else "-s 198.51.100.7/32 -j REJECT"
        assert judge_brute_force(facts({"fail2ban": BANNED, where: rules})).outcome is Outcome.HOLDS
