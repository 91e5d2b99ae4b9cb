"""The versions that were published: noted, bounded, found again, and restored as new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from tests.engines.pair import APEX, PLAN
from tests.engines.test_publish import CHANGED, published, publishing
from tests.strategies import zones

from mailname.engines import published as kept_versions
from mailname.engines.keeping_published import kept, note, one_of, with_serial
from mailname.engines.published import By, added, beside, bounded, read, version, written
from mailname.errors import HostError
from mailname.zone import Serial
from mailname.zone.diff import same_content

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engines.pair import Pair

    from mailname.zone import Zone


class TestVersions:
    @given(one=zones(), other=zones())
    def test_are_what_they_were_when_they_are_read_again(self, one: Zone, other: Zone) -> None:
        """Each with its content, who published it and what it replaced; one that nobody told of is found out."""
        versions = added((), version(other, one, 7.0, By("me", "here", "mailname publish")), one)
        again = read(written(versions))
        assert again == versions
        assert [each.zone(one.apex) for each in again] == [one, other]
        assert [(each.by.user, each.before) for each in again] == [("", None), ("me", one.serial.value)]
        assert same_content(with_serial(other, Serial(5)), other)
        assert with_serial(other, Serial(5)).serial == Serial(5)

    @given(zone=zones())
    def test_are_bounded(self, zone: Zone) -> None:
        """The oldest go; before that, what they were."""
        first = version(zone, None, 1.0, By("x" * 1000))
        assert len(first.by.user) < 1000
        assert len(bounded([first] * 150)) == kept_versions.MOST
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(kept_versions, "MOST_OCTETS", 2 * len(first.packed))
            assert [one.can_be_restored for one in bounded([first] * 4)] == [False, False, True, True]
            patched.setattr(kept_versions, "MOST_OCTETS", 1)
            assert [one.can_be_restored for one in bounded([first] * 2)] == [False, True]

    @pytest.mark.parametrize(
        "octets", [b"", b"[]", b"{}", b"\xff", b'{"schema": "mailname.published/2", "versions": []}', b'{"schema": 1}', b"7"]
    )
    def test_that_cannot_be_read_are_told(self, octets: bytes) -> None:
        with pytest.raises(ValueError, match=r"."):
            read(octets)


class TestPublishing:
    async def test_is_noted_and_an_earlier_version_is_published_anew(self, pair: Pair) -> None:
        """By a serial above all; with what changed. What came by another way is noted when it is replaced."""
        async with pair.server("ns2") as primary:
            for text in (PLAN, CHANGED):
                await published(pair, text, wait=0.1)
            first, second = await kept(publishing(pair).primary, APEX)
            assert (first.serial, first.before, second.serial, second.before) == (2026060800, None, 2026060801, 2026060800)
            assert first.by.user
            assert first.by.host
            assert second.by.command.startswith("mailname")
            assert second.changes == ("- example.tech. 3600 A 192.0.2.80", "+ example.tech. 3600 A 192.0.2.81")
            run = publishing(pair, CHANGED)
            run.restored = await one_of(run.primary, run.plan, 2026060800)
            (one,) = await run.prepare()
            assert (one.old and one.old.serial.value, one.new.serial.value) == (2026060801, 2026060802)
            await run.write_and_load()
            assert (primary.serial(), run.unkept) == (2026060802, "")
            by_hand = pair.file.read_text().replace("192.0.2.80", "192.0.2.99").replace("2026060802", "2026060807")
            pair.file.write_text(by_hand)
            await primary.reload()
            await published(pair, wait=0.1)
            versions = await kept(run.primary, APEX)
            assert [one.serial for one in versions] == [2026060800, 2026060801, 2026060802, 2026060807, 2026060808]
            assert [bool(one.by.command) for one in versions] == [True, True, True, False, True]
            assert "+ example.tech. 3600 A 192.0.2.99" in versions[3].changes
            with pytest.raises(HostError, match="serial 7 is not kept"):
                await one_of(run.primary, run.plan, 7)

    async def test_goes_on_where_it_cannot_be_noted(self, pair: Pair, tmp_path: Path) -> None:
        """A spoiled history is begun anew; one that cannot be written is told."""
        async with pair.server("ns2") as primary:
            await published(pair, wait=0.1)
            path = beside(pair.file)
            assert path.name == ".example.tech.zone.published"
            path.write_text("spoiled")
            with pytest.raises(HostError, match="does not tell"):
                await kept(publishing(pair).primary, APEX)
            await published(pair, CHANGED, wait=0.1)
            assert [one.serial for one in await kept(publishing(pair).primary, APEX)] == [2026060800, 2026060801]
            path.unlink()
            path.mkdir()
            run = publishing(pair)
            await run.prepare()
            await run.write_and_load()
            assert primary.serial() == 2026060802
            assert str(path) in run.unkept
            zone = run.publications[0].new
            assert await note(run.primary, pair.file, zone, None, By()) == run.unkept
