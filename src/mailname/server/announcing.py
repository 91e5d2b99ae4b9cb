"""One zone's secondaries, as the server that they transfer from sees them: notified, allowed, refused.

A primary has them, and so has a secondary that passes its copy on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailname.errors import TransferError
from mailname.server.asking import send_notify
from mailname.server.clock import iso
from mailname.server.context import Context, bare, log
from mailname.transfer.actions import Peer, SendNotify
from mailname.transfer.primary import Primary, Refusal

if TYPE_CHECKING:
    from mailname.server.network import IPAddress
    from mailname.transfer.actions import Action
    from mailname.zone import Serial, Zone


@dataclass(slots=True)
class Announcing:
    """Does what ``Primary`` decides. ``owner`` is the zone at work, whose tasks the NOTIFYs are."""

    context: Context
    rules: Primary
    owner: object
    zone: Zone | None = None

    def announce(self, zone: Zone) -> None:
        """Notify all secondaries of a version that is now served."""
        self.zone = zone
        self.do(self.rules.on_published(zone.serial, self.context.clock.monotonic()))

    def on_timer(self, now: float) -> None:
        """Notify again whoever has not acknowledged."""
        self.do(self.rules.on_timer(now))

    def do(self, actions: list[Action]) -> None:
        """Carry out what the rules want."""
        for action in actions:
            if isinstance(action, SendNotify):
                self.context.spawn(self._notify(action.peer, action.serial), self.owner)
        self.context.wake()

    async def _notify(self, peer: Peer, serial: Serial) -> None:
        zone = self.zone
        if zone is None or zone.serial != serial:
            return
        try:
            rcode = await send_notify(self.context, peer, zone)
        except TransferError as error:
            log.info("zone %s: notify to %s for serial %s: %s", bare(zone.apex), peer, serial, error.problem)
            self.rules.on_notify_failed(peer, serial, error.problem)
        else:
            log.info("zone %s: notify to %s for serial %s: %s", bare(zone.apex), peer, serial, rcode)
            self.rules.on_notify_answer(peer, serial, rcode)
        self.context.wake()

    def on_refused(self, source: IPAddress, reason: str, says: str) -> None:
        """Remember that a transfer was refused, and to whom."""
        self.rules.on_refused(Refusal(self.context.clock.wall(), str(source), reason, says))

    def status(self) -> dict[str, Any]:
        """Return this part of a zone's status."""
        return {
            "secondaries": [
                {
                    "address": str(one.peer),
                    "state": one.state,
                    "serial": one.serial.value if one.serial else None,
                    "tries": one.tries,
                    "says": one.says,
                }
                for one in self.rules.notifying
            ],
            "refused": [
                {"at": iso(one.at), "from": one.source, "reason": one.reason, "says": one.says} for one in self.rules.refused
            ],
        }
