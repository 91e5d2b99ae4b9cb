"""Observe the world, judge it, explain it: facts, findings, one cause."""

from mailname.checks.explain import Cause, Verdict, explain
from mailname.checks.facts import RUNGS, Facts
from mailname.checks.finding import CODES, Evidence, Finding, Severity
from mailname.checks.judge import Place, judge
from mailname.checks.observe import observe
from mailname.checks.world import World

__all__ = [
    "CODES",
    "RUNGS",
    "Cause",
    "Evidence",
    "Facts",
    "Finding",
    "Place",
    "Severity",
    "Verdict",
    "World",
    "explain",
    "judge",
    "observe",
]
