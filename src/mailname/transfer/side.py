"""What one server says of one zone: the part of its status that tells why a copy elsewhere is, or is not, in step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Failed:
    """Why the last refresh or transfer of a secondary failed. Times are ISO 8601."""

    reason: str
    says: str
    remedy: str
    peer: str
    at: str
    since: str
    count: int
    offered: int | None
    asked_from: str | None
    signed: bool | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that a primary refused: to whom, as it saw him, and why.

    ``settled``: a later request of his was good; None where nobody says so, and the times must tell.
    """

    at: str
    source: str
    reason: str
    says: str
    settled: bool | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a primary knows of one of its secondaries: how the last NOTIFY went, what was fetched last, what it answers now."""

    address: str
    state: str
    serial: int | None
    tries: int
    says: str
    rival: str
    fetched: int | None
    fetched_at: str
    holds: int | None = None
    answers: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the zone on this server alone; ``reason`` is a stable word."""

    reason: str
    says: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Side:
    """One server and one zone.

    Attributes:
        name: how the server is called in sentences.
        addresses: those that the plan, or the other side, knows it by; empty where nobody says.
        primaries: whom a secondary asks, as ``address:port``.
        fetched_from: the peer of a secondary's last transfer.
        announced: the highest serial that a primary has shown.
        failures: how often in a row no primary confirmed a secondary's copy.

    """

    name: str
    zone: str
    role: str
    state: str
    serial: int | None
    addresses: frozenset[str] = frozenset()
    since: str = ""
    announced: int | None = None
    problem: Problem | None = None
    primaries: tuple[str, ...] = ()
    fetched_from: str = ""
    failed: Failed | None = None
    refused: tuple[Refused, ...] = ()
    told: tuple[Told, ...] = ()
    failures: int | None = None

    def told_of(self, addresses: Iterable[str]) -> Told | None:
        """Return what this primary knows of the secondary with one of these addresses."""
        wanted = set(addresses)
        return next((one for one in self.told if host_of(one.address) in wanted), None)


def side_of(status: Mapping[str, Any], name: str, addresses: Iterable[str] = ()) -> Side:
    """Read one zone of a status (``mailname.status/1``), of this release or another: what is not there is not known."""
    failed, problem = _table(status, "last_failure"), _table(status, "problem")
    secondaries = _tables(status, "secondaries")
    refused = [_refused(one, _text(one, "from"), "reason") for one in _tables(status, "refused")]
    refused += [  # from the history: perhaps from before this process began
        _refused(before, host_of(_text(one, "address")), "result") for one in secondaries if (before := _table(one, "refused"))
    ]
    return Side(
        name,
        _text(status, "zone"),
        _text(status, "role"),
        _text(status, "state"),
        _number(status, "serial"),
        frozenset(addresses),
        _time(status, "since"),
        _number(status, "announced"),
        Problem(_text(problem, "reason"), _text(problem, "says"), _text(problem, "remedy")) if problem else None,
        tuple(str(peer) for peer in _list(status, "primaries")),
        _text(_table(status, "last_transfer"), "peer"),
        _failed(failed) if failed else None,
        tuple(sorted(refused, key=attrgetter("at"))),
        tuple(map(_told, secondaries)),
        _number(status, "failures"),
    )


def _failed(told: Mapping[str, Any]) -> Failed:
    at = _time(told, "at")
    return Failed(
        _text(told, "reason"),
        _text(told, "says"),
        _text(told, "remedy"),
        _text(told, "peer"),
        at,
        _time(told, "since") or at,
        _number(told, "count") or 1,
        _number(told, "offered_serial"),
        _text(told, "asked_from") or None,
        signed if isinstance(signed := told.get("signed"), bool) else None,
    )


def _refused(one: Mapping[str, Any], source: str, reason: str) -> Refused:
    settled = one.get("settled")
    return Refused(
        _time(one, "at"), source, _text(one, reason), _text(one, "says"), settled if isinstance(settled, bool) else None
    )


def _told(one: Mapping[str, Any]) -> Told:
    rival, fetched = _table(one, "rival"), _table(one, "fetched")
    return Told(
        _text(one, "address"),
        _text(one, "state"),
        _number(one, "serial"),
        _number(one, "tries") or 0,
        _text(one, "says"),
        _text(rival, "says"),
        _number(fetched, "serial_to"),
        _time(fetched, "at"),
        _number(_table(one, "holds"), "serial"),
        _text(_table(one, "holds"), "says"),
        _text(one, "reason"),
    )


def _text(table: Mapping[str, Any], name: str) -> str:
    found = table.get(name)
    return found if isinstance(found, str) else ""


def _time(table: Mapping[str, Any], name: str) -> str:
    found = _text(table, name)
    try:
        return found if datetime.fromisoformat(found).tzinfo else ""
    except ValueError:
        return ""


def _number(table: Mapping[str, Any], name: str) -> int | None:
    found = table.get(name)
    return found if isinstance(found, int) and 0 <= found < 1 << 32 else None


def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = table.get(name)
    return found if isinstance(found, dict) else {}


def _list(table: Mapping[str, Any], name: str) -> list[Any]:
    found = table.get(name)
    return found if isinstance(found, list) else []


def _tables(table: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [one for one in _list(table, name) if isinstance(one, dict)]


def host_of(peer: str) -> str:
    """Return the address of ``address:port``, ``[address]:port`` or an address alone."""
    if peer.startswith("["):
        return peer[1:].partition("]")[0]
    host, colon, _ = peer.rpartition(":")
    return host if colon and ":" not in host else peer


def bare(zone: str) -> str:
    """Return a zone's name as people write it."""
    return zone.rstrip(".") or "."
