"""The catalogs that this server follows: members come and go as they say, without anybody touching a configuration (RFC 9432).

What a new version of a catalog means is decided by ``Memberships``; here zones are started, ended, and their copies deleted.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mailname.errors import HostError, ZoneError
from mailname.server.catalog_config import GRACE
from mailname.server.catalog_state import CatalogState, Left, as_octets, load_state, save_state
from mailname.server.clock import iso
from mailname.server.context import bare, in_thread, log
from mailname.server.primary_zone import Problem
from mailname.transfer.catalog import read_catalog
from mailname.wire.octets import octets
from mailname.zone import Zone
from mailname.zone.image import build_image
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from pathlib import Path

    from dns.name import Name

    from mailname.server.catalog_config import CatalogConfig
    from mailname.server.config import ZoneConfig
    from mailname.server.context import Context
    from mailname.server.served_zones import ServedZones
    from mailname.transfer.catalog import Member
    from mailname.transfer.catalog_members import Clash, MembershipChange, Ownership

    #: Ends some zones and starts others, those that are both without a gap; under the lock of the configuration.
    Exchange = Callable[[Collection[Name], Collection[ZoneConfig]], Awaitable[object]]

_LONGEST_SLEEP = 3600.0
_NAMED = 20  # zones that one change, or the status, may tell about by name


class CatalogConsumer:
    """All catalogs that one server follows.

    Args:
        context: the server's surroundings.
        zones: what it serves.
        exchange: how it serves something else.
        configuring: held by whoever changes what is served.
        folder: the state folder; None remembers nothing.

    """

    def __init__(
        self, context: Context, zones: ServedZones, exchange: Exchange, configuring: asyncio.Lock, folder: Path | None
    ) -> None:
        self._context = context
        self._zones = zones
        self._exchange = exchange
        self._configuring = configuring
        self._folder = folder
        self._state: CatalogState | None = None
        self._saved = b""
        self._configs: Mapping[Name, CatalogConfig] = {}
        self._by_hand: Collection[Name] = ()
        self._news: dict[Name, Zone] = {}
        self._following = False
        self._problems: dict[Name, Problem] = {}
        self._clashes: dict[Name, list[Clash]] = {}
        self._left_changed = asyncio.Event()
        self._letting_go = False

    async def configure(self, configs: Mapping[Name, CatalogConfig], by_hand: Collection[Name]) -> list[ZoneConfig]:
        """Take over a configuration, and return the members that are to be served. Under the lock of the configuration.

        Args:
            configs: the catalogs to follow.
            by_hand: all zones that have a configuration of their own, the catalogs among them.

        """
        if self._state is None:
            self._state = await in_thread(_load, self._folder)
        state, self._configs, self._by_hand = self._state, configs, by_hand
        for catalog in [one for one in state.memberships.held if one not in configs]:
            for zone, owned in state.memberships.forget(catalog).items():
                self._leave(zone, owned)
        for zone in [one for one in state.memberships.owners if one in by_hand]:
            state.memberships.release(zone)  # with its copy, which is served on
        for zone in [one for one in state.left if one in by_hand]:
            del state.left[zone]
        await self._save()
        await self._forget_marked()
        for catalog in configs:  # what clashed may be free now
            entry = self._context.table.entry(octets(catalog).lower())
            if isinstance(entry, Zone):
                self.on_served(catalog, entry)
        if state.left and not self._letting_go:
            self._begin_letting_go()
        held = state.memberships.held
        return [configs[catalog].member_zone(member) for catalog, members in held.items() for member in members.values()]

    def on_served(self, catalog: Name, zone: Zone) -> None:
        """Follow a version of a catalog, soon: of several that come one after the other, the last."""
        self._news[catalog] = zone
        if not self._following:
            self._following = True
            self._context.spawn(self._follow(), self)

    async def _follow(self) -> None:
        try:
            while self._news:
                catalog, zone = self._news.popitem()
                try:
                    listed = await in_thread(_read, zone)
                except ZoneError as error:
                    self._note_broken(catalog, error)
                    continue
                self._problems.pop(catalog, None)
                async with self._configuring:
                    if catalog in self._configs:
                        await self._take(catalog, listed)
        finally:
            self._following = False

    def _note_broken(self, catalog: Name, error: ZoneError) -> None:
        """Keep the members that it had: a broken catalog means nothing (section 5.1)."""
        log.error("catalog %s: %s; its members stay as they are", bare(catalog), error)
        self._problems[catalog] = Problem("catalog-broken", error.problem, error.remedy, iso(self._context.clock.wall()))

    async def _take(self, catalog: Name, listed: Mapping[Name, Member]) -> None:
        """Serve what a catalog lists now. What is to be done is remembered before it is done."""
        assert self._state is not None  # nothing is followed before the configuration was taken
        state = self._state
        change = state.memberships.follow(catalog, listed, self._is_by_hand)
        self._note_clashes(catalog, change)
        if not change:
            return
        for zone, owned in change.removed.items():
            self._leave(zone, owned)
        for zone, owned in change.added.items():
            left = state.left.pop(zone, None)
            if left is not None and (left.catalog, left.label) != (owned.catalog, owned.member.label):
                state.to_forget.add(zone)  # what another catalog has left behind, or the same under another label
        state.to_forget.update(change.reset)
        await self._save()
        self._log(catalog, change)
        await self._exchange([zone for zone in (*change.removed, *change.reset) if zone in self._zones], ())
        await self._forget_marked()
        changed = self._configured(change.changed)
        others = [one.name for one in changed if one.name in self._zones and self._zones[one.name].config != one]
        await self._exchange(others, [*changed, *self._configured(change.added), *self._configured(change.reset)])
        if state.left and not self._letting_go:
            self._begin_letting_go()
        self._left_changed.set()

    def _configured(self, zones: Mapping[Name, Ownership]) -> list[ZoneConfig]:
        return [self._configs[owned.catalog].member_zone(owned.member) for owned in zones.values()]

    def _is_by_hand(self, zone: Name) -> bool:
        return zone in self._by_hand or (self._zones.folder is not None and zone in self._zones.folder)

    def _leave(self, zone: Name, owned: Ownership) -> None:
        """Keep the copy of a member that was removed for a time."""
        assert self._state is not None  # it was released from there
        grace = self._configs[owned.catalog].grace if owned.catalog in self._configs else GRACE
        self._state.left[zone] = Left(owned.catalog, owned.member.label, self._context.clock.wall() + grace)

    def _note_clashes(self, catalog: Name, change: MembershipChange) -> None:
        known = set(self._clashes.get(catalog, ()))
        for clash in [one for one in change.clashes if one not in known][:_NAMED]:
            log.error("catalog %s: not taken from there: %s", bare(catalog), clash)
        self._clashes[catalog] = change.clashes
        for zone, owned in change.reset.items():
            self._clashes[owned.catalog] = [one for one in self._clashes.get(owned.catalog, ()) if one.zone != zone]

    def _log(self, catalog: Name, change: MembershipChange) -> None:
        for done, zones in (("added", change.added), ("removed", change.removed), ("reset", change.reset)):
            if len(zones) > _NAMED:
                log.info("catalog %s: %d members %s", bare(catalog), len(zones), done)
                continue
            for zone in zones:
                log.info("catalog %s: member %s %s", bare(catalog), bare(zone), done)

    async def _save(self) -> None:
        """Write down what is remembered. A disk that is full must not keep zones from being served."""
        if self._folder is None or self._state is None:
            return
        written = as_octets(self._state)
        if written == self._saved or (not self._saved and self._state == CatalogState()):
            return
        try:
            await in_thread(save_state, self._folder, written)
        except HostError as error:
            log.error("catalogs: %s", error)
        else:
            self._saved = written

    async def _forget_marked(self) -> None:
        """Delete the copies that must not be served again."""
        assert self._state is not None  # nobody calls this before it was read
        if not self._state.to_forget:
            return
        await self._delete(self._state.to_forget)
        self._state.to_forget = set()
        await self._save()

    async def _delete(self, zones: Collection[Name]) -> None:
        if (store := self._context.store) is None:
            return
        for zone in zones:
            try:
                await in_thread(store.forget, zone)
            except HostError as error:
                log.error("zone %s: %s", bare(zone), error)

    def _begin_letting_go(self) -> None:
        self._letting_go = True
        self._context.clock.when_moved(self._left_changed.set)
        self._context.spawn(self._let_go(), self)

    async def _let_go(self) -> None:
        """Delete the copies of members that were removed, each when its time has come."""
        assert self._state is not None  # something was left there
        while True:
            self._left_changed.clear()
            now = self._context.clock.wall()
            overdue = [zone for zone, left in self._state.left.items() if left.until <= now]
            if overdue:
                async with self._configuring:
                    await self._delete([zone for zone in overdue if not self._zones.serves(zone)])
                    for zone in overdue:
                        self._state.left.pop(zone, None)
                    await self._save()
                log.info("catalogs: deleted the copies of %d removed members", len(overdue))
                continue
            due = min((left.until for left in self._state.left.values()), default=now + _LONGEST_SLEEP)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(due - now, _LONGEST_SLEEP)):
                    await self._left_changed.wait()

    def owner(self, zone: Name) -> Name | None:
        """Return the catalog that a zone is served from."""
        return self._state.memberships.owners.get(zone) if self._state is not None else None

    def problem(self, catalog: Name) -> Problem | None:
        """Return what is wrong with a catalog, or with what it lists."""
        if (broken := self._problems.get(catalog)) is not None:
            return broken
        clashes = self._clashes.get(catalog)
        if not clashes:
            return None
        more = f" (and {len(clashes) - 1} more)" if len(clashes) > 1 else ""
        remedy = "Remove one of the two, or let the catalog that has the zone name the other one in its coo property."
        return Problem("member-clash", f"{clashes[0]}{more}", remedy, iso(self._context.clock.wall()))

    def status(self, catalog: Name) -> dict[str, Any]:
        """Return what ``mailname status --json`` says of a catalog beside what it says of every zone."""
        assert self._state is not None  # it is configured
        return {
            "role": "consumer",
            "members": len(self._state.memberships.held.get(catalog, ())),
            "left": sum(1 for left in self._state.left.values() if left.catalog == catalog),
            "clashes": [str(one) for one in self._clashes.get(catalog, ())[:_NAMED]],
            "problem": asdict(problem) if (problem := self.problem(catalog)) else None,
        }


def _load(folder: Path | None) -> CatalogState:
    try:
        return load_state(folder) if folder is not None else CatalogState()
    except HostError as error:
        log.error("catalogs: %s", error)
        return CatalogState()


def _read(zone: Zone) -> dict[Name, Member]:
    return read_catalog(zone if isinstance(zone, ImageZone) else ImageZone(build_image(zone)))
