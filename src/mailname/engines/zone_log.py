"""What a program of others logs of one zone, whichever it is, and how that is told in ``mailname.status/1``. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mailname.engines.told_status import failure, secondaries_told, zone_told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dns.name import Name

    from mailname.engines.engine import Places
    from mailname.plan import Plan
    from mailname.plan.model import NameServer


@dataclass(slots=True)
class ZoneLog:
    """What the log says of one zone, the newest of each kind. Addresses are as named saw them."""

    last_failure: dict[str, Any] | None = None
    last_transfer: dict[str, Any] | None = None
    last_notify: dict[str, Any] | None = None
    notify_refused: dict[str, Any] | None = None
    problem: str = ""
    problem_at: str = ""
    refused: list[dict[str, Any]] = field(default_factory=list)
    fetched: dict[str, dict[str, Any]] = field(default_factory=dict)
    not_taken: dict[str, str] = field(default_factory=dict)
    expired: bool = False
    #: When a secondary did not take a NOTIFY, by the place it was sent to; not all programs tell it.
    not_taken_at: dict[str, str] = field(default_factory=dict)
    loaded_at: str = ""

    def failed(self, at: str, says: str, peer: str, reason: str, **more: object) -> None:
        """Note a failure; one that says the same as the one before goes on since then."""
        new = failure(reason, says, peer, at, **more)
        before = self.last_failure
        if before is not None and before["reason"] == reason and before["peer"] == peer:
            new |= {"since": before["since"], "count": before["count"] + 1}
        elif before is not None and reason == "other":
            return  # a line that only says that it failed, after the one that said why
        self.last_failure = new


class Stamps:
    """Times of a log that writes whole seconds: lines of one second are told apart by milliseconds, in their order."""

    def __init__(self) -> None:
        self._second = datetime.fromtimestamp(0, UTC)
        self._lines = 0

    def iso(self, at: datetime) -> str:
        """Return a line's time in ISO 8601."""
        if at.microsecond == 0:
            self._lines = min(self._lines + 1, 999) if at == self._second else 0
            self._second = at
            at += timedelta(milliseconds=self._lines)
        return iso(at)


def iso(at: datetime) -> str:
    """Return a time in ISO 8601, in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def peer(address: str, port: str) -> str:
    """Return an address and a port in one."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def tell(plan: Plan, server: NameServer, places: Places, zone: Name, known: Mapping[str, Any], log: ZoneLog) -> dict[str, Any]:
    """Return the status of a zone.

    Args:
        plan: whose zone.
        server: which of its servers is told of.
        places: where the others are found.
        zone: its apex.
        known: what the program itself tells: ``serial`` at least.
        log: what its log says.

    """
    serial = known["serial"]
    state = "serving" if serial is not None else "expired" if log.expired else "not loaded"
    all_known: dict[str, Any] = {"role": server.role, "state": state, "announced": serial, **known}
    all_known["refused"] = [_outside(one, "from", places) for one in log.refused]
    if log.problem:
        remedy = "Publish again: mailname publish PLAN"
        all_known["problem"] = {"reason": "load-failed", "says": log.problem, "remedy": remedy, "at": log.problem_at}
    if server.role == "primary":
        fetched = {_who(address, places): one for address, one in log.fetched.items()}
        not_taken = {
            _who(address, places): says
            for address, says in log.not_taken.items()
            if log.not_taken_at.get(address, "9") > fetched.get(_who(address, places), {"at": ""})["at"]
        }
        all_known["secondaries"] = secondaries_told(plan, serial, not_taken, fetched)
        return zone_told(zone, server, **all_known)
    failed = _newer(log.last_failure, _bad_notify(plan, places, log))
    all_known |= {
        "primaries": [peer(str(one), "53") for one in plan.primary.addresses],
        "last_notify": log.last_notify,
        "notify_refused": log.notify_refused,
        "last_transfer": log.last_transfer and _outside(log.last_transfer, "peer", places),
        "last_failure": failed and _outside(failed, "peer", places),
        "failures": failed["count"] if failed else 0,
    }
    return zone_told(zone, server, **all_known)


def _bad_notify(plan: Plan, places: Places, log: ZoneLog) -> dict[str, Any] | None:
    """Return the last NOTIFY of a primary of which the signature failed: nobody asks then."""
    after = max((one["at"] for one in (log.last_transfer, log.last_notify) if one), default="")
    ours = {str(address) for address in plan.primary.addresses}
    bad = [one for one in log.refused if one["at"] > after and _who(one["from"], places) in ours and one["reason"] != "refused"]
    if not bad:
        return None
    peer, first = f"{bad[-1]['from']}", bad[0]["at"]
    says = f"a NOTIFY from {peer}: {bad[-1]['says']}"
    return failure(bad[-1]["reason"], says, peer, bad[-1]["at"], since=first, count=len(bad))


def _newer(one: dict[str, Any] | None, other: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the later of two failures."""
    return max((each for each in (one, other) if each is not None), key=lambda each: str(each["at"]), default=None)


def _outside(one: Mapping[str, Any], key: str, places: Places) -> dict[str, Any]:
    """Return a note with addresses as the plan knows them."""
    changed = dict(one) | {key: _who(one[key], places)}
    if one.get("asked_from"):
        changed["asked_from"] = _who(one["asked_from"], places)
    return changed


def _who(text: str, places: Places) -> str:
    """Return a server's address in the plan from that on this machine: in a rehearsal they differ."""
    for at, (host, port) in places.reach.items():
        if text in (f"{host}:{port}", f"[{host}]:{port}"):
            return str(at)
    return next((str(outside) for outside, inside in places.speaks_from.items() if text == str(inside)), text)
