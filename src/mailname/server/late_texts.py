"""The texts of versions that are in the journals already, written when there is time: those of many zones together."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.server.atomic import write_together
from mailname.server.context import Context, bare, in_thread, log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailname.server.versions import Versions

_CALM = 5.5  # seconds after a change until the text is written; no whole second, see late_records.py
_PER_SECOND = 20_000  # records of a zone for which it waits a second longer


def text_soon(versions: Versions, context: Context, owner: object) -> None:
    """See to it that a zone's text is written when there is time. For the event loop; ``owner`` is the zone at work."""
    if not versions.scheduled and versions.is_text_behind:
        versions.scheduled = True
        context.spawn(_text_later(versions, context, owner), owner)


async def _text_later(versions: Versions, context: Context, owner: object) -> None:
    held = versions.kept
    records = held.record_count if held else 0
    try:
        await asyncio.sleep(_CALM + records / _PER_SECOND)
        if records > _PER_SECOND:
            async with context.writing_texts:
                await in_thread(versions.write_text)
        else:
            await context.together(write_texts, versions, on_the_spot=False)
    except HostError as error:
        log.warning("zone %s: its text is not written: %s", bare(versions.apex), error)
    finally:
        versions.scheduled = False
    if versions.kept is not held:
        text_soon(versions, context, owner)


def write_texts(those: Sequence[Versions]) -> list[Exception | None]:
    """Write the last versions' texts of several zones with one order to the disk; tell for each what is wrong."""
    outcomes: list[Exception | None] = [None] * len(those)
    done: set[int] = set()
    if len(those) > 1:
        with contextlib.ExitStack() as held:
            found = {place: held.enter_context(one.text_to_be_written()) for place, one in enumerate(those)}
            groups = {place: files for place, files in found.items() if files is not None}
            problems = write_together(list(groups.values()))
            done = {place for place, problem in zip(groups, problems, strict=True) if problem is None}
            for place in done:
                those[place].text_is_written()
    for place, one in enumerate(those):
        if place not in done:
            try:
                one.write_text()
            except HostError as error:
                outcomes[place] = error.with_traceback(None)
    return outcomes
