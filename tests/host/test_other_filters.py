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
            ("", "ufw drops 53/tcp, 53/udp", "sudo ufw allow 53/tcp; sudo ufw allow 53/udp"),
            (
                "firewalld.service loaded active running x",
                "firewalld drops 53/tcp, 53/udp",
                "sudo firewall-cmd --permanent --add-port=53/tcp --add-port=53/udp && sudo firewall-cmd --reload",
            ),
            (None, "a packet filter that is not ours drops", "sudo nft list ruleset"),
        ],
    )
    def test_that_drops_what_the_plan_wants_is_left_alone(self, active: str | None, who: str, typed: str) -> None:
        """Whatever we put beside it, it would go on dropping."""
        drops = (
            SHUT
            if active is None
            else SHUT.replace('"name": "in"', '"name": "ufw-user-input"').replace('"chain": "in"', '"chain": "ufw-user-input"')
        )
        found = facts({"filter": drops, "active": f"{SAFE['active']}\n{active or ''}"})
        (left,) = left_alone(found, host())
        assert left.why.startswith(who)
        assert typed in left.fix
        assert "packet filter" not in {one.title for one in changes(found, host(), wanted())}

    def test_that_only_iptables_shows_is_seen(self) -> None:
        """As ufw's, on a host where nft is not installed yet."""
        saved = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT"
        (left,) = left_alone(facts(filter=None, iptables=saved, ip6tables=saved), host())
        assert "drops 53/tcp, 53/udp" in left.why

    def test_our_own_table_is_ours_to_mend(self) -> None:
        """As after a change of the plan."""
        ours = facts(filter=SHUT.replace('"table": "t"', '"table": "mailname"'))
        assert left_alone(ours, host()) == ()
        assert "packet filter" in {one.title for one in changes(ours, host(), wanted())}

    @pytest.mark.parametrize("told", ["", "[]", '{"nftables": 5}', '{"nftables": [5]}', "\x00"])
    def test_rules_that_cannot_be_read_are_no_verdict(self, told: str) -> None:
        assert left_alone(facts(filter=told), host()) == ()
