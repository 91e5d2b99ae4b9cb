"""What one server says of one zone: the part of its status that tells why a copy elsewhere is, or is not, in step."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that a primary refused: to whom, as it saw him, and why."""

    at: str
    source: str
    reason: str
    says: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a primary knows of one of its secondaries: how the last NOTIFY went, and what was fetched last."""

    address: str
    state: str
    serial: int | None
    tries: int
    says: str
    rival: str
    fetched: int | None
    fetched_at: str


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

    def told_of(self, addresses: Iterable[str]) -> Told | None:
        """Return what this primary knows of the secondary with one of these addresses."""
        wanted = set(addresses)
        return next((one for one in self.told if host_of(one.address) in wanted), None)


def side_of(status: Mapping[str, Any], name: str, addresses: Iterable[str] = ()) -> Side:
    """Read one zone of a status (``mailname.status/1``), of this release or another: what is not there is not known."""
    failed, problem = status.get("last_failure"), status.get("problem")
    transfer = status.get("last_transfer") or {}
    refused = [Refused(one["at"], one["from"], one["reason"], one["says"]) for one in status.get("refused", ())]
    refused += [  # from the history: perhaps from before this process began
        Refused(before["at"], host_of(one["address"]), before["result"], before["says"])
        for one in status.get("secondaries", ())
        if (before := one.get("refused"))
    ]
    return Side(
        name,
        str(status["zone"]),
        str(status["role"]),
        str(status["state"]),
        status.get("serial"),
        frozenset(addresses),
        str(status.get("since") or ""),
        status.get("announced"),
        Problem(str(problem["reason"]), str(problem["says"]), str(problem.get("remedy") or "")) if problem else None,
        tuple(map(str, status.get("primaries", ()))),
        str(transfer.get("peer") or ""),
        _failed(failed) if failed else None,
        tuple(sorted(refused, key=attrgetter("at"))),
        tuple(map(_told, status.get("secondaries", ()))),
    )


def _failed(told: Mapping[str, Any]) -> Failed:
    at = str(told["at"])
    return Failed(
        str(told["reason"]),
        str(told["says"]),
        str(told.get("remedy") or ""),
        str(told["peer"]),
        at,
        str(told.get("since") or at),
        int(told.get("count") or 1),
        told.get("offered_serial"),
        told.get("asked_from"),
    )


def _told(one: Mapping[str, Any]) -> Told:
    rival, fetched = one.get("rival") or {}, one.get("fetched") or {}
    return Told(
        str(one["address"]),
        str(one["state"]),
        one.get("serial"),
        int(one.get("tries") or 0),
        str(one.get("says") or ""),
        str(rival.get("says") or ""),
        fetched.get("serial_to"),
        str(fetched.get("at") or ""),
    )


def host_of(peer: str) -> str:
    """Return the address of ``address:port``, ``[address]:port`` or an address alone."""
    if peer.startswith("["):
        return peer[1:].partition("]")[0]
    host, colon, _ = peer.rpartition(":")
    return host if colon and ":" not in host else peer


def bare(zone: str) -> str:
    """Return a zone's name as people write it."""
    return zone.rstrip(".") or "."
