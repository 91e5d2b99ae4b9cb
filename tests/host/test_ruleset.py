"""A packet filter's live rules, followed for a stranger's first packet."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailname.host.ruleset import Packet, Ruleset, read_ruleset

TABLE = {"family": "inet", "table": "filter"}


def chain(policy: str = "drop", name: str = "input", **more: Any) -> dict[str, Any]:
    return {"chain": {**TABLE, "name": name, "type": "filter", "hook": "input", "prio": 0, "policy": policy, **more}}


def rule(*expressions: dict[str, Any], in_chain: str = "input", **more: Any) -> dict[str, Any]:
    return {"rule": {**TABLE, "chain": in_chain, "expr": list(expressions), **more}}


def match(left: dict[str, Any], right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def port(right: Any, protocol: str = "tcp") -> dict[str, Any]:
    return match({"payload": {"protocol": protocol, "field": "dport"}}, right)


ACCEPT: dict[str, Any] = {"accept": None}
DROP: dict[str, Any] = {"drop": None}
ESTABLISHED = rule(match({"ct": {"key": "state"}}, ["established", "related"], "in"), ACCEPT)
LOOPBACK = rule(match({"meta": {"key": "iif"}}, "lo"), ACCEPT)


def fate(entries: list[dict[str, Any]], number: int = 22, protocol: str = "tcp", version: int = 4) -> str:
    return Ruleset(entries).fate(Packet(version, protocol, number))


class TestRuleset:
    def test_without_a_chain_everything_is_let_in(self) -> None:
        assert fate([]) == "accepted"
        assert not Ruleset([]).drops_by_default(4)

    def test_policy_decides_what_no_rule_does(self) -> None:
        """What is for established connections and for loopback is not for strangers."""
        assert fate([chain("drop"), ESTABLISHED, LOOPBACK]) == "dropped"
        assert fate([chain("accept"), ESTABLISHED]) == "accepted"
        assert Ruleset([chain("drop")]).drops_by_default(6)

    @pytest.mark.parametrize(
        "right",
        [22, {"set": [22, 53]}, {"set": [{"range": [20, 25]}]}, {"range": [1, 1023]}, "@open", {"set": [{"elem": {"val": 22}}]}],
    )
    def test_ports_are_found_in_every_form(self, right: Any) -> None:
        sets = {"set": {**TABLE, "name": "open", "elem": [22, {"range": [50, 60]}]}}
        entries = [sets, chain(), rule(port(right), ACCEPT)]
        assert fate(entries) == "accepted"
        assert fate(entries, protocol="udp") == "dropped"
        assert fate(entries, 3306) == "dropped"

    def test_every_hooked_chain_has_to_let_it_in(self) -> None:
        """What one table accepts another may still drop: a ban is such a table."""
        other = {
            "chain": {
                "family": "inet",
                "table": "bans",
                "name": "input",
                "type": "filter",
                "hook": "input",
                "prio": -1,
                "policy": "drop",
            }
        }
        assert fate([chain(), rule(port(22), ACCEPT), other]) == "dropped"

    def test_one_family_is_not_the_other(self) -> None:
        """A filter for IPv4 alone leaves IPv6 open."""
        only = {
            "chain": {
                "family": "ip",
                "table": "filter",
                "name": "input",
                "type": "filter",
                "hook": "input",
                "prio": 0,
                "policy": "drop",
            }
        }
        assert fate([only]) == "dropped"
        assert fate([only], version=6) == "accepted"
        by_rule = [chain(), rule(match({"meta": {"key": "nfproto"}}, "ipv4"), port(22), ACCEPT)]
        assert (fate(by_rule), fate(by_rule, version=6)) == ("accepted", "dropped")

    def test_jumps_are_followed_and_come_back(self) -> None:
        """And a chain that jumps to itself ends in doubt, not in a loop."""
        inner = {"chain": {**TABLE, "name": "inner"}}
        entries = [chain(), inner, rule({"jump": {"target": "inner"}}), rule(port(22), ACCEPT, in_chain="inner")]
        assert fate(entries) == "accepted"
        assert fate([*entries, rule(port(25), ACCEPT)], 25) == "accepted"
        assert (
            fate([chain(), inner, rule({"jump": {"target": "inner"}}), rule({"jump": {"target": "inner"}}, in_chain="inner")])
            == "unknown"
        )

    def test_what_cannot_be_read_is_doubt(self) -> None:
        """A match of iptables (xt) may fit or not."""
        doubt = rule({"xt": {"type": "match", "name": "owner"}}, DROP)
        assert fate([chain("accept"), doubt]) == "unknown"

    def test_drop_at_the_end_is_a_default(self) -> None:
        """As good as a policy."""
        assert Ruleset([chain("accept"), rule(port(22), ACCEPT), rule({"counter": {}}, DROP)]).drops_by_default(4)
        assert not Ruleset([chain("accept"), rule(port(22), DROP)]).drops_by_default(4)

    def test_sources_are_compared_with_a_stranger_s(self) -> None:
        """SSH from the office alone is not open to the world."""
        office = match({"payload": {"protocol": "ip", "field": "saddr"}}, {"prefix": {"addr": "192.0.2.0", "len": 24}})
        assert fate([chain(), rule(office, port(22), ACCEPT)]) == "dropped"


class TestReadRuleset:
    def test_reads_what_nft_prints(self) -> None:
        read = read_ruleset(json.dumps({"nftables": [{"metainfo": {"version": "1.0.6"}}, chain()]}))
        assert read is not None
        assert read.drops_by_default(4)

    @settings(max_examples=50)
    @given(
        st.text()
        | st.recursive(
            st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
        ).map(json.dumps)
    )
    def test_nothing_that_is_printed_raises(self, text: str) -> None:
        assert read_ruleset(text) is None or read_ruleset(text) is not None


class TestRulesThatPeopleWrite:
    """As nft prints them."""

    def test_verdict_maps(self) -> None:
        """``ct state vmap { established : accept, invalid : drop }``, then ``tcp dport vmap @ports``."""
        states = {"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["established", ACCEPT], ["invalid", DROP]]}}}
        ports = {"vmap": {"key": {"payload": {"protocol": "tcp", "field": "dport"}}, "data": "@ports"}}
        named = {"map": {**TABLE, "name": "ports", "elem": [[22, ACCEPT], [25, {"jump": {"target": "mail"}}], [80, DROP]]}}
        mail = {"chain": {**TABLE, "name": "mail"}}
        entries = [named, chain(), mail, rule(states), rule(ports), rule(ACCEPT, in_chain="mail")]
        assert [fate(entries, number) for number in (22, 25, 80, 443)] == ["accepted", "accepted", "dropped", "dropped"]

    def test_new_connections_without_syn(self) -> None:
        """``tcp flags & (fin|syn|rst|ack) != syn ct state new drop`` is not about a stranger's first packet."""
        flags = {"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, {"|": ["fin", "syn", "rst", "ack"]}]}
        odd = rule(match(flags, "syn", "!="), match({"ct": {"key": "state"}}, "new", "in"), DROP)
        assert fate([chain(), odd, rule(port(22), ACCEPT)]) == "accepted"

    def test_limits(self) -> None:
        """One packet is below each limit, and not over it."""
        over = rule(port(22), {"limit": {"rate": 5, "per": "minute", "inv": True}}, DROP)
        below = rule(port(22), {"limit": {"rate": 5, "per": "minute"}}, ACCEPT)
        assert fate([chain(), over, below]) == "accepted"

    def test_firewalld_s_chains(self) -> None:
        """Zones by interface, the rest rejected at the end of a chain whose policy is to accept."""
        zone = {"chain": {**TABLE, "name": "zones"}}
        by_name = match({"meta": {"key": "iifname"}}, "eth0")
        back = {"fib": {"result": "oif", "flags": ["saddr", "mark", "iif"]}}
        entries = [
            chain("accept"),
            chain("accept", "pre", hook="prerouting", prio=-300),
            zone,
            rule(match(back, False), DROP, in_chain="pre"),
            ESTABLISHED,
            rule(match({"ct": {"key": "status"}}, "dnat", "in"), ACCEPT),
            rule({"jump": {"target": "zones"}}),
            rule({"reject": {"type": "icmpx", "expr": "admin-prohibited"}}),
            rule(by_name, port(22), ACCEPT, in_chain="zones"),
        ]
        rules = Ruleset(entries)
        assert rules.fate(Packet(4, "tcp", 22, "eth0")) == "accepted"
        assert rules.fate(Packet(4, "tcp", 22, "eth1")) == "dropped"
        assert rules.fate(Packet(4, "tcp", 22)) == "unknown"
        assert rules.drops_by_default(4)

    def test_chain_that_drops_by_name_and_lets_everything_in(self) -> None:
        """What counts is what becomes of a packet, not what the policy is called."""
        assert not Ruleset([chain("drop"), rule(ACCEPT)]).drops_by_default(4)
