"""The causes for which a copy is not in step with its primary: one code for each, for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Where = Literal["primary", "secondary", "both", "between"]

#: Code -> (the stable word, who can mend it). ``docs/reliability.md`` tells what each means and what to type.
CODES: dict[str, tuple[str, Where]] = {
    "REPL-01": ("not-allowed", "primary"),
    "REPL-02": ("wrong-source", "secondary"),
    "REPL-03": ("key-unknown", "both"),
    "REPL-04": ("secrets-differ", "both"),
    "REPL-05": ("clocks-differ", "both"),
    "REPL-06": ("unsigned", "both"),
    "REPL-07": ("nothing-listens", "primary"),
    "REPL-08": ("tcp-refused", "primary"),
    "REPL-09": ("tcp-silent", "between"),
    "REPL-10": ("silent", "between"),
    "REPL-11": ("unreachable", "secondary"),
    "REPL-12": ("connection-broken", "between"),
    "REPL-13": ("transfer-stalled", "between"),
    "REPL-14": ("not-authoritative", "primary"),
    "REPL-15": ("primary-went-back", "primary"),
    "REPL-16": ("serial-not-higher", "primary"),
    "REPL-17": ("malformed", "primary"),
    "REPL-18": ("primary-expired", "primary"),
    "REPL-19": ("primary-cannot-serve", "primary"),
    "REPL-20": ("both-primary", "both"),
    "REPL-21": ("circle", "both"),
    "REPL-22": ("notify-unanswered", "between"),
    "REPL-23": ("notify-refused", "secondary"),
    "REPL-24": ("zone-not-loaded", "primary"),
    "REPL-25": ("serial-not-raised", "primary"),
    "REPL-26": ("not-kept", "secondary"),
    "REPL-27": ("not-fetched", "secondary"),
    "REPL-28": ("other", "secondary"),
    "REPL-29": ("does-not-serve", "secondary"),
    "REPL-30": ("tls", "both"),
    "REPL-31": ("macs-truncated", "both"),
    "REPL-32": ("catalog", "primary"),
    "REPL-33": ("udp-silent", "between"),
    "REPL-34": ("not-notified", "primary"),
    "REPL-35": ("wrong-primary", "secondary"),
    "REPL-36": ("other-role", "both"),
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a copy is not in step, and what to do.

    Attributes:
        code: permanent.
        says: one sentence.
        remedy: one sentence or two, with the next command to type.
        since: when this began, ISO 8601; empty where it is not known.
        heard: what each side said itself: (its name, its sentence).
        at: who can mend it, where that is not the same for each cause of this code.

    """

    code: str
    says: str
    remedy: str
    since: str = ""
    heard: tuple[tuple[str, str], ...] = ()
    at: Where | None = None

    @property
    def word(self) -> str:
        """The stable word."""
        return CODES[self.code][0]

    @property
    def where(self) -> Where:
        """Who can mend it."""
        return self.at or CODES[self.code][1]

    def to_json(self) -> dict[str, Any]:
        """Return it as ``mailname status --json`` tells it."""
        return {
            "code": self.code,
            "cause": self.word,
            "where": self.where,
            "says": self.says,
            "remedy": self.remedy,
            "since": self.since or None,
            "heard": [{"server": name, "says": says} for name, says in self.heard],
        }
