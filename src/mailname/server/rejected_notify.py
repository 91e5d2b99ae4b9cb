"""NOTIFYs that a secondary cannot take, though they come from a primary's address: a wrong key, a wrong clock, no signature.

They wake nobody (RFC 1996 section 3.10), and anybody may forge them. But mostly they are the first sign that the two servers
cannot talk to each other any more, hours before the next refresh would find it out. So the primary is asked for its SOA, as
the next refresh would do: its own answer tells the cause, or that all is well. At most once in ten seconds for each address.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailname.server.secondary_zone import SecondaryZone

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.name import Name

    from mailname.server.network import IPAddress
    from mailname.server.primary_zone import PrimaryZone
    from mailname.zone import Serial

PAUSE = 10.0  # seconds
_MOST = 4096  # addresses and zones; those asked longest ago are forgotten first


@dataclass(slots=True)
class RejectedNotifies:
    """When whom we asked because of one; ``now`` gives seconds of a clock that never jumps."""

    now: Callable[[], float]
    _asked: OrderedDict[tuple[Name, IPAddress], float] = field(default_factory=OrderedDict)

    def on_rejected(
        self, zone: PrimaryZone | SecondaryZone, source: IPAddress, reason: str, says: str, told: Serial | None
    ) -> None:
        """Take one that is not to be believed.

        Args:
            zone: that it is about.
            source: whence it came, if that is true.
            reason: the stable word.
            says: why it is not taken.
            told: the serial in it.

        """
        if not isinstance(zone, SecondaryZone):
            zone.secondaries.on_refused(source, reason, says)
            return
        peer = next((one for one in zone.logic.primaries if one.address == source), None)
        zone.notes.refused_notify(source, told, says, known=peer is not None)
        if peer is not None and self._is_due(zone.apex, source):
            zone.do(zone.logic.on_notify(peer, None, self.now()))

    def _is_due(self, apex: Name, source: IPAddress) -> bool:
        now, before = self.now(), self._asked.pop((apex, source), None)
        is_due = before is None or now - before >= PAUSE
        self._asked[apex, source] = now if is_due or before is None else before
        if len(self._asked) > _MOST:
            self._asked.popitem(last=False)
        return is_due
