"""What happened between the servers of a domain, put together from what each of them remembers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mailname.view.event_words import in_words, repeated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BAD = ("failed", "refused", "expired")


@dataclass(frozen=True, slots=True)
class Happened:
    """One event, and the server that told it. ``event`` is as ``mailname history --json`` has it."""

    server: str
    event: Mapping[str, Any]

    @classmethod
    def read(cls, server: str, event: Mapping[str, Any]) -> Happened:
        """Take over what a server told."""
        return cls(server, event)

    @property
    def at(self) -> datetime:
        """When it ended, or happened last."""
        return datetime.fromisoformat(self.event["end"]).astimezone(UTC)

    @property
    def is_bad(self) -> bool:
        """Tell whether something went wrong."""
        what, result = str(self.event["what"]), str(self.event["result"])
        return what in _BAD or (what == "notify" and result != "acknowledged")

    @property
    def is_transfer(self) -> bool:
        """Tell whether a version came over, or should have."""
        return str(self.event["what"]) != "notify"

    @property
    def is_of_ours(self) -> bool:
        """Tell whether the other one stands in the configuration; whoever tries his luck does not."""
        return bool(self.event["known"])

    @property
    def says(self) -> str:
        """Say what happened."""
        return in_words(self.event) + repeated(self.event)

    @property
    def between(self) -> str:
        """Say between whom: this server, and the other one's address."""
        peer = self.event["peer"]
        if not peer:
            return self.server
        return f"{self.server} {'from' if self.event['direction'] == 'in' else 'to'} {peer}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"server": self.server, **self.event}


def merged(events: Iterable[Happened]) -> tuple[Happened, ...]:
    """Return events of several servers as one history, the newest first."""
    return tuple(sorted(events, key=lambda one: (one.at, one.server), reverse=True))
