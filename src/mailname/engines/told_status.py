"""The status of a server of another program, in the form of ours (``mailname.status/1``): what is not known is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dns.name import Name

    from mailname.plan import Plan
    from mailname.plan.model import NameServer


def server_told(
    program: str, version: str, listen: Iterable[object], zones: list[dict[str, Any]], **more: object
) -> dict[str, Any]:
    """Return a whole status: the program's own name and version, where it listens, and its zones."""
    return {
        "ok": True,
        "schema": "mailname.status/1",
        "program": program,
        "version": version,
        "pid": None,
        "since": None,
        "listen": [str(one) for one in listen],
        "zones": zones,
        **more,
    }


def zone_told(apex: Name, server: NameServer, **known: object) -> dict[str, Any]:
    """Return the status of one zone, with what is known of it; see ``docs/server.md`` for the names."""
    told: dict[str, Any] = {
        "zone": apex.to_text(),
        "role": server.role,
        "state": "not loaded",
        "serial": None,
        "announced": None,
        "records": None,
        "file": None,
        "since": None,
        "problem": None,
        "by_update": [],
        "may_update": [],
        "secondaries": [],
        "refused": [],
    }
    if server.role == "secondary":
        told |= {
            "primaries": [],
            "busy": False,
            "refresh_at": None,
            "expires_at": None,
            "confirmed_at": None,
            "failures": 0,
            "clock": None,
            "last_notify": None,
            "notify_refused": None,
            "last_transfer": None,
            "last_failure": None,
        }
    return told | known


def failure(reason: str, says: str, peer: str, at: str, **more: object) -> dict[str, Any]:
    """Return why a secondary's last refresh failed; ``reason`` is a stable word (``transfer.failed_transfer``)."""
    return {"reason": reason, "says": says, "remedy": "", "peer": peer, "at": at, "since": at, "count": 1} | more


def refusal(source: str, reason: str, says: str, at: str) -> dict[str, Any]:
    """Return whom a primary refused, and why."""
    return {"at": at, "from": source, "reason": reason, "says": says}


def secondaries_told(
    plan: Plan, serial: int | None, not_taken: Mapping[str, str], fetched: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return what a primary knows of the plan's secondaries.

    Args:
        plan: whose secondaries.
        serial: the version that they are told of.
        not_taken: what answered a NOTIFY instead of acknowledging it, by address.
        fetched: the last transfer to each, by address.

    """
    told = []
    for one in plan.secondaries:
        for address in one.addresses:
            if not any(address.version == own.version for own in plan.primary.addresses):
                continue
            says = not_taken.get(str(address), "")
            state = "acknowledged" if not says else "waiting" if "answers" not in says else "refused"
            at = f"[{address}]:53" if address.version == 6 else f"{address}:53"
            last = fetched.get(str(address))
            told.append(
                {"address": at, "state": state, "serial": serial, "tries": 3 if says else 1, "says": says, "fetched": last}
            )
    return told
