"""The server: listens, answers, keeps its zones fresh, and takes orders. The one place where its parts are joined."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.name

from mailname import __version__
from mailname.answer.rate_limit import RateLimiter
from mailname.errors import MailnameError
from mailname.server.catalogs import Catalogs
from mailname.server.clock import Clock, SystemClock, iso
from mailname.server.clock_watch import watch_clock
from mailname.server.context import Context, bare, in_thread, log
from mailname.server.control import ControlSocket, Order
from mailname.server.dispatch import Dispatcher, offered
from mailname.server.folder_zones import FolderZones
from mailname.server.handover import NOTHING, Heritage
from mailname.server.history import History
from mailname.server.history_status import history_of, with_history
from mailname.server.image_library import ImageLibrary
from mailname.server.network import DirectNetwork, Network
from mailname.server.primary_zone import PrimaryZone
from mailname.server.secondary_zone import SecondaryZone
from mailname.server.served_images import ServedImages
from mailname.server.served_zones import ServedZones, batched
from mailname.server.store import Store
from mailname.server.tcp import TcpListener
from mailname.server.tcp_limits import TcpLimits, most_connections
from mailname.server.timetable import Timed, Timetable
from mailname.server.tls_ports import TlsPorts
from mailname.server.traffic_history import TrafficHistory, traffic_of
from mailname.server.traffic_now import reported
from mailname.server.udp import UdpListener
from mailname.server.udp_counts import added_up
from mailname.server.udp_workers import UdpWorkers, are_available, options_for_reference
from mailname.wire.octets import octets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from dns.name import Name

    from mailname.server.config import ServerConfig, ZoneConfig
    from mailname.server.network import Endpoint
    from mailname.server.served_zones import ServedZone

_TIMERS = "timers"
_LONGEST_SLEEP = 3600.0
_ZONES_AT_ONCE = 64
_FEW = 100  # zones whose primaries are asked at once when the server starts
_QUESTIONS_A_SECOND = 1000  # where there are more
_SOON = 0.02  # seconds
_SECONDARIES_FIRST = 0.003  # seconds in which a secondary that was told of a new version asks for it
_COLLECTING = 0.6  # seconds for which new images are collected; no whole second, see late_records.py


class Server:
    """An authoritative name server, primary and secondary for any number of zones."""

    def __init__(
        self, config: ServerConfig, *, network: Network | None = None, clock: Clock | None = None, workers: int = 0
    ) -> None:
        """Take a configuration.

        Args:
            config: what to serve, and where.
            network: the world as it is, unless given.
            clock: this machine's, unless given.
            workers: threads per address that answer UDP outside the interpreter, where the core is compiled; 0 for none.

        """
        self.config = config
        self.clock: Clock = clock or SystemClock()
        self.network: Network = network or DirectNetwork()
        self.started_at = 0.0
        self.zones = ServedZones()
        self._wake = asyncio.Event()
        self._times = Timetable()
        library = ImageLibrary(config.state / "images" if config.state else None)
        self._store = Store(config.state, library) if config.state else None
        self.context = Context(self.network, self.clock, config.listen, config.keys, self._store, self._has_news, library=library)
        self.context.limits = config.transfer_limits
        self.context.history = History(config.state)
        self._dispatcher = Dispatcher(
            self.context,
            self.zones,
            offered(config.replies),
            RateLimiter(config.rate_limit),
        )
        self._limits = TcpLimits(self.clock.monotonic, most_connections())
        self._udp: list[UdpListener | UdpWorkers] = []
        self._workers = workers if are_available(self.network) else 0
        if self._workers or config.folder:
            self.context.images = ServedImages(self.context.spawn, options_for_reference(self._dispatcher.settings))
        self.context.on_the_spot = bool(self._workers)
        self._tcp: list[TcpListener] = []
        self._tls = TlsPorts(self.context, self._dispatcher, self._limits)
        self._traffic_history = TrafficHistory(config.state, lambda: self.traffic(0), self.clock)
        self._control = ControlSocket(config.control, self.obey) if config.control else None
        self._timers: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._configuring = asyncio.Lock()
        self.catalogs = Catalogs(self.context, self.zones, self._exchange, self._configuring, config.state)
        #: Called before all zone files are read again: where the configuration comes from is the caller's affair.
        self.on_reload: Callable[[], Awaitable[None]] | None = None

    async def start(self) -> None:
        """Load the zones, then listen: nobody gets a refusal only because we were still starting.

        Raises:
            HostError: an address or the control socket cannot be had; everything is closed again.

        """
        self.started_at = self.clock.wall()
        try:
            if self._control:
                await self._control.start()
            async with self._configuring:
                loop = asyncio.get_running_loop()
                await in_thread(self.context.library.open, lambda: loop.call_soon_threadsafe(self._news.set))
                await self._take_zones(await self.catalogs.configure(self.config.catalogs, self.config.zones))
                if self.config.folder is not None and self.context.images is not None:
                    self.zones.folder = FolderZones(self.config.folder, self.context, self.context.images)
                    await self.zones.folder.start()
            for at in self.config.listen:
                self._udp.append(self._udp_at(at))
                listener = TcpListener(self.network, at, self._dispatcher, self._limits)
                self._tcp.append(listener)
                await listener.start()
                log.info("listening on %s, UDP and TCP", at)
            await self._tls.start(self.config)
        except BaseException:
            await self.stop()
            raise
        self._keeping = asyncio.get_running_loop().create_task(self._keep_images())
        self._keeping.add_done_callback(_log_failure)
        self.context.listening.set()
        self.clock.when_moved(self._wake.set)
        self._traffic_history.start()
        self._timers = asyncio.get_running_loop().create_task(self._keep_time(), name=_TIMERS)
        self._timers.add_done_callback(_log_failure)

    def _udp_at(self, at: Endpoint) -> UdpListener | UdpWorkers:
        if self.context.images is None or not self._workers:
            return UdpListener(self.network, at, self._dispatcher)
        return UdpWorkers(self.network, at, self._dispatcher, self.context.images, self.config.rate_limit, self._workers)

    @property
    def is_answering(self) -> bool:
        """Whether those who answer UDP still run. Who asks runs on the event loop, which is the other half."""
        return all(one.is_answering for one in self._udp)

    async def stop(self) -> None:
        """Close everything; what is on disk stays as it is."""
        if self._timers is not None:
            self._timers.cancel()
            await asyncio.gather(self._timers, return_exceptions=True)
            self._timers = None
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            self._keeping = None
        await self._traffic_history.stop()
        await asyncio.gather(*(one.close() for one in (*self._udp, *self._tcp, self._tls)))
        self._udp, self._tcp = [], []
        if self._control:
            await self._control.close()
        await self.catalogs.end()
        await self.zones.retire_all(self.context)
        if self.zones.folder is not None:
            await self.zones.folder.close()
        await self.context.end_tasks()
        await self.context.close_lines()
        await in_thread(self.context.library.close)
        await in_thread(self.context.history.close)
        if self._store:
            self._store.close()
            self._store = None

    async def _take_zones(self, wanted: tuple[ZoneConfig, ...]) -> list[Name]:
        """Serve exactly these zones: new ones start, changed ones start again, others go. Returns what was started."""
        by_name = {one.name: one for one in wanted}
        return await self._exchange([apex for apex, zone in self.zones.items() if by_name.get(apex) != zone.config], wanted)

    async def _exchange(self, ending: Collection[Name], wanted: Collection[ZoneConfig]) -> list[Name]:
        """End some zones, and serve others from now on, as far as they are not served. Returns what was started."""
        by_name = {one.name: one for one in wanted}
        left: dict[Name, Heritage] = {}
        for apex in ending:
            self._times.forget(before := self.zones.pop(apex))
            if (config := by_name.get(apex)) is not None:  # its place is never empty, and its last version is answered on
                left[apex], self.zones[apex] = before.leaves(), self._zone(config)
            await before.retire()
            if config is None:
                log.info("zone %s: no longer served", bare(apex))
        self.context.drop(*(apex for apex in ending if apex not in by_name))
        for apex, config in by_name.items():
            if apex not in self.zones:
                left[apex], self.zones[apex] = NOTHING, self._zone(config)
        started = list(left)
        # A start with many zones must not ask their primaries for all of them in one moment.
        self.context.spread = len(started) / _QUESTIONS_A_SECOND if len(started) > _FEW else 0.0
        # Several at a time: reading files is waiting.
        for some in batched(started, _ZONES_AT_ONCE):
            await asyncio.gather(*(self.zones[apex].start(left[apex]) for apex in some))
        return started

    def _zone(self, config: ZoneConfig) -> ServedZone:
        return (PrimaryZone if config.role == "primary" else SecondaryZone)(config, self.context)

    async def reconfigure(self, config: ServerConfig) -> None:
        """Take over a changed configuration: zones and keys at once; addresses, state and control socket need a new start."""
        async with self._configuring:
            fixed, before = ((one.listen, one.tls_listen, one.state, one.control) for one in (config, self.config))
            if fixed != before:
                log.warning("listen, tls_listen, state and control are read at the start only; start the server again for those")
            await self._tls.renew(config, await self._tls.prepare(config))
            self.config = replace(self.config, zones=config.zones, keys=config.keys, key_files=config.key_files)
            self.config = replace(self.config, catalogs=config.catalogs, tls=config.tls, transfer_limits=config.transfer_limits)
            self.context.keys, self.context.limits = config.keys, config.transfer_limits
            await self._take_zones(await self.catalogs.configure(config.catalogs, config.zones))
            await self.catalogs.announce()

    async def reload(self, apex: Name | None = None) -> dict[Name, str]:
        """Read zone files again.

        Args:
            apex: one zone, or None for all that this server is primary of.

        Returns:
            For each zone whose file could not be taken over, why; it keeps its last good version.

        """
        problems: dict[Name, str] = {}
        if self.zones.folder is not None and apex is not None and apex not in self.zones:
            problem = await self.zones.folder.reload_one(apex)
            return {apex: problem} if problem else {}
        primaries = {zone.apex: zone for zone in self._chosen(apex) if isinstance(zone, PrimaryZone)}
        for some in batched(list(primaries), _ZONES_AT_ONCE):  # who waits for the disk waits together
            loads = [primaries[one].load() for one in some]
            told = [await loads[0]] if len(loads) == 1 else await asyncio.gather(*loads)
            problems |= {one: problem for one, problem in zip(some, told, strict=True) if problem}
        if apex is None and self.zones.folder is not None:
            problems |= await self.zones.folder.reload()
        return problems

    def _chosen(self, apex: Name | None) -> list[ServedZone]:
        """Return one zone, or all that have a configuration of their own."""
        if apex is None:
            return list(self.zones.values())
        found = self.zones.get(apex)
        return [] if found is None else [found]

    def _on_clock_jumped(self, seconds: float) -> None:
        asked: set[tuple[object, object]] = set()
        for zone in self.zones.values():
            if isinstance(zone, SecondaryZone):
                zone.on_clock_jumped(seconds)
            elif new := {(peer.address, peer.key) for peer in zone.config.secondaries if peer.key is not None} - asked:
                asked |= new
                zone.notify_now()  # signed: who finds our time wrong says so now, not at its next refresh

    async def _keep_time(self) -> None:
        await asyncio.gather(self._run_timers(), watch_clock(self.clock, self._on_clock_jumped, self._wake.set))

    def _has_news(self, zone: Timed) -> None:
        """Look soon at a zone's timers: not in the middle of what brought the news."""
        if not zone.retired and self._times.has_news(zone):
            asyncio.get_running_loop().call_later(_SOON, self._wake.set)

    async def _run_timers(self) -> None:
        while True:
            self._wake.clear()
            now = self.clock.monotonic()
            for zone in self._times.take_due(now):
                zone.on_timer(now)
                self._times.has_news(zone)
            following = self._times.next()
            pause = _LONGEST_SLEEP if following is None else min(max(following - self.clock.monotonic(), 0.0), _LONGEST_SLEEP)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _keep_images(self) -> None:
        """Write images for the next start, some at a time."""
        library = self.context.library
        await in_thread(library.forget_others, {octets(apex).lower() for apex in self.zones})
        while True:
            await self._news.wait()
            await asyncio.sleep(_COLLECTING)
            self._news.clear()
            await in_thread(library.flush)

    def status(self, apex: Name | None = None) -> dict[str, Any]:
        """Return what ``mailname status --json`` prints: every zone, or one."""
        return {
            "schema": "mailname.status/1",
            "version": __version__,
            "pid": os.getpid(),
            "since": iso(self.started_at),
            "listen": [str(at) for at in self.config.listen],
            "udp": added_up(one for listener in self._udp for one in listener.counters()),
            **self._tls.status(),
            "keys": self.context.key_use.status(self.config.key_files),
            "zones": self._zone_statuses(apex),
        }

    def traffic(self, most: int, apex: Name | None = None) -> dict[str, Any]:
        """Return what has been asked and answered since the start, with the busiest zones and networks (``traffic_report``)."""
        return reported(self._udp, self._dispatcher, self.context, self.started_at, most, apex) | {
            "listen": [str(at) for at in self.config.listen]
        }

    def _zone_statuses(self, apex: Name | None) -> list[dict[str, Any]]:
        statuses = [zone.status() for name, zone in sorted(self.zones.items()) if apex in (None, name)]
        if self.zones.folder is not None and (apex is None or apex in self.zones.folder):
            statuses += self.zones.folder.status(apex)
        return [self.catalogs.told(status) for status in statuses]

    async def obey(self, order: Order) -> Order:
        """Carry out one order of the control socket."""
        apex: Name | None = None
        if (text := order.get("zone")) is not None:
            try:
                apex = dns.name.from_text(str(text))
            except (dns.exception.DNSException, UnicodeError):
                return {"ok": False, "says": f"{text} is not a zone's name"}
            if not self.zones.serves(apex):
                return {"ok": False, "says": f"the zone {bare(apex)} is not served here"}
        match order["do"]:
            case "status":
                return {"ok": True, **await with_history(self.status(apex), self.context, apex)}
            case "history":
                return await history_of(order, self.context.history, apex)
            case "traffic":
                return await traffic_of(order, self.traffic, self._traffic_history, apex)
            case "reload":
                if apex is None and self.on_reload is not None and not (told := await self._configure_anew())["ok"]:
                    return told
                if apex is not None and isinstance(self.zones.get(apex), SecondaryZone):
                    says = f"{bare(apex)} is a secondary zone, which has no file to read: mailname retransfer {bare(apex)}"
                    return {"ok": False, "says": says}
                problems = await self.reload(apex)
                if apex is not None:
                    await asyncio.sleep(_SECONDARIES_FIRST)
                zones = self._zone_statuses(apex)
                notes = [one["problem"]["says"] for one in zones if one["role"] == "primary" and one["problem"]]
                return {"ok": not problems, "says": "; ".join(notes), "zones": zones}
            case "configure":
                return await self._configure_anew()
            case "notify":
                return self._each(apex, PrimaryZone, "notified")
            case "retransfer":
                return self._each(apex, SecondaryZone, "asked for")
            case other:
                return {"ok": False, "says": f"there is no order {other}"}

    async def _configure_anew(self) -> Order:
        """Take over a changed configuration, and what came into the folders of catalogs; zone files are not read again."""
        try:
            await (self.on_reload() if self.on_reload is not None else self.reconfigure(self.config))
        except MailnameError as error:
            return {"ok": False, "says": f"the configuration is not taken over: {error}"}
        return {"ok": True, "says": ""}

    def _each(self, apex: Name | None, kind: type[PrimaryZone | SecondaryZone], done: str) -> Order:
        """Notify for, or retransfer, one zone or all of a kind."""
        chosen = [zone for zone in self._chosen(apex) if isinstance(zone, kind)]
        others = len(self.zones.folder) if self.zones.folder is not None and apex is None and kind is PrimaryZone else 0
        if not chosen and not others:
            role = "primary" if kind is PrimaryZone else "secondary"
            which = f"the zone {bare(apex)} is not" if apex is not None else "no zone is"
            return {"ok": False, "says": f"{which} a {role} zone of this server"}
        for zone in chosen:
            if isinstance(zone, PrimaryZone):
                zone.notify_now()
            else:
                zone.retransfer()
        return {"ok": True, "says": f"{len(chosen) + others} zone(s) {done}"}


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        what = "no zone is refreshed" if task.get_name() == _TIMERS else "no image is kept for the next start"
        log.critical("%s any more; start the server again: %r", what, error, exc_info=error)
