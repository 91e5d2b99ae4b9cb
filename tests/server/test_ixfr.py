"""What changed goes from one server to the other; what is no good is fetched whole, and the reason is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.server.running import APEX, Running, Site, asked, running, serial_at, until
from tests.zone.test_image_merge import changes_of

from mailname.server import sending
from mailname.server.primary_zone import PrimaryZone
from mailname.transfer import ixfr
from mailname.transfer.journal_records import written

if TYPE_CHECKING:
    from typing import Any

SOA = "ns2 hostmaster {} 3600 1 86400 60"


async def pair_at(primary: Running, secondary: Running, serial: int) -> dict[str, Any]:
    """Wait until both have a version; return the secondary's last transfer."""
    await until(lambda: primary.serial() == secondary.serial() == serial)
    await until(lambda: secondary.zone_status()["last_transfer"]["serial"] == serial)
    assert secondary.context.table[APEX] == primary.context.table[APEX]
    found: dict[str, Any] = secondary.zone_status()["last_transfer"]
    return found


class TestPair:
    async def test_gets_what_changed(self, site: Site) -> None:
        """Each time: five records, not nine."""
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            assert (await pair_at(primary, secondary, 1))["kind"] == "AXFR"
            for serial in (2, 3, 4):
                site.write(serial, f"www A 192.0.2.{serial}")
                await primary.reload()
                last = await pair_at(primary, secondary, serial)
                assert (last["kind"], last["records"] < 8) == ("IXFR", True)

    async def test_that_was_away_gets_all_that_changed(self, site: Site) -> None:
        """Across new starts of both."""
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await pair_at(primary, secondary, 1)
        async with running(site.primary()) as primary:
            for serial in (2, 3):
                site.write(serial, f"www A 192.0.2.{serial}")
                await primary.reload()
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            assert (await pair_at(primary, secondary, 3))["kind"] == "IXFR"

    async def test_gets_the_whole_zone_where_its_content_changed_under_a_serial(self, site: Site) -> None:
        """Whoever holds that serial may hold either content."""
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await pair_at(primary, secondary, 1)
            site.write(1, "www A 192.0.2.66")
            await primary.reload()
            site.write(2, "www A 192.0.2.66\nmore A 192.0.2.67")
            await primary.reload()
            assert (await pair_at(primary, secondary, 2))["kind"] == "AXFR"
            site.write(3, "more A 192.0.2.67")
            await primary.reload()
            assert (await pair_at(primary, secondary, 3))["kind"] == "IXFR"

    async def test_is_fetched_whole_by_order(self, site: Site) -> None:
        """The operator wants it anew."""
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await pair_at(primary, secondary, 1)
            site.write(2, "www A 192.0.2.2")
            await primary.reload()
            assert (await pair_at(primary, secondary, 2))["kind"] == "IXFR"
            await secondary.obey({"do": "retransfer"})
            await until(lambda: secondary.zone_status()["last_transfer"]["kind"] == "AXFR")

    @pytest.mark.parametrize(
        ("lines", "says"),
        [
            (["- nothing A 192.0.2.1"], "nothing.example.tech. A is to be removed, but is not there"),
            (["+ ns1 3600 A 192.0.2.1"], "ns1.example.tech. A is to be added, but is there"),
            (["+ mail 3600 CNAME ns1"], "a CNAME record and other data"),
        ],
    )
    async def test_lie_is_refused_whole_and_the_zone_fetched_by_axfr(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, lines: list[str], says: str
    ) -> None:
        """At once; the reason is kept, and what is served is right at any moment."""
        gone = [line for line in lines if line[0] == "-"]
        come = [line for line in lines if line[0] == "+"]
        changes = changes_of(f"- @ SOA {SOA.format(1)}", *gone, f"+ @ 3600 SOA {SOA.format(2)}", *come, apex=APEX)
        lie = written(changes.packed)
        monkeypatch.setattr(sending, "_differences", lambda *_: ixfr.Differences(lie, ((0, len(lie)),)))
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await pair_at(primary, secondary, 1)
            site.write(2, "www A 192.0.2.2")
            await primary.reload()
            last = await pair_at(primary, secondary, 2)
            assert last["kind"] == "AXFR"
            assert says in last["fallback"]
            assert secondary.zone_status()["last_failure"] is None
        assert "IXFR is no good, so AXFR is asked for" in caplog.text

    async def test_change_in_process_goes_out_as_it_is(self, site: Site) -> None:
        """Two SOAs for each side, and the record."""
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await pair_at(primary, secondary, 1)
            zone = primary.zones[APEX]
            assert isinstance(zone, PrimaryZone)
            await zone.change(changes_of("+ _acme-challenge 60 TXT token", apex=APEX))
            last = await pair_at(primary, secondary, 2)
            assert (last["kind"], last["records"]) == ("IXFR", 5)


class TestCopyThatIsOlderThanWhatWasServed:
    async def test_is_not_answered_before_it_is_transferred_anew(self, site: Site) -> None:
        """Its journal lost the last step on the disk: no serial falls, and nothing spoiled is served."""
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await pair_at(primary, secondary, 1)
            for serial in (2, 3):
                site.write(serial, f"www A 192.0.2.{serial}")
                await primary.reload()
                await pair_at(primary, secondary, serial)
        path = site.folder / "secondary" / "example.tech.journal"
        octets = bytearray(path.read_bytes())
        octets[-1] ^= 1
        path.write_bytes(octets)
        async with running(site.secondary()) as secondary:
            assert await serial_at(site.secondary_at) == "SERVFAIL"
            async with running(site.primary()) as primary:
                await secondary.obey({"do": "retransfer"})
                await pair_at(primary, secondary, 3)
                assert (await asked(site.secondary_at, "www.example.tech.", "A")).answer
        async with running(site.secondary()):
            assert await serial_at(site.secondary_at) == 3
