"""Which primaries are asked by UDP for what changed in a zone: most know no way but TCP (RFC 1995 section 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailname.server.network import Endpoint

SILENT = 60.0  # seconds for which a server that did not answer is not asked so
UNWILLING = 3600.0  # seconds for which one is not that sends no more than a SOA
PROVEN = 3600.0  # seconds for which TCP counts as open: the next zone that is new, or changes much, needs it
_IN_A_ROW = 2  # answers without the change, after which a server counts as unwilling: one may just have been too long


@dataclass(slots=True)
class ByUdp:
    """What is known of each primary. Times are seconds of a clock that never jumps.

    Attributes:
        to_be_proven: those that are being asked whether they answer by TCP.

    """

    to_be_proven: set[Endpoint] = field(default_factory=set)
    _proven: dict[Endpoint, float] = field(default_factory=dict)
    _until: dict[Endpoint, float] = field(default_factory=dict)
    _in_a_row: dict[Endpoint, int] = field(default_factory=dict)

    def may_ask(self, server: Endpoint, now: float) -> bool:
        """Tell whether a question may be worth it: it must not hide that TCP is closed."""
        if now >= self._proven.get(server, -PROVEN) + PROVEN:
            return False
        if (until := self._until.get(server)) is None:
            return True
        if now < until:
            return False
        del self._until[server]
        return True

    def reached_by_tcp(self, server: Endpoint, now: float) -> None:
        """Take that it answers by TCP."""
        self._proven[server] = now

    def well(self, server: Endpoint) -> None:
        """Take that a change came."""
        self._in_a_row.pop(server, None)

    def silent(self, server: Endpoint, now: float) -> None:
        """Take that nothing came."""
        self._until[server] = now + SILENT

    def sent_no_change(self, server: Endpoint, now: float) -> None:
        """Take that something came, and no change."""
        count = self._in_a_row[server] = self._in_a_row.get(server, 0) + 1
        if count >= _IN_A_ROW:
            del self._in_a_row[server]
            self._until[server] = now + UNWILLING
