"""Pages are told of every change: also of one that comes before they listen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mailname.web.live import ALL, Live

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_CHANGED = "event: changed\ndata: {}\n\n"


async def after(live: Live, domain: str, since: int, *changes: str) -> list[str]:
    """Return what a page is sent that begins to listen now, then these change, and then all ends."""
    stream = live.stream(domain, since)
    sent = [await anext(stream)]
    for change in changes:
        live.tell(change)
    rest = asyncio.create_task(_rest(stream))
    await asyncio.sleep(0)
    live.close()
    return sent[1:] + await rest


async def _rest(stream: AsyncIterator[str]) -> list[str]:
    return [one async for one in stream]


class TestStream:
    async def test_tells_of_its_domain_only(self) -> None:
        """A change of another is nothing to this page; one of all is."""
        assert await after(Live(), "a.tech", 9, "b.tech") == []
        assert await after(Live(), "a.tech", 9, ALL) == [_CHANGED.format(ALL)]

    async def test_tells_what_changed_before_it_was_listened_to(self) -> None:
        """A page that was made before a check ended, and connected after, is not left behind."""
        live = Live()
        live.tell("a.tech")
        assert await after(live, "a.tech", 0) == [_CHANGED.format("a.tech")]

    async def test_is_quiet_about_what_the_page_shows_already(self) -> None:
        """A page that was made after the change is not made again."""
        live = Live()
        live.tell("a.tech")
        assert await after(live, "a.tech", live.number) == []
        assert await after(Live(), ALL, 0) == []
