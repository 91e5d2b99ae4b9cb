"""The ladder as a tree on a terminal: its rungs from the root down, the servers on each, and the hop that is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from mailname.checks.facts import RUNGS
from mailname.checks.finding import Severity
from mailname.checks.wording import spoken
from mailname.cli.console import print_table
from mailname.view.ladder_lines import TITLES, codes_at, rung_of

if TYPE_CHECKING:
    from rich.console import Console

    from mailname.checks import Facts, Verdict
    from mailname.plan import Plan


def print_ladder(console: Console, plan: Plan, facts: Facts, verdict: Verdict) -> None:
    """Print the tree: on a terminal as wide as it is, in a pipe a line for each server."""
    tree = Tree(Text(spoken(plan.domain), "bold"), guide_style="dim")
    for rung in RUNGS:
        _add_rung(tree, rung, plan, facts, verdict)
    print_table(console, tree)


def _add_rung(tree: Tree, rung: str, plan: Plan, facts: Facts, verdict: Verdict) -> None:
    lines = codes_at(rung, plan, facts, verdict)
    found = [finding for finding in verdict.findings if rung_of(finding) == rung]
    wrong = _codes([finding.code for finding in found if finding.severity is not Severity.NOTE])
    notes = _codes([finding.code for finding in found if finding.severity is Severity.NOTE])
    if not lines and not found:
        tree.add(Text.assemble(("- ", "dim"), TITLES[rung], (" not asked", "dim")))
        return
    title = Text.assemble(("✗ ", "red") if wrong else ("✓ ", "green"), (TITLES[rung], "bold"))
    title.append(f" {wrong}" if wrong else "", "red")
    title.append(f" (note {notes})" if notes else "", "dim")
    branch = tree.add(title)
    for line, codes in lines:
        branch.add(Text.assemble(("✗ ", "red"), line, (f" {_codes(codes)}", "red")) if codes else Text(line, "dim"))


def _codes(codes: list[str]) -> str:
    return ", ".join(dict.fromkeys(codes))
