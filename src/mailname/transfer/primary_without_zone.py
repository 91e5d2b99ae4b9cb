"""A primary that answers and does not serve the zone: it lacks it, its own copy has expired, or it cannot load it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailname.transfer.failed_transfer import Case

_Found = tuple[str, str, str]


def no_zone(case: Case) -> _Found:
    """Name what a primary tells by the extended error Not Authoritative (RFC 8914)."""
    return (
        "REPL-14",
        f"{case.who} does not have the zone, and says so: {case.told}",
        f"Load {case.zone} on {case.who}, or correct the primary's address {case.here}; see there: mailname status {case.zone}",
    )


def not_authoritative(case: Case) -> _Found:
    """Name what an answer without AA, or without a SOA of the zone, means: a resolver, a parked name, another zone."""
    return (
        "REPL-14",
        f"{case.who} {case.told}: it is no server of {case.zone}",
        f"Load {case.zone} on {case.who}, or correct the primary's address {case.here}; try: {case.by_udp}",
    )


def servfail(case: Case) -> _Found:
    """Name the cause of SERVFAIL, by the primary's own account where it was asked."""
    primary = case.primary
    if primary is not None and primary.state == "expired":
        return (
            "REPL-18",
            f"{case.who} is itself a secondary whose copy has expired (serial {primary.serial}): it answers SERVFAIL",
            f"Mend {case.who} first; see there: mailname status {case.zone}",
        )
    if primary is not None and primary.problem is not None:
        why, remedy = primary.problem.says.removesuffix(primary.problem.remedy).rstrip(), primary.problem.remedy
        says = f"{case.who} has the zone in its configuration and cannot serve it (SERVFAIL): {why}"
        return "REPL-19", says, f"Mend {case.who} first. {remedy}".rstrip()
    return (
        "REPL-19",
        f"{case.who} has the zone in its configuration and cannot serve it (SERVFAIL)",
        f"Look there: mailname status {case.zone}",
    )


def expired_there(case: Case) -> _Found:
    """Name what a primary tells by the extended error Invalid Data; Knot tells it of a zone that it never had, too."""
    if case.primary is not None:
        return servfail(case)
    return (
        "REPL-18",
        f"{case.who} has no good copy of the zone itself: it says that the one it had has expired, or that it never had one"
        f" ({case.told})",
        f"Mend {case.who} first, and what it copies the zone from; see there: mailname status {case.zone}",
    )
