from __future__ import annotations

import io
from dataclasses import replace

import dns.name
from rich.console import Console
from tests.plan.marked_plans import plan

from mailname.cli.diff_view import diff_json, diff_lines, print_diff
from mailname.plan import expand
from mailname.zone import Serial
from mailname.zone.diff import diff

APEX = dns.name.from_text("example.tech.")
OLD = expand(plan(), Serial(1))
NEW = expand(plan(("1800", "3600"), ('"192.0.2.1", "2', '"192.0.2.9", "2')), Serial(2))


class TestDiffLines:
    def test_of_the_soa_say_only_what_changed(self) -> None:
        """Nine fields side by side tell nobody anything."""
        first, *rest = [line.plain for line in diff_lines(diff(OLD, NEW), APEX)]
        assert first.split() == ["~", "@", "SOA", "serial", "1", "→", "2,", "minimum", "1800", "→", "3600"]
        assert [line.split() for line in rest] == [
            ["-", "ns1", "86400", "A", "192.0.2.1"],
            ["+", "ns1", "86400", "A", "192.0.2.9"],
        ]

    def test_are_coloured(self) -> None:
        """Green comes, red goes."""
        assert [str(line.style) for line in diff_lines(diff(OLD, NEW), APEX)] == ["cyan", "red", "green"]

    def test_of_another_ttl(self) -> None:
        """The record goes and comes; the SOA says it in its line."""
        lines = [line.plain for line in diff_lines(diff(OLD, expand(plan(("86400", "60")), Serial(1))), APEX)]
        assert lines[0].split() == ["~", "@", "SOA", "TTL", "86400", "→", "60"]
        assert len(lines) == 1 + 2 * (OLD.record_count - 1)

    def test_of_a_first_publication(self) -> None:
        """Everything comes, the SOA too."""
        assert {line.plain[0] for line in diff_lines(diff(None, OLD), APEX)} == {"+"}

    def test_of_nothing(self) -> None:
        """No line at all."""
        assert diff_lines((), APEX) == []


class TestPrintDiff:
    def test_is_relative_to_the_apex_where_it_is_known(self) -> None:
        """By the change of the SOA, or as told; otherwise names are whole."""
        changes = diff(OLD, NEW)
        for arguments, owner in ((changes, " ns1 "), (changes[1:], " ns1.example.tech ")):
            printed = io.StringIO()
            print_diff(Console(file=printed, width=200), arguments)
            assert owner in printed.getvalue()
        printed = io.StringIO()
        print_diff(Console(file=printed, width=200), changes[1:], apex=APEX)
        assert " ns1 " in printed.getvalue()


class TestDiffJson:
    def test_has_before_and_after(self) -> None:
        """None where there was nothing."""
        soa, address = diff_json(diff(OLD, NEW))
        assert soa["type"] == "SOA"
        assert address == {
            "kind": "change",
            "owner": "ns1.example.tech.",
            "type": "A",
            "old": {"ttl": 86400, "data": ["192.0.2.1"]},
            "new": {"ttl": 86400, "data": ["192.0.2.9"]},
        }
        gone = replace(diff(OLD, NEW)[1], kind="remove", new=None)
        assert diff_json([gone])[0]["new"] is None
