"""A primary and a secondary that publish, transfer, restart; told again and again, each time with the disk failing elsewhere.

Run as a program under ``disk_faults.so``; each line of its input says where and how it fails, each line of its output what came
of it. The telling runs in a forked process, which may die; another one then looks at what it left.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import mmap
import os
import random
import shutil
import struct
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.server.disk_faults import Disk, Fault, lose_what_was_not_synced
from tests.server.running import APEX, Running, Site, running, until, zone_text

from mailname.errors import HostError
from mailname.server.atomic import write_atomic
from mailname.server.context import Context
from mailname.wire.octets import octets
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from dns.name import Name

    from mailname.answer import Unserved
    from mailname.zone import Zone

SIDES = ("primary", "secondary")
SPOILED = b"this is no zone file\n"


def text(serial: int) -> str:
    """Return a version; a few of its records differ from the one before it."""
    hosts = "\n".join(f"host{number} A 192.0.2.{number}" for number in range(40))
    return zone_text(serial, f"now TXT {serial}\nnow{serial % 3} A 10.0.0.{serial}\n{hosts}", retry=1)


def _is_quiet(server: Running) -> Callable[[], bool]:
    return lambda: not server.zone_status()["busy"]


class Seen:
    """The highest serial that anybody may have seen from each side; it survives the process."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 16)

    def note(self, side: str, serial: int) -> None:
        """Remember that a version is served."""
        at = 8 * SIDES.index(side)
        struct.pack_into("Q", self._memory, at, max(serial, self.highest(side)))

    def highest(self, side: str) -> int:
        """Return the highest one, or 0."""
        found: int = struct.unpack_from("Q", self._memory, 8 * SIDES.index(side))[0]
        return found


def watch_what_is_served(seen: Seen, site: Site) -> None:
    """Note each version at the moment at which it can be seen, and that none is older than the one before it."""
    serve = Context.serve

    def noting(self: Context, apex: Name, entry: Zone | Unserved) -> None:
        side = "primary" if self.listen == (site.primary_at,) else "secondary"
        if (serial := getattr(entry, "serial", None)) is not None:
            assert serial.value >= seen.highest(side), f"{side} fell from {seen.highest(side)} to {serial}"
            seen.note(side, serial.value)
        serve(self, apex, entry)

    mock.patch.object(Context, "serve", noting).start()  # for as long as this process lives


class Story:
    """One telling in one folder."""

    def __init__(self, folder: Path, seen: Seen, *, may_fail: bool) -> None:
        self.site = Site(folder / "site", port=random.randrange(10_000, 32_000))
        self.seen = seen
        self.may_fail = may_fail
        self.refusals = 0

    async def tell(self) -> None:
        """Start, publish, transfer, end, start again, publish again."""
        watch_what_is_served(self.seen, self.site)
        for versions in ((2, 3), (4, 5)):
            async with self._running("primary") as primary, self._running("secondary") as secondary:
                for serial in versions:
                    await self._publish(serial, primary, secondary)
                if primary is not None and secondary is not None:
                    await secondary.obey({"do": "retransfer"})
                    await until(_is_quiet(secondary))

    async def _publish(self, serial: int, primary: Running | None, secondary: Running | None) -> None:
        try:
            write_atomic(self.site.file, text(serial).encode())
        except HostError as error:
            self._refused(str(error))
            return
        os.utime(self.site.file, (1e9 + serial, 1e9 + serial))  # long ago, so that its image is kept
        if primary is None:
            return
        if problems := await primary.reload():
            self._refused(str(problems))
        elif secondary is not None:
            await until(lambda: (secondary.serial() or 0) >= serial or (self.may_fail and _is_held_back(secondary)))

    def _refused(self, why: str) -> None:
        if not self.may_fail:
            raise AssertionError(why)
        self.refusals += 1

    @contextlib.asynccontextmanager
    async def _running(self, side: str) -> AsyncIterator[Running | None]:
        """Run one side; None where the disk does not let it start."""
        config = self.site.primary() if side == "primary" else self.site.secondary()
        try:
            server = running(config)
            entered = await server.__aenter__()
        except HostError as error:
            self._refused(str(error))
            yield None
            return
        try:
            yield entered
        finally:
            await server.__aexit__(None, None, None)


async def look(site: Site, seen: Seen, *, spoiled: bool, kept: bool) -> None:
    """Start from what is left: whole versions, none older than any that was seen; and in step again after the next one.

    Not ``kept``: the disk refused. A secondary then serves what it cannot keep, rather than let the zone grow old, if it can see
    to it that no start answers what it could keep before; so without its primary it answers nothing older.
    """
    if spoiled:
        site.file.write_bytes(SPOILED)
    async with running(site.secondary()) as secondary:
        _is_whole(secondary, seen.highest("secondary") if kept else 0, "secondary")
        answered = getattr(secondary.context.table.entry(octets(APEX)), "serial", None)
        assert answered is None or answered.value >= seen.highest("secondary"), f"{answered} is answered again"
    async with running(site.primary()) as primary, running(site.secondary()) as secondary:
        _is_whole(primary, seen.highest("primary"), "primary")
        write_atomic(site.file, text(9).encode())
        problems = await primary.reload()
        assert not problems, problems
        await until(lambda: secondary.serial() == 9)
        assert secondary.zones[APEX].zone == read_zone(text(9), "x", APEX).zone
    left = [path.name for side in SIDES for path in (site.folder / side).rglob(".*.new")]
    assert not left, left


def _is_held_back(secondary: Running) -> bool:
    """Tell whether the version fetched last is not served because it can be neither kept nor the older one be marked."""
    return (secondary.zone_status()["last_failure"] or {}).get("reason") == "not-kept"


def _is_whole(server: Running, seen: int, side: str) -> None:
    serial = server.serial()
    assert (serial or 0) >= seen, f"the {side} serves {serial}, {seen} was seen: {server.zone_status()}"
    if serial is not None:
        served = server.zones[APEX].zone
        assert served == read_zone(text(serial), "x", APEX).zone, f"the {side}'s serial {serial} is not whole"


def forked(work: Coroutine[Any, Any, None]) -> tuple[int, str]:
    """Do something in a process of its own; return how it ended, and what it said."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            asyncio.run(work)
            status = 0
        finally:
            if status:
                os.write(writing, traceback.format_exc()[-60_000:].encode())
            os._exit(status)
    work.close()
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        told = said.read().decode()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told


def tell_once(order: dict[str, Any], disk: Disk) -> dict[str, Any]:
    """Tell the story with one fault, and look at what is left."""
    spoiled = order.pop("spoiled", False)
    folder = Path(tempfile.mkdtemp(prefix="story-"))
    try:
        (folder / "site").mkdir()
        (folder / "saved").mkdir()
        seen = Seen()
        power_cut = order["mode"] == "power"
        fault = Fault(**order | ({"mode": "kill"} if power_cut else {}))
        story = Story(folder, seen, may_fail=fault.mode in ("once", "on"))
        story.site.file.write_text(text(1), encoding="utf-8")
        disk.arm(story.site.folder, fault, folder / "saved" if power_cut else None)
        status, said = forked(story.tell())
        disk.disarm()
        steps = disk.steps()
        if power_cut:
            lose_what_was_not_synced(steps, folder / "saved")
        length = len(str(story.site.folder))
        result = {"status": status, "said": said, "struck": disk.struck()}
        result["steps"] = [(one.call, one.path[length:]) for one in steps]
        result["seen"] = [seen.highest(side) for side in SIDES]
        after, why = forked(look(story.site, seen, spoiled=spoiled, kept=not story.may_fail))
        return result | {"after": after, "why": why}
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Obey the orders that come in."""
    logging.basicConfig(level=logging.INFO) if os.environ.get("STORY_LOG") else logging.disable()
    disk = Disk()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(tell_once(json.loads(line), disk)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
