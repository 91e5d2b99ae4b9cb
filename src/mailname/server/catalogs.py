"""The catalogs of one server, made here or followed, beside the zones that have a configuration of their own (RFC 9432)."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import dns.name

from mailname.errors import HostError, ZoneError
from mailname.server.catalog_config import with_peers
from mailname.server.catalog_consumer import CatalogConsumer
from mailname.server.catalog_producer import catalog_file, folder_zones, write_catalog
from mailname.server.clock import iso
from mailname.server.context import bare, in_thread, log
from mailname.server.primary_zone import PrimaryZone, Problem

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable
    from pathlib import Path

    from dns.name import Name

    from mailname.server.catalog_config import CatalogConfig
    from mailname.server.catalog_consumer import Exchange
    from mailname.server.config import ZoneConfig
    from mailname.server.context import Context
    from mailname.server.served_zones import ServedZones


class Catalogs:
    """All catalogs of one server; arguments as for ``CatalogConsumer``."""

    def __init__(
        self, context: Context, zones: ServedZones, exchange: Exchange, configuring: asyncio.Lock, folder: Path | None
    ) -> None:
        self._context = context
        self._zones = zones
        self._folder = folder
        self._configs: dict[Name, CatalogConfig] = {}
        self._listed: dict[Name, int] = {}
        self._written: set[Name] = set()
        self._problems: dict[Name, Problem] = {}
        self._consumer = CatalogConsumer(context, zones, exchange, configuring, folder)

    async def configure(self, configs: tuple[CatalogConfig, ...], zones: tuple[ZoneConfig, ...]) -> tuple[ZoneConfig, ...]:
        """Take over a configuration, and return all zones that are to be served. Under the lock of the configuration.

        Args:
            configs: the catalogs.
            zones: the zones that have a configuration of their own.

        """
        self._configs = {one.name: one for one in configs}
        by_hand = {zone.name: with_peers(zone, configs) for zone in zones}
        producers = [one for one in configs if one.role == "producer"]
        for config in producers:
            if config.folder is not None:
                for zone in await in_thread(folder_zones, config):
                    by_hand.setdefault(zone.name, zone)
        own = [one.zone() for one in configs if one.role == "consumer"]
        own += [config.zone(await self._produce(config, by_hand.values())) for config in producers]
        consumers = {one.name: one for one in configs if one.role == "consumer"}
        self._context.private = frozenset(self._configs)
        self._context.watchers = {name: partial(self._consumer.on_served, name) for name in consumers}
        members = await self._consumer.configure(consumers, {*by_hand, *self._configs})
        return (*by_hand.values(), *own, *members)

    async def _produce(self, config: CatalogConfig, zones: Iterable[ZoneConfig]) -> Path:
        """Bring a catalog's file up to date, and return where it lies.

        Raises:
            HostError: there is no state folder to keep it in.

        """
        store = self._context.store
        if self._folder is None or store is None:
            problem = f"the catalog {bare(config.name)} has no place: there is no state folder"
            raise HostError(problem, remedy='Name one in the configuration: state = "DIR"', step="catalog")
        path = catalog_file(self._folder, config.name)
        listed = tuple(zones)
        self._listed[config.name] = sum(1 for zone in listed if zone.role == "primary" and config.lists(zone.name))
        try:
            written = await in_thread(write_catalog, path, config, listed, store, self._context.clock.wall())
        except HostError as error:
            log.error("catalog %s: %s", bare(config.name), error)
            self._problems[config.name] = Problem("not-kept", error.problem, error.remedy, iso(self._context.clock.wall()))
        except ZoneError as error:
            log.error("catalog %s: %s; it stays as it is", bare(config.name), error)
            self._problems[config.name] = Problem("catalog-broken", error.problem, error.remedy, iso(self._context.clock.wall()))
        else:
            self._problems.pop(config.name, None)
            if written:
                self._written.add(config.name)
                log.info("catalog %s: written anew, %d members", bare(config.name), self._listed[config.name])
        return path

    async def end(self) -> None:
        """Follow no catalog any more: no zone comes or goes afterwards."""
        await self._context.end_tasks(self._consumer)

    async def announce(self) -> None:
        """Serve the catalogs that were written anew, once their members are served."""
        written, self._written = self._written, set()
        for catalog in written:
            if isinstance(zone := self._zones.get(catalog), PrimaryZone):
                await zone.load()

    def told(self, status: dict[str, Any]) -> dict[str, Any]:
        """Return a zone's status, with what catalogs have to do with it."""
        name = dns.name.from_text(status["zone"])
        config = self._configs.get(name)
        if config is None:
            owner = self._consumer.owner(name)
            return {**status, "member_of": owner.to_text()} if owner is not None else status
        if config.role == "consumer":
            told = self._consumer.status(name)
        else:
            problem = self._problems.get(name)
            folder = str(config.folder.absolute()) if config.folder is not None else None
            told = {"role": "producer", "members": self._listed.get(name, 0), "folder": folder}
            told["problem"] = asdict(problem) if problem else None
        return {**status, "catalog": told, "problem": status["problem"] or told["problem"]}
