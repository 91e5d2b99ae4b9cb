"""All steps of one host, judged from its facts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.host.boot import judge_boot
from mailname.host.brute_force import judge_brute_force
from mailname.host.clock import judge_clock, judge_time_zone
from mailname.host.logins import judge_administrator, judge_ssh
from mailname.host.own_name import judge_own_name, judge_reverse_name
from mailname.host.packet_filter import judge_packet_filter
from mailname.host.residents import judge_nothing_else, judge_port_53
from mailname.host.upkeep import judge_disk, judge_upgrades

if TYPE_CHECKING:
    from mailname.host.facts import Facts
    from mailname.host.step import Result
    from mailname.plan.hosts import Host
    from mailname.plan.model import Hosts


def judge(facts: Facts, host: Host, wanted: Hosts) -> tuple[Result, ...]:
    """Return what was found of each step, in their order."""
    return (
        judge_administrator(facts, wanted),
        judge_ssh(facts, wanted),
        judge_brute_force(facts),
        judge_clock(facts),
        judge_time_zone(facts, wanted),
        judge_packet_filter(facts, host),
        judge_boot(facts, host),
        judge_nothing_else(facts, host),
        judge_own_name(facts, host),
        judge_disk(facts),
        judge_upgrades(facts),
        judge_port_53(facts, host),
        judge_reverse_name(facts, host),
    )
