"""What one zone at work tells the history: each method is called where it happened, and only fills in the event."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailname.server.clock import iso
from mailname.server.config import parse_endpoint
from mailname.server.context import bare, log
from mailname.transfer.event import WELL, Event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.server.asking import TransferredZone
    from mailname.server.context import Context
    from mailname.server.network import Endpoint, IPAddress
    from mailname.transfer.actions import Peer
    from mailname.transfer.event import Direction, What
    from mailname.transfer.primary import Primary
    from mailname.transfer.secondary import Failure
    from mailname.zone import Serial


@dataclass(slots=True)
class Sending:
    """A transfer on its way out, counted. ``broken`` says why it will not be whole, if that is known."""

    kind: str
    broken: str = ""
    messages: int = 0
    records: int = 0
    octets: int = 0

    def count(self, octets: int, records: int) -> None:
        """Count one message."""
        self.messages, self.records, self.octets = self.messages + 1, self.records + records, self.octets + octets


@dataclass(slots=True)
class Noting:
    """One zone's hand at the history."""

    context: Context
    apex: Name
    expired: bool = False
    notify_refused: dict[str, Any] | None = None

    def _note(
        self,
        direction: Direction,
        what: What,
        peer: str = "",
        *,
        result: str = "ok",
        says: str = "",
        remedy: str = "",
        held: Serial | None = None,
        to: Serial | None = None,
        seconds: float = 0.0,
        key: Name | None = None,
        known: bool = True,
        sent: Sending | TransferredZone | None = None,
        kind: str = "",
    ) -> None:
        now = self.context.clock.wall()
        counts = (sent.messages, sent.records, sent.octets) if sent else (0, 0, 0)
        self.context.history.note(
            Event(
                self.apex.to_text(),
                peer,
                direction,
                what,
                now - seconds,
                now,
                result,
                kind,
                held.value if held else None,
                to.value if to else None,
                *counts,
                seconds,
                says,
                remedy,
                key.to_text(omit_final_dot=True) if key else "",
                known,
            )
        )

    def transferred(self, peer: Peer, done: TransferredZone, held: Serial | None, kind: str = "AXFR") -> dict[str, Any]:
        """Note that a zone has come from a primary; return what ``mailname status`` tells of it."""
        self._note(
            "in", "transfer", str(peer), held=held, to=done.zone.serial, seconds=done.seconds, key=peer.key, sent=done, kind=kind
        )
        self._restored(done.zone.serial)
        return {
            "at": iso(self.context.clock.wall()),
            "peer": str(peer),
            "serial": done.zone.serial.value,
            "messages": done.messages,
            "records": done.records,
            "octets": done.octets,
            "seconds": round(done.seconds, 6),
            "kind": done.kind,
            **({"fallback": done.fallback} if done.fallback else {}),
        }

    def confirmed(self, peer: Peer, held: Serial | None) -> None:
        """Note that a primary has the version that we have."""
        self._note("in", "up-to-date", str(peer), held=held, to=held, key=peer.key)
        self._restored(held)

    def failed(self, told: Failure, held: Serial | None) -> None:
        """Note that a refresh or transfer did not succeed."""
        result = told.reason if told.reason not in WELL else "failed"
        self._note("in", "failed", told.peer, result=result, says=told.says, remedy=told.remedy, held=held, to=told.offered)

    def expired_now(self, held: Serial | None) -> None:
        """Note that the zone is served no more."""
        self.expired = True
        self._note("in", "expired", result="expired", says="no primary confirmed it in time; answering SERVFAIL", held=held)

    def _restored(self, serial: Serial | None) -> None:
        if self.expired:
            self.expired = False
            self._note("in", "restored", to=serial)

    def notify_came(self, source: Endpoint, serial: Serial | None, held: Serial | None) -> dict[str, Any]:
        """Note that a primary told us of a version; return what ``mailname status`` tells of it."""
        told, ours = f"serial {serial}" if serial else "no serial", f"serial {held}" if held else "nothing"
        log.info("zone %s: received notify from %s for %s (held: %s)", bare(self.apex), source, told, ours)
        self._note("in", "notify", str(source.address), result="acknowledged", to=serial)
        return {
            "at": iso(self.context.clock.wall()),
            "from": str(source.address),
            "serial": serial.value if serial else None,
        }

    def refused_notify(self, source: IPAddress, serial: Serial | None, says: str, *, known: bool = False) -> None:
        """Note that somebody whom we do not ask told us of a version."""
        told = {"at": iso(self.context.clock.wall()), "from": str(source), "serial": serial.value if serial else None}
        self.notify_refused = {**told, "says": says}
        self._note("in", "notify", str(source), result="refused", says=says, to=serial, known=known)

    def notified(self, peer: Peer, serial: Serial, result: str, says: str = "") -> None:
        """Note that we told a secondary of a version, and what became of it."""
        self._note("out", "notify", str(peer), result=result, says=says, to=serial, key=peer.key)

    def refused(self, rules: Primary, source: IPAddress, reason: str, says: str) -> None:
        """Note that we refused somebody a transfer."""
        self._note("out", "refused", str(source), result=reason, says=says, known=_is_known(rules, source, None))

    def was_current(self, rules: Primary, source: Endpoint, key: Name | None, serial: Serial) -> None:
        """Note that somebody who has our version asked for the difference."""
        known = _is_known(rules, source.address, key)
        self._note("out", "up-to-date", str(source.address), held=serial, to=serial, key=key, known=known)

    @contextlib.contextmanager
    def sending(
        self, rules: Primary, source: Endpoint, key: Name | None, kind: str, held: Serial | None, serial: Serial
    ) -> Iterator[Sending]:
        """Note a transfer that goes out when it is over: sent whole, or broken off where whoever fetched it went away."""
        sent, started = Sending(kind, broken="the connection ended"), self.context.clock.monotonic()
        try:
            yield sent
            sent.broken = ""
        finally:
            self._note(
                "out",
                "failed" if sent.broken else "transfer",
                str(source.address),
                result="broken-off" if sent.broken else "ok",
                says=f"broken off after {sent.messages} message(s): {sent.broken}" if sent.broken else "",
                held=held,
                to=serial,
                seconds=self.context.clock.monotonic() - started,
                key=key,
                known=_is_known(rules, source.address, key),
                sent=sent,
                kind=sent.kind,
            )

    def asked_from(self, peer: str) -> str | None:
        """Return the address with which a primary sees us when we ask it; the system's choice is looked up, nothing is sent."""
        try:
            at = parse_endpoint(peer)
            if (chosen := self.context.source_for(at.address)) is not None:
                return str(chosen)
            with contextlib.closing(self.context.network.open_udp(at)) as probe:
                return str(probe.getsockname()[0])
        except (ValueError, OSError):
            return None


def _is_known(rules: Primary, source: IPAddress, key: Name | None) -> bool:
    return any(peer.address == source or (key is not None and peer.key == key) for peer in rules.secondaries)


def log_transfer(apex: Name, peer: Peer, done: TransferredZone) -> None:
    """Tell the log of a transfer that is served now."""
    log.info(
        "zone %s: transferred serial %s from %s: %d messages, %d records, %d octets, %.3f seconds (%s)",
        bare(apex),
        done.zone.serial,
        peer,
        done.messages,
        done.records,
        done.octets,
        done.seconds,
        done.kind,
    )
