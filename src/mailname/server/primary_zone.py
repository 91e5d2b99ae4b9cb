"""A zone that this server is the primary of: loaded from its file, kept, announced."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mailname.answer import Unserved
from mailname.errors import HostError, MailnameError, ZoneError
from mailname.server.announcing import Announcing
from mailname.server.clock import iso, moment
from mailname.server.context import Context, bare, in_thread, log
from mailname.server.handover import NOTHING, Heritage
from mailname.server.late_texts import text_soon
from mailname.server.noting import Noting
from mailname.server.refused_by_disk import KEEP
from mailname.server.secondaries_ahead import SecondariesAhead
from mailname.server.store import Record
from mailname.server.updated_names import UpdatedNames
from mailname.server.versions import Keeping, Versions, keep
from mailname.server.zone_change import changed_zone
from mailname.transfer.moment import Memory
from mailname.transfer.primary import Primary
from mailname.wire.octets import octets
from mailname.zone import Serial, Zone
from mailname.zone.image_merge import Changes
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dns.name import Name

    from mailname.server.config import ZoneConfig
    from mailname.server.folder_memory import FolderMemory
    from mailname.server.image_library import LoadedZone
    from mailname.transfer.actions import Peer

_SHORT = 1 << 16  # octets of a file
Reason = Literal["load-failed", "serial-not-raised", "not-kept", "catalog-broken", "member-clash", "went-back"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a zone on this server, for ``mailname status``; ``reason`` is a stable word.

    ``load-failed``: the file is no good, so an older version is served or none. ``serial-not-raised``: it is served, and no
    secondary will fetch it. ``not-kept``: the disk does not take it. ``catalog-broken``: its members stay as they are.
    ``member-clash``: a zone that it lists is served already, from elsewhere. ``went-back``: a secondary holds a newer version,
    so that what is here comes from a backup.
    """

    reason: Reason
    says: str
    remedy: str
    at: str


@dataclass(slots=True)
class PrimaryZone:
    """One primary zone at work. What to do is decided by ``Primary``; here it is done."""

    config: ZoneConfig
    context: Context
    zone: Zone | None = None
    since: float = 0.0
    problem: Problem | None = None
    announced: Serial | None = None
    retired: bool = False
    secondaries: Announcing = field(init=False)
    #: What is kept on the disk; of a zone of a folder, woken without ``start``, the folder's memory tells.
    versions: Versions | None = None
    memory: FolderMemory | None = None
    updated: UpdatedNames = field(default_factory=lambda: UpdatedNames(None))
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _unraised: Problem | None = None  # not taken by the secondaries, until the serial is raised
    _ahead: SecondariesAhead = field(init=False)

    def __post_init__(self) -> None:
        rules = Primary(self.config.secondaries, self.config.allow_transfer)
        self.secondaries = Announcing(self.context, rules, self, Noting(self.context, self.apex))
        self._ahead = SecondariesAhead(self.context, self.apex, self, self._on_serial_of)

    @property
    def apex(self) -> Name:
        """The zone's name."""
        return self.config.name

    async def start(self, left: Heritage = NOTHING) -> None:
        """Load what is in the file; where that is no good, serve the last good version kept.

        Args:
            left: what another configuration of the zone leaves: answered on, and no lower serial follows it.

        """
        store = self.context.store
        if self.apex not in self.context.table:
            self.context.serve(self.apex, Unserved("not loaded yet"))
        if store is not None:
            record = store.load_record(self.apex)
            if self.config.update:
                self.updated = UpdatedNames(store.updates_path(self.apex))
                await in_thread(self.updated.load)
            self.versions = Versions(store, self.apex, file=self.config.file)
            told = (Serial(one) if one is not None else None for one in (record.announced, record.from_file))
            await in_thread(self.versions.open, *told)
            self.announced = self.versions.newest
        if left.zone is not None and (self.announced is None or left.zone.serial.is_newer_than(self.announced)):
            self.announced = left.zone.serial
        await self.load()
        if self.zone is None and left.answered is not None and not self.retired:
            log.warning("zone %s: answering serial %s on", bare(self.apex), left.answered.serial)
            self._swap(left.answered)
        if self.zone is None and self.versions is not None and not self.retired:
            kept = await self._last_version(self.versions)
            if kept is not None and not self.retired:
                log.warning("zone %s: serving the last good version, serial %s", bare(self.apex), kept.serial)
                self._swap(kept)
        if self.zone is None and not self.retired:
            self.context.serve(self.apex, Unserved("not loaded"))
        self._ahead.unasked = set(self.config.secondaries)
        self.secondaries.on_acknowledged = self._ahead.on_acknowledged
        self._ahead.begin()

    def _on_serial_of(self, peer: Peer, serial: Serial) -> None:
        """Take what a secondary holds: no version from now on is below it, and that ours is, is told."""
        known = self.announced or (self.zone.serial if self.zone is not None else None)
        if known is None or not serial.is_newer_than(known):
            return
        self.announced = serial
        held = f"serial {self.zone.serial}" if self.zone is not None else "no version"
        self._unraised = self._note(
            ZoneError(
                f"{peer.address} holds serial {serial}, and here is {held}: this server went back, as from a backup (RFC 1982)",
                remedy=f"Raise the serial above {serial}: mailname publish PLAN",
            ),
            "went-back",
        )

    def leaves(self) -> Heritage:
        """Return what another configuration of the zone begins with: this version was good until now."""
        return Heritage(self.zone, Memory(moment(self.context.clock), 0.0)) if self.zone is not None else NOTHING

    async def retire(self) -> None:
        """Stop working for good: whatever is under way ends without being served or written any more."""
        self.retired = True
        await self.context.end_tasks(self)
        async with self._loading:
            self.let_go()

    def let_go(self) -> None:
        """Hold the zone's version no longer: this object and ``secondaries`` know each other, so that it may outlive its use."""
        self.zone = self.secondaries.zone = None
        if self.versions is not None:
            self.versions.let_go()

    async def load(self) -> str | None:
        """Read the zone file and serve it if it is good; otherwise what is served stays.

        Returns:
            None when the file's content is now served; else one sentence why it is not.

        """
        async with self._loading:
            try:
                return await self._load()
            except (ZoneError, HostError) as error:
                self._note(error, "not-kept" if isinstance(error, HostError) and error.step == KEEP else "load-failed")
                return str(error)

    async def _load(self) -> str | None:
        path = self.config.file
        if path is None:
            raise HostError(f"the zone {bare(self.apex)} has no file", step="load")
        loaded = await self._read(path)
        for mistake in loaded.warnings:
            log.warning("zone %s: %s", bare(self.apex), mistake)
        zone = loaded.zone
        before = self.zone
        if before is None and self.versions is not None:
            before = await self._before_restart(self.versions, loaded)
        if self.announced is not None and not (zone.serial == self.announced or zone.serial.is_newer_than(self.announced)):
            if before is not None and self.versions is not None and self.versions.from_file == zone.serial:
                if self.zone is None and not self.retired:  # it was changed since, and the file was not
                    self._swap(before)
                return None
            raise ZoneError(
                f"serial {zone.serial} in {path} is lower than {self.announced}, which was announced already (RFC 1982)",
                remedy="Let mailname raise it: mailname publish PLAN",
            )
        if before is not None and self.updated:
            zone = await in_thread(self.updated.onto, zone, before)
        same = before is not None and before == zone
        unkept = self._served_unkept() if not same else None
        if not same and not self.retired and unkept is None:
            await self._keep(before, zone, from_file=True)
        if self.retired:
            return f"the zone {bare(self.apex)} is no longer served"
        self.announced = zone.serial
        if not same or self.zone is None:
            self._swap(zone)
        if before is None or before.serial != zone.serial:
            self._unraised = None
        elif not same:
            self._unraised = self._note(
                ZoneError(
                    f"the content of {path} changed, its serial {zone.serial} did not: secondaries will not fetch it",
                    remedy="Raise the serial: mailname publish PLAN",
                ),
                "serial-not-raised",
            )
        self.problem = self._unraised  # until the serial is raised, whatever else is read again
        if unkept is not None:
            self._note(unkept, "not-kept")
        return None

    def _served_unkept(self) -> HostError | None:
        """Return why the file's version, with which we begin, is not kept; None where it is to be.

        A journal that cannot be read is left alone. The file is as new as what is in it, but where updates came.
        """
        begins = self.zone is None and self.versions is not None and not self.config.update
        return self.versions.unreadable if begins and self.versions is not None else None

    async def change(self, make: Changes | Callable[[ImageZone], Changes]) -> Serial:
        """Change the zone that is served, and raise its serial: kept, then served, then announced.

        Args:
            make: the changes, or what makes them from the version served now; it may refuse by raising. Without a SOA among them
                the serial is raised by one. That there is nothing to be changed is no change.

        Returns:
            The serial that is served afterwards.

        Raises:
            ZoneError: the changes cannot be made; what is served is as before.
            HostError: the disk does not take it; the same.

        """
        async with self._loading:
            zone = self.zone
            if self.retired or not isinstance(zone, ImageZone):
                raise ZoneError(f"the zone {bare(self.apex)} is not served, so it cannot be changed", remedy="Load it first.")
            changes = make(zone) if callable(make) else make
            changed = await in_thread(changed_zone, zone, changes, self.announced or zone.serial)
            if changed is None:
                return zone.serial
            await self._keep(zone, changed, among=changes)
            self.announced = changed.serial
            if self._unraised is not None and self.problem is self._unraised:
                self.problem = None
            self._unraised = None
            self._swap(changed)
            return changed.serial

    async def _before_restart(self, versions: Versions, loaded: LoadedZone) -> Zone | None:
        """Return what was served before this process began, and remember its serial."""
        if loaded.mapped and loaded.zone.serial == self.announced and not self.updated:
            return loaded.zone  # it was read from the same file then
        return await self._last_version(versions)

    async def _last_version(self, versions: Versions) -> ImageZone | None:
        """Return the last version kept; where the disk has lost later ones, it gets a serial above those that were announced."""
        kept = await in_thread(versions.load)
        if kept is None:
            return None
        if self.announced is not None and self.announced.is_newer_than(kept.serial):
            raised = await in_thread(changed_zone, kept, Changes(octets(self.apex)), self.announced, always=True)
            assert raised is not None
            log.error(
                "zone %s: serial %s was announced, but the last version that can be read is %s; it goes on as %s",
                *(bare(self.apex), self.announced, kept.serial, raised.serial),
            )
            await self._keep(kept, raised)
            kept = raised
        self.announced = kept.serial
        return kept

    async def _read(self, path: Path) -> LoadedZone:
        library = self.context.library
        if not _is_short(path):
            return await in_thread(library.load, path, self.apex)
        loaded = await self.context.together(library.load_each, (path, self.apex))
        assert loaded is not None  # or it would have raised
        return loaded

    async def _keep(self, before: Zone | None, zone: Zone, *, among: Changes | None = None, from_file: bool = False) -> None:
        """Put a version on the disk before anybody can see its serial."""
        if self.versions is not None:
            await keep(self.context, Keeping(self.versions, before, zone, among, from_file))
        elif self.memory is not None:
            await self.memory.keep(before, zone)
        elif self.context.store is not None:
            await in_thread(self._keep_text, zone)

    def _keep_text(self, zone: Zone) -> None:
        if (store := self.context.store) is not None:
            store.save_zone(zone, f"The last version of {bare(self.apex)} that was served; a copy of {self.config.file}.")
            store.save_record(self.apex, Record(announced=zone.serial.value))

    def _swap(self, zone: Zone) -> None:
        self.zone = zone
        self.since = self.context.clock.wall()
        self.context.serve(self.apex, zone)
        self.secondaries.announce(zone)
        log.info("zone %s: loaded serial %s, %d records", bare(self.apex), zone.serial, zone.record_count)
        if self.versions is not None:
            text_soon(self.versions, self.context, self)

    def _note(self, error: MailnameError, reason: Reason = "load-failed") -> Problem:
        self.problem = Problem(reason, str(error), error.remedy, iso(self.context.clock.wall()))
        held = f"; serving serial {self.zone.serial} on" if self.zone else ""
        log.error("zone %s: %s%s", bare(self.apex), error, held)
        return self.problem

    def on_timer(self, now: float) -> None:
        """Do what is due."""
        self.secondaries.on_timer(now)

    def next_wakeup(self) -> float | None:
        """Return when ``on_timer`` wants to be called."""
        return self.secondaries.rules.next_wakeup()

    def notify_now(self) -> None:
        """Notify all secondaries again: the operator's order."""
        if self.zone is not None:
            self.secondaries.announce(self.zone)

    def status(self) -> dict[str, Any]:
        """Return this zone's part of ``mailname status --json``."""
        problem = asdict(self.problem) if self.problem else None
        return {
            **status_of(self.apex, self.config.file, self.zone, self.since),
            "announced": self.announced.value if self.announced else None,
            "problem": problem,
            "by_update": self.updated.told(self.zone) if self.zone else [],
            "may_update": sorted({key.to_text() for rule in self.config.update for key in rule.keys}),
            **self.secondaries.status(),
        }


def _is_short(path: Path) -> bool:
    """Tell whether reading a file takes so little time that others may wait for it."""
    try:
        return path.stat().st_size <= _SHORT
    except OSError:
        return True  # whoever reads it finds out why


def status_of(apex: Name, file: Path | None, zone: Zone | None, since: float) -> dict[str, Any]:
    """Return the status of a primary zone with which nothing is wrong and that has no secondaries."""
    serial = zone.serial.value if zone else None
    return {
        "zone": apex.to_text(),
        "role": "primary",
        "state": "serving" if zone else "not loaded",
        "serial": serial,
        "announced": serial,
        "records": zone.record_count if zone else None,
        "file": str(file.absolute()) if file else None,
        "since": iso(since) if zone else None,
        "problem": None,
        "by_update": [],
        "may_update": [],
        "secondaries": [],
        "refused": [],
    }
