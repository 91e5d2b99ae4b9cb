"""What a server of another program has counted, in the form in which ours tells it (``mailname.traffic/1``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: What no other program counts, or tells.
NEITHER = ("zones", "clients", "names", "latency")


@dataclass(slots=True)
class Traffic:
    """Counts since its start; what a program does not count stays 0 or empty, and is named in ``not_counted``."""

    since: str | None = None
    not_counted: tuple[str, ...] = NEITHER
    questions: int = 0
    answers: int = 0
    limited: int = 0
    edns: int = 0
    do: int = 0
    types: dict[str, int] = field(default_factory=dict)
    rcodes: dict[str, int] = field(default_factory=dict)
    transports: dict[str, int] = field(default_factory=lambda: {"udp": 0, "tcp": 0})
    families: dict[str, int] = field(default_factory=lambda: {"ipv4": 0, "ipv6": 0})

    def add(self, name: str, inner: str, count: int) -> None:
        """Add to a count, or to the one of this name within it."""
        part = getattr(self, name)
        if isinstance(part, dict):
            part[inner] = part.get(inner, 0) + count
        else:
            setattr(self, name, part + count)

    def report(self, span: str | None) -> dict[str, Any]:
        """Return it as our own server does; with ``span`` a history, of which others keep none."""
        history: dict[str, Any] = {"history": {"span": span, "problem": None, "rows": []}} if span is not None else {}
        return {
            "schema": "mailname.traffic/1",
            "since": self.since,
            "questions": self.questions,
            "answers": self.answers,
            "limited": self.limited,
            "types": _most_first(self.types),
            "rcodes": _most_first(self.rcodes),
            "transports": self.transports,
            "families": self.families,
            "edns": self.edns,
            "do": self.do,
            "zones": [],
            "clients": [],
            "names": [],
            "latency": {},
            "microseconds": 0,
            "not_counted": list(self.not_counted),
            **history,
        }


def _most_first(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items(), key=lambda one: -one[1]) if count}
