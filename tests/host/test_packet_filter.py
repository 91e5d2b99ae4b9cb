"""HOST-06: the live rules, and what a stranger saw."""

from __future__ import annotations

import pytest
from tests.host.told import FILTER, PLAN, at, facts, host

from mailname.host.facts import Told, Tried
from mailname.host.packet_filter import judge_packet_filter
from mailname.host.step import Outcome

EMPTY = '{"nftables": [{"metainfo": {"version": "1.0.6"}}]}'
SAVED = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -p {} --dport 53 -j ACCEPT\nCOMMIT"


class TestPacketFilter:
    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"filter": None}, "there is no packet filter"),
            ({"filter": EMPTY}, "IPv4: what no rule forbids is let in"),
            ({"filter": FILTER.replace("53]", "54]")}, "IPv4: 53/tcp, 53/udp is dropped, and the plan wants it open."),
            ({"filter": FILTER.replace("53]", '53, {"range": [20000, 30000]}, 3306]')}, "what no rule forbids is let in"),
            ({"filter": FILTER.replace("53]", "53, 3306]")}, "IPv4: 3306/tcp is let in"),
            ({"filter": FILTER.replace("53]", "53, 161]")}, "161/udp is let in, and the plan does not want it."),
            ({"filter": FILTER.replace("inet", "ip")}, "IPv6: what no rule forbids is let in"),
            ({"filter-boot": Told("disabled\nnot-found", 1)}, "no packet filter is set up at the next boot."),
            ({"iptables": SAVED.format("udp")}, "IPv4: 53/tcp is dropped"),
        ],
    )
    def test_what_is_wrong_is_named(self, changed: dict[str, Told | str | None], said: str) -> None:
        result = judge_packet_filter(facts(changed), host())
        assert result.outcome is Outcome.DOES_NOT_HOLD
        assert said in " ".join(result.seen)

    def test_family_that_the_host_has_and_the_plan_has_not(self) -> None:
        """What is open over IPv6 is open, whether or not the plan names the address."""
        only = host(PLAN.replace(', "2001:db8::11"', ""))
        result = judge_packet_filter(facts(filter=FILTER.replace("inet", "ip")), only)
        assert result.seen[0].startswith("IPv6: what no rule forbids")

    def test_host_with_ipv6_alone(self) -> None:
        only = host(PLAN.replace('"192.0.2.11", ', ""))
        six = facts(filter=FILTER.replace("inet", "ip6"), addresses="2: eth0    inet6 2001:db8::11/64 scope global")
        assert judge_packet_filter(six, only).outcome is Outcome.HOLDS

    @pytest.mark.parametrize(
        "tried",
        [
            at("192.0.2.11", 53, "udp", "silent"),
            at("2001:db8::11", 53, "tcp", "silent"),
            at("192.0.2.11", 22, "tcp", "unreachable"),
        ],
    )
    def test_filter_on_the_way(self, tried: Tried) -> None:
        """The host lets it in, and nothing comes through: the provider's filter."""
        result = judge_packet_filter(facts(tried=(tried,)), host())
        assert result.seen == (f"{tried.at} is {tried.says} from here, although the host lets it in.",)
        assert result.command == "mailname host security-group PLAN --provider PROVIDER"

    def test_what_is_closed_or_open_as_wanted(self) -> None:
        tried = (
            at("192.0.2.11", 53, "udp", "closed"),
            at("192.0.2.11", 22, "tcp", "open"),
            at("192.0.2.11", 80, "tcp", "silent"),
        )
        assert judge_packet_filter(facts(tried=tried), host()).outcome is Outcome.HOLDS

    def test_open_to_the_world_is_seen_from_outside(self) -> None:
        """Whatever the rules say: what answers is open."""
        result = judge_packet_filter(facts(tried=(at("192.0.2.11", 8080, "tcp", "open"),)), host())
        assert result.seen[0] == "8080/tcp at 192.0.2.11 is open to the world, and the plan does not want it."

    def test_udp_that_answers_nobody_is_no_verdict(self) -> None:
        plan = host(PLAN.replace("[hosts]", '[hosts]\nopen_ports = ["51820/udp"]'))
        opened = facts(filter=FILTER.replace("53]", "53, 51820]"), tried=(at("192.0.2.11", 51820, "udp", "silent"),))
        assert judge_packet_filter(opened, plan).outcome is Outcome.HOLDS
