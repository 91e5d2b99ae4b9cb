"""Plans with their mistakes marked: ¦ stands where a mistake is expected, and is taken out before the plan is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.errors import PlanError
from mailname.plan import load

if TYPE_CHECKING:
    from mailname.errors import Mistake
    from mailname.plan import Plan

MARK = "¦"

GOOD = """\
domain  = "example.tech"
contact = "hostmaster@example.tech"
website = ["192.0.2.1"]
ttl     = 86400

[soa]
refresh = 14400
retry   = 3600
expire  = 1209600
minimum = 1800

[[name_server]]
name      = "ns1.example.tech"
addresses = ["192.0.2.1", "2001:db8:1::1"]
role      = "secondary"

[[name_server]]
name      = "ns2.example.tech"
addresses = ["198.51.100.2", "2001:db8:2::2"]
role      = "primary"

[[mail_host]]
name       = "mail.example.tech"
preference = 10
addresses  = ["198.51.100.2"]
"""


@dataclass(frozen=True)
class Told:
    """What a plan's reader was told, and where the marks were."""

    mistakes: tuple[Mistake, ...]
    marks: list[tuple[int, int]]

    @property
    def places(self) -> list[tuple[int, int]]:
        return [(mistake.at.line, mistake.at.column) for mistake in self.mistakes]

    @property
    def words(self) -> str:
        return "\n".join(str(mistake) for mistake in self.mistakes)


def good(*changes: tuple[str, str], more: str = "") -> str:
    """Return the good plan with parts of it replaced, each of which must be there."""
    text = GOOD
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text + more


def told(marked: str) -> Told:
    """Read a marked plan and return all errors and warnings."""
    marks = []
    for number, line in enumerate(marked.split("\n"), 1):
        parts = line.split(MARK)
        column = 1
        for part in parts[:-1]:
            column += len(part)
            marks.append((number, column))
    text = marked.replace(MARK, "")
    try:
        mistakes = load(text, "plan.toml").warnings
    except PlanError as error:
        mistakes = error.mistakes
    return Told(mistakes, marks)


def assert_told(marked: str, *words: str) -> None:
    """Assert that exactly the marked places are told of, in words that hold each of ``words``."""
    found = told(marked)
    assert found.places == found.marks, found.words
    for word in words:
        assert word in found.words, found.words


def plan(*changes: tuple[str, str], more: str = "") -> Plan:
    """Return the good plan, changed."""
    return load(good(*changes, more=more), "plan.toml").plan
