"""NOTIFY: tell a secondary at once that the zone changed, and again until it acknowledges (RFC 1996).

Not implemented: RFC 1996 section 4.4, deferring NOTIFY while our own data may be old.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.flags
import dns.opcode
import dns.rdataclass
from dns.rdatatype import RdataType

from mailname.transfer.actions import Peer, SendNotify
from mailname.wire.octets import octets

if TYPE_CHECKING:
    from mailname.zone import Serial, Zone

FIRST_RETRY = 1.0
LONGEST_RETRY = 900.0
_NOTIFY_FLAGS = (dns.opcode.NOTIFY << 11) | dns.flags.AA


def message(zone: Zone, message_id: int) -> bytes:
    """Return the NOTIFY for a zone, the new SOA in the answer section (RFC 1996 section 3.7)."""
    owner = octets(zone.apex)
    question = owner + struct.pack("!HH", RdataType.SOA, dns.rdataclass.IN)
    ttl, rdata = zone.soa_octets
    record = owner + struct.pack("!HHIH", RdataType.SOA, dns.rdataclass.IN, ttl, len(rdata)) + rdata
    return struct.pack("!HHHHHH", message_id, _NOTIFY_FLAGS, 1, 1, 0, 0) + question + record


@dataclass(slots=True)
class Notifying:
    """What one secondary has been told, and when to tell it again.

    The pause doubles from one second to fifteen minutes, and it never gives up: a secondary that was down for a day learns of the
    change when it is back, without anybody's help.
    """

    peer: Peer
    serial: Serial | None = None
    acknowledged: bool = True
    tries: int = 0
    says: str = ""
    next_at: float | None = None
    reason: str = ""

    def announce(self, serial: Serial, now: float) -> SendNotify:
        """Start telling this serial; an older one that is still unacknowledged is forgotten."""
        self.serial, self.acknowledged, self.tries, self.says, self.reason = serial, False, 0, "", ""
        return self._send(serial, now)

    def _send(self, serial: Serial, now: float) -> SendNotify:
        # The exponent is bounded: a secondary may be gone for years, and 2.0**1024 is no number.
        self.next_at = now + min(FIRST_RETRY * 2.0 ** min(self.tries, 16), LONGEST_RETRY)
        self.tries += 1
        return SendNotify(self.peer, serial)

    def on_timer(self, now: float) -> SendNotify | None:
        """Send again what is not acknowledged in time."""
        if self.serial is None or self.next_at is None or now < self.next_at:
            return None
        return self._send(self.serial, now)

    def on_answer(self, serial: Serial, rcode: str, now: float | None = None) -> None:
        """Note the secondary's answer. Any answer ends the retries; a refusal is tried again seldom: it may be mended there."""
        if serial != self.serial:
            return
        self.acknowledged, self.next_at, self.reason = True, None, ""
        if rcode != "NOERROR" and now is not None:
            self.next_at = now + LONGEST_RETRY
        self.says = "" if rcode == "NOERROR" else f"answered {rcode} to NOTIFY"

    def on_failure(self, serial: Serial, says: str, reason: str = "") -> None:
        """Note why a NOTIFY was not answered, or not with a good signature; the timer sends the next."""
        if serial == self.serial and not self.acknowledged:
            self.says, self.reason = says, reason

    def on_seen(self, serial: Serial) -> None:
        """Note that the secondary has fetched this serial: that acknowledges more than any answer."""
        if serial == self.serial:
            self.acknowledged, self.next_at, self.says, self.reason = True, None, "", ""

    @property
    def state(self) -> str:
        """Return one word for ``mailname status``."""
        if self.serial is None:
            return "not notified"
        if not self.acknowledged:
            return "waiting"
        return "refused" if self.says else "acknowledged"
