"""What the control socket tells from the history: the last events, and, in a status, what was before this process began."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailname.server.clock import iso
from mailname.server.context import in_thread
from mailname.server.disk_state import trouble
from mailname.server.holding import ask_what_they_hold
from mailname.transfer.diagnosis import cause_at_primary, cause_at_secondary
from mailname.transfer.side import host_of, side_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dns.name import Name

    from mailname.server.context import Context
    from mailname.server.control import Order
    from mailname.server.history import History
    from mailname.transfer.event import Event

SCHEMA = "mailname.history/1"
_IN_ONE_GO = 100  # zones
MOST = 5000  # events in one answer
_Last = dict[tuple[str, str], dict[str, "Event"]]  # zone, address -> what -> the last of it


async def history_of(order: Order, history: History, apex: Name | None) -> Order:
    """Answer the order ``history``."""
    most = order.get("most", 50)
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST:
        return {"ok": False, "says": f"most is a number from 1 to {MOST}"}
    events = await history.last(_key(apex), most)
    return {"ok": True, "schema": SCHEMA, **about(history), "events": [event.to_json(iso) for event in events]}


def about(history: History) -> dict[str, Any]:
    """Tell where the history is kept, and why not on the disk."""
    path = history.path if history.problem is None else None
    return {"kept": str(path.absolute()) if path else None, "problem": history.problem, "dropped": history.dropped}


async def with_history(status: dict[str, Any], context: Context, apex: Name | None) -> dict[str, Any]:
    """Return a status with what each secondary last fetched, was refused and holds now, and since when a refresh fails."""
    history = context.history
    last_out: _Last = {}
    last_in: _Last = {}
    for number, event in enumerate(await history.latest(_key(apex))):
        await _let_others_go(number)
        found = last_out if event.direction == "out" else last_in
        address = host_of(event.peer) if event.direction == "out" else event.peer
        of_peer = found.setdefault((event.zone, address), {})
        of_peer.pop(event.what, None)
        of_peer[event.what] = event  # the last that happened stands last, whatever its clock said
    for number, zone in enumerate(status["zones"]):
        await _let_others_go(number)
        name = zone["zone"].lower()
        for one in zone.get("secondaries", ()):
            _tell_secondary(one, last_out.get((name, host_of(one["address"])), {}))
        if failure := zone.get("last_failure"):
            _tell_failure(failure, last_in.get((name, failure["peer"]), {}).get("failed"))
    await ask_what_they_hold(context, status["zones"])
    for number, zone in enumerate(status["zones"]):
        await _let_others_go(number)
        _tell_causes(zone)
    about_disk = {"problem": await in_thread(_disk_trouble, context, status["zones"])}
    return {**status, "configuration": {"problem": context.not_taken_over}, "disk": about_disk, "history": about(history)}


def _disk_trouble(context: Context, zones: Sequence[Mapping[str, Any]]) -> str | None:
    """Look at the state folder and at the folders of the zone files."""
    primaries = [zone for zone in zones if zone["role"] == "primary" and zone.get("file")]
    folders = {Path(zone["file"]).parent: None for zone in primaries}
    loaded = [Path(zone["file"]) for zone in primaries if zone["serial"] is not None and not zone["problem"]]
    if (store := context.store) is None:
        return None  # nothing is kept, and that is wanted so
    return trouble([store.folder, *folders], store.folder, store.lock, loaded)


async def _let_others_go(number: int) -> None:
    """Stand aside now and then: a status of ten thousand zones must not hold up what arrives meanwhile."""
    if number % _IN_ONE_GO == _IN_ONE_GO - 1:
        await asyncio.sleep(0)


def _tell_secondary(one: dict[str, Any], last: dict[str, Event]) -> None:
    fetched, refused = last.get("transfer"), last.get("refused")
    one["fetched"] = _short(fetched, "kind", "serial_to", "octets", "seconds") if fetched else None
    one["refused"] = None
    if refused is not None:
        order = list(last)
        fetched_since = fetched is not None and order.index("transfer") > order.index("refused")
        settled = fetched_since or bool(one.get("proven"))
        one["refused"] = {**_short(refused, "result", "says", "count"), "settled": settled}


def _tell_failure(failure: dict[str, Any], event: Event | None) -> None:
    same = event is not None and event.result == failure["reason"]
    failure["since"] = iso(event.start) if event and same else failure["at"]
    failure["count"] = event.count if event and same else 1


def _tell_causes(zone: dict[str, Any]) -> None:
    """Say why the zone is not well, and why a secondary is not in step, as far as this server knows it alone."""
    zone["cause"] = None
    if not (zone["problem"] or zone.get("last_failure") or zone["secondaries"]):
        return
    side = side_of(zone, "this server")
    if cause := cause_at_secondary(side):
        zone["cause"] = cause.to_json()
    for one, told in zip(zone["secondaries"], side.told, strict=True):
        found = cause_at_primary(side, told)
        one["cause"] = found.to_json() if found else None


def _short(event: Event, *names: str) -> dict[str, Any]:
    told = event.to_json(iso)
    return {"at": told["end"], **{name: told[name] for name in names}}


def _key(apex: Name | None) -> str | None:
    return apex.to_text().lower() if apex is not None else None
