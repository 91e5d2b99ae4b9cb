"""One zone's secondaries, as the server that they transfer from sees them: notified, allowed, refused.

A primary has them, and so has a secondary that passes its copy on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mailname.errors import TransferError
from mailname.server.clock import iso
from mailname.server.context import Context, bare, log
from mailname.server.notify_question import Sent, begin, send_notify
from mailname.transfer.actions import Peer, SendNotify
from mailname.transfer.primary import Primary, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.name import Name

    from mailname.server.network import IPAddress
    from mailname.server.noting import Noting
    from mailname.server.timetable import Timed
    from mailname.transfer.actions import Action
    from mailname.zone import Serial, Zone


@dataclass(slots=True)
class Announcing:
    """Does what ``Primary`` decides. ``owner`` is the zone at work, whose tasks the NOTIFYs are."""

    context: Context
    rules: Primary
    owner: Timed
    notes: Noting
    zone: Zone | None = None
    on_acknowledged: Callable[[Peer], None] | None = None
    rivals: dict[IPAddress, dict[str, Any]] = field(default_factory=dict)

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
                self.context.spawn(self._notify(action.peer, action.serial, self._begun(action)), self.owner)
        self.context.wake(self.owner)

    def _begun(self, action: SendNotify) -> Sent | None:
        """Send a NOTIFY before anything else is done about the new version, if we listen already."""
        zone = self.zone
        if zone is None or zone.serial != action.serial or not self.context.listening.is_set():
            return None
        return begin(self.context, action.peer, zone)

    async def _notify(self, peer: Peer, serial: Serial, sent: Sent | None) -> None:
        zone = self.zone
        if zone is None or zone.serial != serial:
            return
        try:
            rcode = await send_notify(self.context, peer, zone, sent)
        except TransferError as error:
            log.info("zone %s: notify to %s for serial %s: %s", bare(zone.apex), peer, serial, error.problem)
            self.rules.on_notify_failed(peer, serial, error.problem, error.reason or "")
            self.notes.notified(peer, serial, error.reason, error.problem)
        else:
            log.info("zone %s: notify to %s for serial %s: %s", bare(zone.apex), peer, serial, rcode)
            self.rules.on_notify_answer(peer, serial, rcode, self.context.clock.monotonic())
            well = rcode == "NOERROR"
            if rcode != "NOTAUTH":  # whoever takes NOTIFYs, from us or another, is no primary any more
                self.rivals.pop(peer.address, None)
            if well and peer.key is not None:  # it was signed, and that was looked at
                self.on_signed_well(peer.address)
            if well and self.on_acknowledged is not None:
                self.on_acknowledged(peer)
            self.notes.notified(
                peer, serial, "acknowledged" if well else "refused", "" if well else f"answered {rcode} to NOTIFY"
            )
        self.context.wake(self.owner)

    def on_refused(self, source: IPAddress, reason: str, says: str) -> None:
        """Remember that a transfer was refused, and to whom."""
        self.notes.refused(self.rules, source, reason, says)
        self.rules.on_refused(Refusal(self.context.clock.wall(), str(source), reason, says))

    def on_transferred(self, source: IPAddress, key: Name | None, serial: Serial) -> None:
        """Take that somebody has fetched the zone. Who has refused our NOTIFY is told again: perhaps it is the same server."""
        self.rules.on_transferred(source, key, serial)
        self.rivals.pop(source, None)
        now = self.context.clock.monotonic()
        self.do([one.announce(serial, now) for one in self.rules.notifying if one.state == "refused" and one.serial == serial])

    def on_signed_well(self, source: IPAddress, key: Name | None = None) -> None:
        """Take that the signature of somebody who asks for the zone, or answers our NOTIFY, was good."""
        self.rules.on_signed_well(source, key)

    def on_notified_as_primary(self, source: IPAddress, serial: Serial | None) -> None:
        """Remember that somebody notifies us of a zone whose primary we are: he believes that he is (RFC 1996 section 3.10)."""
        known = any(peer.address == source for peer in self.rules.secondaries)
        told = f"serial {serial}" if serial else "no serial"
        says = f"{source} sent a NOTIFY ({told}) for a zone of which this server is the primary itself"
        self.notes.refused_notify(source, serial, says, known=known)
        if known:
            self.rivals[source] = {"at": iso(self.context.clock.wall()), "serial": serial.value if serial else None, "says": says}

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
                    "reason": one.reason or None,
                    "proven": str(one.peer.address) in self.rules.proven,
                    "rival": self.rivals.get(one.peer.address),
                    "holds": None,
                }
                for one in self.rules.notifying
            ],
            "refused": [
                {"at": iso(one.at), "from": one.source, "reason": one.reason, "says": one.says, "settled": False}
                for one in self.rules.refused
            ],
        }
