"""What has to be changed so that the packet filter drops what nobody wants: a table of our own, and a unit that loads it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mailname.host import wanted_files as files
from mailname.host.change import Change, When, file, file_diff, order
from mailname.host.packet_filter import judge_packet_filter
from mailname.host.step import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.host.facts import Facts
    from mailname.plan.hosts import Host

UNIT = "mailname-filter.service"
TABLE = "inet mailname"


def filter_changes(facts: Facts, host: Host) -> Iterator[Change]:
    """Load the rules of the plan where the live ones do something else; another filter on the way is not this host's to mend."""
    kept = facts.kept()
    text, now = files.filter_text(host), kept.get(files.FILTER)
    holds = judge_packet_filter(replace(facts, tried=()), host).outcome is not Outcome.DOES_NOT_HOLD
    if holds and (now is None or now == text):
        return
    if now != text:
        yield Change(
            "packet filter",
            ("HOST-06",),
            file_diff(files.FILTER, now, text),
            (file(files.FILTER, text, check_new='nft -c -f "$new"'),),
            When.GUARDED,
        )
    unit_now = kept.get(files.FILTER_UNIT)
    if unit_now != files.UNIT_TEXT:
        yield Change(
            "packet filter",
            ("HOST-06",),
            file_diff(files.FILTER_UNIT, unit_now, files.UNIT_TEXT),
            (file(files.FILTER_UNIT, files.UNIT_TEXT, after="systemctl daemon-reload"),),
            When.GUARDED,
        )
    yield Change(
        "packet filter",
        ("HOST-06",),
        (f"+ table {TABLE}: loaded, now and at boot by {UNIT}",),
        (order(f"systemctl enable -q {UNIT} && systemctl reload-or-restart {UNIT} && nft list table {TABLE} >/dev/null"),),
        When.GUARDED,
    )
