"""All zones of a folder, most of them asleep: answered from packs, with an object only for those that need attention.

A sleeping zone has nobody to notify and nothing to report. One is woken when somebody transfers it, when its file is no good, or
when its content changed and its serial did not.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dns.name

from mailname.answer import Unserved
from mailname.errors import MailnameError
from mailname.server.clock import iso
from mailname.server.config import ZoneConfig
from mailname.server.context import bare, in_thread, log
from mailname.server.folder_memory import FolderMemory
from mailname.server.folder_reading import FolderReader, ZoneFile
from mailname.server.image_library import take_packs
from mailname.server.pack_folder import PackFolder, tidied
from mailname.server.primary_zone import PrimaryZone, Problem, status_of
from mailname.server.zonefiles import SUFFIX, file_stem
from mailname.wire.octets import octets
from mailname.zone.image_zone import ImageZone, same_octets
from mailname.zone.pack import PackWriter, entries_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from dns.name import Name

    from mailname.answer.images import Images
    from mailname.server.config import FolderConfig
    from mailname.server.context import Context
    from mailname.server.folder_reading import FolderReading
    from mailname.server.served_images import ServedImages

_MOST_LOOKED_AT = 256  # zones whose interface is kept at hand for the reference
_MOST_AWAKE = 1000  # zones that were woken and have nothing to report
_NAMED = 20  # zones that one reload may tell about by name


class FolderZones:
    """The zones of one folder.

    Attributes:
        awake: those that have an object of their own.

    """

    def __init__(self, config: FolderConfig, context: Context, images: ServedImages) -> None:
        self._config = config
        self._context = context
        self._served = images
        self._packs = PackFolder(config.images)
        self._memory = FolderMemory(config.images, context.clock)
        self._spelled: dict[bytes, bytes] = {}
        self._looked_at: OrderedDict[bytes, ImageZone] = OrderedDict()
        self.awake: OrderedDict[Name, PrimaryZone] = OrderedDict()
        self._since = 0.0
        self._reading = asyncio.Lock()

    async def start(self) -> None:
        """Serve all zones of the folder.

        Raises:
            HostError: the folder cannot be read, or a file's name is not a zone's.

        """
        async with self._reading:
            images: Images = self._served.images.changed((), ())
            await in_thread(take_packs, self._packs, images)
            await in_thread(self._memory.open, is_ours=self._packs.is_ours)
            found = await self._read(images, served=False)
            for file in found.unusual:
                if (number := images.number(file.apex)) >= 0:
                    images.mark(number)
            read = _read_apexes(found) if len(images) or len(self._memory.announced) else set()
            gone: set[bytes] = set()
            if found.read or found.unusual or found.files != len(images):
                gone = {images.apex(number) for number in images.numbers() if not images.is_marked(number)} - read
            await self._take(images, found, read, gone)
            log.info(
                "folder %s: %d zones, %d read, %d unchanged, %d not as they should be",
                self._config.path,
                found.files,
                found.read,
                found.files - found.read - len(found.unusual),
                len(found.unusual),
            )
            await self._look_after(found)

    async def close(self) -> None:
        """End what is under way."""
        for zone in self.awake.values():
            await zone.retire()
        async with self._reading:
            self._packs.close()

    async def _read(self, images: Images, *, served: bool) -> FolderReading:
        attended = {octets(apex).lower() for apex, zone in self.awake.items() if zone.problem is not None}
        told = self._memory.announced
        reader = FolderReader(self._config.path, images, self._packs, told, served=served, attended=attended)
        await in_thread(reader.begin)
        await asyncio.gather(*(in_thread(reader.work) for _ in range(min(os.cpu_count() or 1, 4))))
        return reader.result()

    async def _take(self, before: Images, found: FolderReading, read: set[bytes], gone: Collection[bytes]) -> None:
        """Serve what was found: what is marked, and what was read. What was announced is remembered first."""
        images = before.marked()
        for block in found.blocks:
            images.add_pack(block)
        for apex, image, _ in found.large:
            images.add(apex)
            images.replace(apex, image)
        await in_thread(self._memory.take, before, images, read, gone)
        if not self._since:  # the image of what was announced may be lost, and an older one be there
            for apex in await in_thread(self._memory.fell, images):
                images.replace(apex, None)
                found.unusual.append(ZoneFile(b"", b"", apex))
        images = await in_thread(tidied, self._packs, images)
        if found.large:  # not sooner: a pack from which nothing is answered yet would be tidied away
            self._context.spawn(self._pack_large(found.large), self)
        self._looked_at.clear()
        self._since = self._context.clock.wall()
        self._spelled |= found.spelled
        self._served.take(images)
        self._context.table = self._context.table.behind(self.zone)
        for apex, warning in found.warnings:
            log.warning("zone %s: %s", bare(_name(apex)), warning)

    async def _pack_large(self, large: list[tuple[bytes, bytes, bytes]]) -> None:
        """Keep the images of large zones, which are answered from memory until then."""
        while large:
            apex, image, stamp = large.pop()
            writer = PackWriter()
            writer.add(image, stamp)
            block = await in_thread(self._packs.add, writer)
            async with self._reading:
                served = self._served.images
                if (number := served.number(apex)) < 0 or not served.holds(number, image):
                    continue  # another version was read meanwhile; its pack follows
                images: Images = served.changed((), ())
                images.add_pack(block)
                self._looked_at.pop(apex, None)
                self._served.take(images)

    async def _look_after(self, found: FolderReading) -> dict[Name, str]:
        """Wake the zones that somebody has to look at; return what is wrong with them."""
        problems = {}
        for file in found.unusual:
            zone = self._wake(_name(file.apex))
            if problem := await zone.load():
                problems[zone.apex] = problem
        self._pack_soon([_name(file.apex) for file in found.unusual])
        return problems

    def _pack_soon(self, loaded: Collection[Name]) -> None:
        """Keep the images of zones that were loaded one by one, and are answered from memory until then."""
        taken = [(octets(apex).lower(), zone.zone) for apex in loaded if (zone := self.awake.get(apex)) is not None]
        alone = [(key, bytes(zone.image)) for key, zone in taken if isinstance(zone, ImageZone) and self._is_alone(key)]
        if alone:
            self._context.spawn(self._pack_loaded(alone), self)

    def _is_alone(self, key: bytes) -> bool:
        number = self._served.images.number(key)
        return number >= 0 and self._served.images.stamp(number) is None

    async def _pack_loaded(self, alone: list[tuple[bytes, bytes]]) -> None:
        async with self._reading:
            writer = PackWriter()
            served = self._served.images
            for key, image in alone:
                held = served.image(served.number(key)) if self._is_alone(key) else None
                if held is not None and same_octets(held, image):  # else another version was read meanwhile
                    writer.add(image)
                    self._looked_at.pop(key, None)
            if writer.zones:
                images: Images = served.changed((), ())
                images.add_pack(await in_thread(self._packs.add, writer))
                self._served.take(images)

    async def reload(self) -> dict[Name, str]:
        """Read again what has changed; return what is wrong with it."""
        async with self._reading:
            for apex in self._memory.announced.forget_gone(self._context.clock.wall()):
                self._wake_no_more(_name(apex))
            before: Images = self._served.images.changed((), ())  # what is marked in vain is marked here
            try:
                found = await self._read(before, served=True)
            except MailnameError as error:
                log.error("the folder is not read again: %s", error)
                return {}
            read = _read_apexes(found)
            for apex in (*read, *(file.apex for file in found.unusual)):
                if (number := before.number(apex)) >= 0:
                    before.mark(number)
            gone = [before.apex(number) for number in before.numbers() if not before.is_marked(number)]
            for apex in gone:
                await self._forget(_name(apex))
            for apex in read:
                self._wake_no_more(_name(apex))
                if len(read) <= _NAMED:
                    log.info("zone %s: read again", bare(_name(apex)))
            if len(read) > _NAMED:
                log.info("folder %s: %d zones read again", self._config.path, len(read))
            await self._take(before, found, read, gone)
            return await self._look_after(found)

    async def reload_one(self, apex: Name) -> str | None:
        """Read one zone's file again; return what is wrong with it."""
        async with self._reading:
            if apex not in self:
                return None
            problem = await self._wake(apex).load()
            self._pack_soon([apex])
            return problem

    async def _forget(self, apex: Name) -> None:
        zone = self.awake.pop(apex, None)
        if zone is not None:
            await zone.retire()
        if apex in self._context.table:
            self._context.table = self._context.table.without(apex)
        log.info("zone %s: no longer served", bare(apex))

    def _wake_no_more(self, apex: Name) -> None:
        """Let a zone sleep whose new version was read: nothing is wrong with it any more."""
        if (zone := self.awake.pop(apex, None)) is not None:
            zone.let_go()
        if apex in self._context.table:
            self._context.table = self._context.table.without(apex)

    def zone(self, key: bytes) -> ImageZone | Unserved | None:
        """Return a zone of the folder, for the table of what is served. ``key``: its apex in lower-case wire form."""
        known = self._looked_at.get(key)
        if known is not None:
            return known
        number = self._served.images.number(key)
        if number < 0:
            return None
        image = self._served.images.image(number)
        if image is None:
            return Unserved("not loaded")
        if len(self._looked_at) >= _MOST_LOOKED_AT:
            self._looked_at.popitem(last=False)
        self._looked_at[key] = ImageZone(image)
        return self._looked_at[key]

    def get(self, apex: Name) -> PrimaryZone | None:
        """Return a zone of the folder as an object; None where there is no such zone."""
        if apex not in self.awake and apex not in self:
            return None
        return self._wake(apex)

    def _wake(self, apex: Name) -> PrimaryZone:
        zone = self.awake.get(apex)
        if zone is None:
            zone = self._object(apex)
            self.awake[apex] = zone
            if len(self.awake) > _MOST_AWAKE:
                self._let_sleep()
        self.awake.move_to_end(apex)
        return zone

    def _let_sleep(self) -> None:
        """Forget the object that was not used for longest, of those that have nothing to report."""
        for apex, zone in self.awake.items():
            if zone.problem is None and zone.zone is not None and apex not in self._context.table:
                self.awake.pop(apex).let_go()
                return

    def _object(self, apex: Name) -> PrimaryZone:
        served = self.zone(octets(apex).lower())
        config = ZoneConfig(apex, "primary", self._file(apex), allow_transfer=self._config.allow_transfer)
        zone = PrimaryZone(config, self._context)
        key = octets(apex).lower()
        zone.memory = self._memory
        zone.announced = self._memory.announced.serial(key)
        if isinstance(served, ImageZone):
            zone.zone, zone.since, zone.announced = served, self._since, served.serial
        elif served is None:
            self._context.serve(apex, Unserved("not loaded"))
        return zone

    def _file(self, apex: Name) -> Path:
        name = self._spelled.get(octets(apex).lower())
        return self._config.path / (os.fsdecode(name) if name else f"{file_stem(apex)}{SUFFIX}")

    def __len__(self) -> int:
        return len(self._served.images)

    def __contains__(self, apex: Name) -> bool:
        return octets(apex).lower() in self._served.images

    def status(self, apex: Name | None) -> Iterator[dict[str, Any]]:
        """Yield each zone's part of ``mailname status --json``, in canonical order; or that of one zone."""
        images = self._served.images
        apexes = [_name(images.apex(number)) for number in images.numbers()] if apex is None else [apex]
        for one in sorted(apexes):
            told = self.awake[one].status() if one in self.awake else self._status(one)
            if told["problem"] is None and octets(one).lower() in self._memory.announced.unwritten:
                told["problem"] = asdict(self._not_kept())
            yield told

    def _status(self, apex: Name) -> dict[str, Any]:
        image = self._served.images.image(self._served.images.number(octets(apex).lower()))
        return status_of(apex, self._file(apex), None if image is None else ImageZone(image), self._since)

    def _not_kept(self) -> Problem:
        says = f"the serial is not remembered in {self._config.images}: an older file would be served after a restart"
        return Problem("not-kept", says, f"Look at its space (df) and its owner: ls -ld {self._config.images}", iso(self._since))


def _read_apexes(found: FolderReading) -> set[bytes]:
    return {apex for block in found.blocks for apex, *_ in entries_of(block)} | {apex for apex, *_ in found.large}


def _name(wire: bytes) -> Name:
    return dns.name.from_wire(wire, 0)[0]
