"""A filter of others on the host: it is named, with its own words for opening a port, and none of ours is put beside it."""

from __future__ import annotations

import pytest
from tests.host.told import FILTER, SAFE, facts, host, wanted

from mailname.host.changes import changes, left_alone

SHUT = FILTER.replace("53]", "54]")


class TestOtherFilters:
    @pytest.mark.parametrize(
        ("active", "who", "typed"),
        [
            ("ufw.service loaded active exited x", "ufw drops 53/tcp, 53/udp", "sudo ufw allow 53/tcp; sudo ufw allow 53/udp"),
            (
                "firewalld.service loaded active running x",
                "firewalld drops 53/tcp, 53/udp",
                "sudo firewall-cmd --permanent --add-port=53/tcp --add-port=53/udp && sudo firewall-cmd --reload",
            ),
            ("", "a packet filter that is not ours drops", "sudo nft list ruleset"),
        ],
    )
    def test_that_drops_what_the_plan_wants_is_left_alone(self, active: str, who: str, typed: str) -> None:
        """Whatever we put beside it, it would go on dropping."""
        found = facts({"filter": SHUT, "active": f"{SAFE['active']}\n{active}"})
        (left,) = left_alone(found, host())
        assert left.why.startswith(who)
        assert typed in left.fix
        assert "packet filter" not in {one.title for one in changes(found, host(), wanted())}

    def test_our_own_table_is_ours_to_mend(self) -> None:
        """As after a change of the plan."""
        ours = facts(filter=SHUT.replace('"table": "t"', '"table": "mailname"'))
        assert left_alone(ours, host()) == ()
        assert "packet filter" in {one.title for one in changes(ours, host(), wanted())}

    @pytest.mark.parametrize("told", ["", "[]", '{"nftables": 5}', '{"nftables": [5]}', "\x00"])
    def test_rules_that_cannot_be_read_are_no_verdict(self, told: str) -> None:
        assert left_alone(facts(filter=told), host()) == ()
