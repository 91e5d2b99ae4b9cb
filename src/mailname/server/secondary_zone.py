"""A zone that this server is a secondary of: asked for, transferred, kept, served until it expires."""

from __future__ import annotations

import asyncio
import random
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mailname.answer import Unserved
from mailname.errors import HostError, TransferError
from mailname.server import change_question
from mailname.server.announcing import Announcing
from mailname.server.clock import iso, moment
from mailname.server.context import Context, bare, in_thread, log
from mailname.server.handover import NOTHING, Heritage
from mailname.server.hinted import failure_of, fetch
from mailname.server.late_texts import text_soon
from mailname.server.noting import Noting, log_transfer
from mailname.server.primary_zone import Problem
from mailname.server.soa_question import ask_soa
from mailname.server.store import Record, save_records
from mailname.server.tcp_proof import prove_soon
from mailname.server.versions import Keeping, Versions, keep, last_version
from mailname.transfer.actions import AskForSoa, Expire, Peer, Resume, Transfer
from mailname.transfer.axfr import NotNewerError
from mailname.transfer.moment import Elapsed, Memory, Moment, elapsed
from mailname.transfer.primary import Primary
from mailname.transfer.secondary import Failure, Secondary
from mailname.transfer.timers import Timers
from mailname.zone.large_text import LARGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.name import Name

    from mailname.server.asking import TransferredZone
    from mailname.server.change_question import ChangeQuestion
    from mailname.server.config import ZoneConfig
    from mailname.server.network import Endpoint
    from mailname.server.store import Store
    from mailname.transfer.actions import Action
    from mailname.zone import Serial, Zone
    from mailname.zone.image_merge import Changes


_TOLD_AFTER = 0.02  # seconds after a NOTIFY: meanwhile nothing is in the way of what it asks for
_LAST_SECOND = 253402300799.0  # of the year 9999


@dataclass(slots=True)
class SecondaryZone:
    """One secondary zone at work. What to do is decided by ``Secondary``; here it is done."""

    config: ZoneConfig
    context: Context
    zone: Zone | None = None
    since: float = 0.0
    problem: Problem | None = None
    retired: bool = False
    logic: Secondary = field(init=False)
    secondaries: Announcing = field(init=False)
    notes: Noting = field(init=False)
    _last_transfer: dict[str, Any] | None = None
    _last_failure: dict[str, Any] | None = None
    _last_notify: dict[str, Any] | None = None
    _unkept: Zone | None = None
    _saving: asyncio.Lock = field(default_factory=asyncio.Lock)
    _clock_says: str = ""
    #: What is kept on the disk.
    versions: Versions | None = None

    def __post_init__(self) -> None:
        self.logic = Secondary(self.config.primaries, random.random)
        rules = Primary(self.config.secondaries, self.config.allow_transfer)
        self.notes = Noting(self.context, self.apex)
        self.secondaries = Announcing(self.context, rules, self, self.notes)

    @property
    def apex(self) -> Name:
        """The zone's name."""
        return self.config.name

    async def start(self, left: Heritage = NOTHING) -> None:
        """Serve the copy kept, unless it has expired, and ask the primary at once.

        Args:
            left: what another configuration of the zone leaves: answered on, unless a newer copy lies on the disk.

        """
        kept: Zone | None = None
        before: Memory | None = None
        passed: Elapsed | None = None
        if self.apex not in self.context.table:
            self.context.serve(self.apex, Unserved("not transferred yet"))
        if (store := self.context.store) is not None:
            record = store.load_record(self.apex)
            self._last_transfer, self._last_failure = record.last_transfer, record.last_failure
            self.versions = Versions(store, self.apex)
            kept = await in_thread(last_version, self.versions, record.announced)
            before = record.memory
            if before is None and record.confirmed_at is not None:
                before = Memory(Moment(0.0, record.confirmed_at), 0.0)
        if left.zone is not None and (kept := left.newer_of(kept)) is left.zone:
            before = left.memory
        now = moment(self.context.clock)
        if before is not None:
            passed = elapsed(before.at, now)
            before = replace(before, jumped=before.jumped + passed.jumped)
        # Without a record of when it was confirmed, the copy may be of any age: it is not served unconfirmed.
        age = float("inf") if before is None or before.age is None or passed is None else before.age + passed.seconds
        actions = self.logic.on_start(now.waiting, kept, age, before=before, spread=self.context.spread)
        if kept is not None:
            self.zone, self.since = kept, now.wall
            if passed is not None:
                self._tell_clock(passed)
        if kept is not None and not self.logic.expired:
            self.context.serve(self.apex, kept)
            log.info("zone %s: serving the copy kept, serial %s", bare(self.apex), kept.serial)
        else:
            self.context.serve(self.apex, Unserved("expired" if kept is not None else "not transferred yet"))
        self.do(actions)

    def leaves(self) -> Heritage:
        """Return what another configuration of the zone begins with."""
        return Heritage(self.zone, self.logic.memory(moment(self.context.clock)))

    async def retire(self) -> None:
        """Stop working for good: whatever is under way ends without being served or written any more."""
        self.retired = True
        await self.context.end_tasks(self)
        if self.context.records.is_due(self):
            await self.remember()
        if self.versions is not None:
            self.versions.let_go()

    def on_timer(self, now: float) -> None:
        """Do what is due."""
        self.do(self.logic.on_timer(now))
        self.secondaries.on_timer(now)

    def next_wakeup(self) -> float | None:
        """Return when ``on_timer`` wants to be called."""
        both = (self.logic.next_wakeup(), self.secondaries.rules.next_wakeup())
        return min((due for due in both if due is not None), default=None)

    def do(self, actions: list[Action]) -> None:
        """Carry out what the logic wants."""
        for action in actions:
            if isinstance(action, AskForSoa):
                self.context.spawn(self._ask(action.peer), self)
            elif isinstance(action, Transfer):
                asked = change_question.begin(self.context, action, self.zone)
                self.context.spawn(self._transfer(action, asked), self)
            elif isinstance(action, Resume) and self.zone is not None:
                log.info("zone %s: confirmed again: serial %s is answered", bare(self.apex), self.zone.serial)
                self.context.serve(self.apex, self.zone)
                self.secondaries.announce(self.zone)  # they may have got SERVFAIL for as long as we gave it
            elif isinstance(action, Expire):
                log.error("zone %s: expired: no primary confirmed it in time; answering SERVFAIL", bare(self.apex))
                self.context.serve(self.apex, Unserved("expired"))
                self.notes.expired_now(self.logic.held)
        self.context.wake(self)

    def on_clock_jumped(self, seconds: float) -> None:
        """Take that the wall clock was set while we run."""
        now = self.context.clock.monotonic()
        actions = self.logic.on_clock_jumped(seconds, now, self.context.spread)
        if self.zone is not None:
            self._tell_clock(Elapsed(0.0, seconds, sure=True))
        self.do(actions)
        self.context.spawn(self._keep(None), self)  # what was noted by the former wall time is worth nothing at the next boot

    def on_notify(self, peer: Peer, source: Endpoint, serial: Serial | None) -> None:
        """Take a NOTIFY from a primary."""
        held = self.zone.serial if self.zone else None
        self.do(self.logic.on_notify(peer, serial, self.context.clock.monotonic()))
        asyncio.get_running_loop().call_later(_TOLD_AFTER, self._note_notify, source, serial, held)

    def _note_notify(self, source: Endpoint, serial: Serial | None, held: Serial | None) -> None:
        self._last_notify = self.notes.notify_came(source, serial, held)

    def retransfer(self) -> None:
        """Transfer the zone whatever its serial: the operator's order."""
        self.do(self.logic.on_retransfer())

    async def _ask(self, peer: Peer) -> None:
        try:
            offered = await ask_soa(self.context, peer, self.apex)
        except TransferError as error:
            told = failure_of(error, None)
            await self._settle(self.logic.on_no_soa(peer, told, self.context.clock.monotonic()), told)
            return
        except BaseException:  # a fault of ours, or the end of this zone: the logic must not wait for ever
            self._gave_up(peer, lambda told, now: self.logic.on_no_soa(peer, told, now))
            raise
        await self._take_soa(peer, offered, self.logic.on_soa(peer, offered, self.context.clock.monotonic()))

    def _gave_up(self, peer: Peer, then: Callable[[Failure, float], list[Action]]) -> None:
        """Take that a question or a transfer ended as nobody foresaw. It is tried again like any that failed."""
        if not self.retired:
            told = Failure(str(peer), "internal", "a fault of this server ended it", "Report it, with the lines of the log.")
            self.remember_failure(told)
            self.do(then(told, self.context.clock.monotonic()))

    async def _take_soa(self, peer: Peer, offered: Serial, actions: list[Action]) -> None:
        """Tell what came of a primary's SOA."""
        told = self.logic.problems.get(peer)
        if told is None and offered == self.logic.held:
            self.notes.confirmed(peer, offered)
        await self._settle(actions, told)

    async def _settle(self, actions: list[Action], told: Failure | None) -> None:
        """Do what the logic wants after a question or a transfer, and keep what has to be remembered of it."""
        if told is not None:
            self.remember_failure(told)
        elif self.logic.last_failure is None:
            self._last_failure = None
        if self.logic.jumped == 0.0 and not self.logic.expired:
            self._clock_says = ""
        self.do(actions)
        await self._keep(None)

    async def _transfer(self, transfer: Transfer, asked: ChangeQuestion | None) -> None:
        peer = transfer.peer
        try:
            fetched = await fetch(self.context, transfer, self.apex, self.zone, asked)
        except NotNewerError as error:
            await self._take_soa(peer, error.offered, self.logic.on_not_newer(error.offered, self.context.clock.monotonic()))
            return
        except BaseException:
            self._gave_up(peer, self.logic.on_not_transferred)
            raise
        if isinstance(fetched, Failure):
            await self._settle(self.logic.on_not_transferred(fetched, self.context.clock.monotonic()), fetched)
            return
        if is_first := self.zone is None:
            self._remember_transfer(peer, fetched)
        if is_first and fetched.zone.record_count > LARGE:  # nothing that could be lost, and long to write
            self._swap(fetched.zone)
        await self._keep(fetched.zone, fetched.changes)
        if not is_first:  # its record is written later: it is served first
            self._remember_transfer(peer, fetched)
        if self.zone is not fetched.zone and self.problem is not None:
            says = self.problem.says.removesuffix(self.problem.remedy).rstrip()
            told = Failure(str(peer), "not-kept", says, self.problem.remedy, fetched.zone.serial)
            await self._settle(self.logic.on_not_transferred(told, self.context.clock.monotonic()), told)
            return
        log_transfer(self.apex, peer, fetched)
        prove_soon(self.context, peer, self, fetched)
        self._clock_says = ""
        self.do(self.logic.on_transferred(fetched.zone, self.context.clock.monotonic()))
        self.secondaries.announce(fetched.zone)

    async def _keep(self, zone: Zone | None, among: Changes | None = None) -> None:
        """Put a version (None: the one on the disk is the one we hold) and what we remember of it on the disk.

        A disk that is full must not let the zone expire: what cannot be kept is served all the same, and tried again with the
        next record, unless a start might then answer an older one. A version's record is never beside the text of an older one.
        """
        if (store := self.context.store) is None:
            self._serve_kept(zone)
            return
        async with self._saving:  # one after the other: the later one knows more
            zone, is_late = zone or self._unkept, False
            try:
                if zone is not None and self.versions is not None:
                    among = among if self.versions.kept is self.zone else None
                    await keep(self.context, Keeping(self.versions, self.versions.kept, zone, among))
                    is_late = self.zone is not None  # the record of the version before is good for this one, too
                    if is_late:
                        self._serve_kept(zone)
                        self.context.records.soon(self)
                    text_soon(self.versions, self.context, self)
                if not is_late:
                    await self.context.together(save_records, (store, self.apex, self._record(zone)), on_the_spot=False)
            except HostError as error:
                if await self._may_serve(zone, store):
                    self._unkept = zone
                    self._serve_kept(zone)
                if self.problem is None or self.problem.says != str(error):
                    log.error("zone %s: %s", bare(self.apex), error)
                    self.problem = Problem("not-kept", str(error), error.remedy, iso(self.context.clock.wall()))
                self.context.records.again(self)
            else:
                was_refused = self.problem is not None
                self._unkept, self.problem = None, None
                self._serve_kept(zone)
                if was_refused:
                    log.info("zone %s: the disk takes it again", bare(self.apex))
                    self.do(self.logic.on_kept_again(self.context.clock.monotonic()))

    def _record(self, zone: Zone | None) -> Record:
        """Return what is remembered of a version, None for the one that we hold."""
        serial = held.serial.value if (held := zone or self.zone) else None
        at = moment(self.context.clock)
        memory = (
            self.logic.memory(at) if zone is None or zone.serial == self.logic.held else Memory(at, 0.0, Timers.of(zone).refresh)
        )
        confirmed = at.wall - memory.age if memory.age is not None else None
        return Record(serial, confirmed, self._last_transfer, self._last_failure, memory)

    async def remember(self) -> None:
        """Put what we remember of the version that we hold on the disk."""
        await self._keep(None)

    async def _may_serve(self, zone: Zone | None, store: Store) -> bool:
        """Tell whether a version that the disk did not take may be served: no start must answer the one before it instead."""
        if zone is None or self.zone in (None, zone) or self.versions is None or self.versions.kept is zone:
            return True
        try:
            await in_thread(store.disown, self.apex)
        except HostError as error:
            log.error("zone %s: %s; serial %s is served on", bare(self.apex), error, self.logic.held)
            return False
        return True

    def _serve_kept(self, zone: Zone | None) -> None:
        """Serve a version that was kept, or cannot be."""
        if zone is not None and zone is not self.zone and not self.retired:
            self._swap(zone)

    def _swap(self, zone: Zone) -> None:
        self.zone = zone
        self.since = self.context.clock.wall()
        self.context.serve(self.apex, zone)

    def _remember_transfer(self, peer: Peer, done: TransferredZone) -> None:
        self._last_failure = None
        self._last_transfer = self.notes.transferred(peer, done, self.logic.held, done.kind)

    def _tell_clock(self, passed: Elapsed) -> None:
        """Say by which clock the copy's life is counted, where the two do not agree or only one could tell."""
        expire_at, jumped = self._wall(self._expire_at()), self.logic.jumped
        if jumped != 0.0:
            way = "forward" if jumped > 0 else "back"
            by_wall = self._wall(self._expire_at(), less=jumped)
            self._clock_says = (
                f"the wall clock was set {way} by {abs(jumped):.0f} seconds since a primary last confirmed the zone: "
                f"it expires at {expire_at}; by the wall clock it would have been {by_wall}. A confirmation ends the doubt."
            )
        elif not passed.sure and self.logic.expired:
            self._clock_says = (
                f"this machine was booted meanwhile, and only its wall clock tells that {passed.seconds:.0f} seconds passed "
                f"since serial {self.logic.held} was last known to be good: it expired at {expire_at}. "
                "If that clock is wrong, set it."
            )
        if self._clock_says:
            log.warning("zone %s: %s", bare(self.apex), self._clock_says)

    def remember_failure(self, told: Failure) -> None:
        """Tell of what failed."""
        log.warning("zone %s: refresh failed (%s): %s %s", bare(self.apex), told.reason, told.says, told.remedy)
        self.notes.failed(told, self.logic.held)
        self._last_failure = {
            "at": iso(self.context.clock.wall()),
            "peer": told.peer,
            "asked_from": self.notes.asked_from(told.peer),
            "reason": told.reason,
            "says": told.says,
            "remedy": told.remedy,
            "offered_serial": told.offered.value if told.offered else None,
            "signed": any(peer.key is not None for peer in self.logic.primaries if str(peer) == told.peer),
        }

    def _expire_at(self) -> float | None:
        return self.logic.expire_at if self.zone and self.logic.expire_at != float("-inf") else None

    def _wall(self, monotonic: float | None, *, less: float = 0.0) -> str | None:
        if monotonic is None or monotonic == float("-inf"):
            return None
        wall = self.context.clock.wall() + monotonic - self.context.clock.monotonic() - less
        return iso(min(max(wall, 0.0), _LAST_SECOND))

    def status(self) -> dict[str, Any]:
        """Return this zone's part of ``mailname status --json``."""
        state = "not loaded" if self.zone is None else "expired" if self.logic.expired else "serving"
        return {
            "zone": self.apex.to_text(),
            "role": "secondary",
            "state": state,
            "serial": self.zone.serial.value if self.zone else None,
            "records": self.zone.record_count if self.zone else None,
            "file": str(self.context.store.text_path(self.apex).absolute()) if self.context.store else None,
            "since": iso(self.since) if self.zone else None,
            "problem": asdict(self.problem) if self.problem else None,
            "primaries": [str(peer) for peer in self.logic.primaries],
            "busy": self.logic.busy,
            "refresh_at": self._wall(self.logic.refresh_at),
            "expires_at": self._wall(self._expire_at()),
            "confirmed_at": self._wall(self.logic.confirmed_at),
            "failures": self.logic.failures,
            "clock": {"jumped": round(self.logic.jumped), "says": self._clock_says} if self._clock_says else None,
            "last_notify": self._last_notify,
            "notify_refused": self.notes.notify_refused,
            "last_transfer": self._last_transfer,
            "last_failure": self._last_failure,
            **self.secondaries.status(),
        }
