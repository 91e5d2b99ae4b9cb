"""Plans with a catalog: a zone that is published at the primary appears at the secondary, whose configuration nobody touches."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import dns.name
import pytest
from tests.engines.pair import APEX, NS1, NS2, PLAN, Pair, plan_of
from tests.server.running import until

from mailname.engines.publish import Publishing
from mailname.errors import HostError
from mailname.server.catalog_config import CatalogConfig
from mailname.server.catalog_member_file import member_file
from mailname.server.keyfile import make_key_file
from mailname.transfer.actions import Peer
from mailname.transfer.catalog import Member, label_of, read_catalog
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.running import Running

CATALOG = dns.name.from_text("catalog.example.tech.")
KEY = dns.name.from_text("transfer.example.tech.")
FIRST = PLAN + '[catalog]\nname = "catalog.example.tech"\n'
OTHER = dns.name.from_text("example.org.")
SECOND = (
    FIRST.replace('domain = "example.tech"', 'domain = "example.org"')
    .replace("mail.example.tech", "mail.example.org")
    .replace("hostmaster@example.tech", "hostmaster@example.org")
)
TODAY = date(2026, 6, 8)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path, plan_of(FIRST))


async def published(pair: Pair, text: str) -> None:
    run = Publishing(plan_of(text), pair.control, pair.network, TODAY)
    await run.prepare()
    await run.write_and_load()
    assert all(one.arrived for one in await run.wait(20.0, lambda _: None))


def members(server: Running) -> dict[dns.name.Name, Member]:
    zone = server.zones[CATALOG].zone
    assert isinstance(zone, ImageZone)
    return read_catalog(zone)


def member(apex: dns.name.Name) -> Member:
    return Member(apex, label_of(apex))


class TestConfiguration:
    def test_primary_makes_the_catalog_from_its_folder(self, pair: Pair) -> None:
        """It goes to the plan's secondaries, with the plan's key, and to nobody else."""
        config = pair.config("ns2")
        assert config.catalogs == (
            CatalogConfig(CATALOG, "producer", secondaries=(Peer(NS1, 53, KEY),), folder=pair.folder / "ns2-zones"),
        )
        assert [zone.name for zone in config.zones] == [APEX]

    def test_secondary_knows_the_catalog_alone(self, pair: Pair) -> None:
        """The zones are what it lists: another one needs nothing here."""
        config = pair.config("ns1")
        assert config.catalogs == (CatalogConfig(CATALOG, "consumer", primaries=(Peer(NS2, 53, KEY),)),)
        assert config.zones == ()

    def test_plan_without_one_has_none(self, tmp_path: Path) -> None:
        assert Pair(tmp_path).config("ns1").catalogs == ()


class TestSecondPlan:
    async def test_appears_at_the_secondary_by_itself(self, pair: Pair) -> None:
        """Published twice it is an ordinary zone; a restart of both finds it again."""
        async with pair.server("ns2") as primary, pair.server("ns1") as secondary:
            await published(pair, FIRST)
            await published(pair, SECOND)
            assert secondary.zone_status(OTHER)["member_of"] == "catalog.example.tech."
            assert members(primary) == {APEX: member(APEX), OTHER: member(OTHER)}
            await published(pair, SECOND.replace("192.0.2.80", "192.0.2.81"))
            assert secondary.serial(OTHER) == 2026060801
        async with pair.server("ns2"), pair.server("ns1") as secondary:
            await until(lambda: secondary.serial(OTHER) == 2026060801)

    async def test_dry_run_adds_nothing(self, pair: Pair) -> None:
        async with pair.server("ns2") as primary:
            (one,) = await Publishing(plan_of(SECOND), pair.control, pair.network, TODAY).prepare()
            assert (one.joins, one.in_catalog, one.path) == (True, True, pair.folder / "ns2-zones" / "example.org.zone")
            assert not one.path.exists()
            assert not primary.zones.serves(OTHER)

    async def test_groups_and_change_of_ownership_are_told_in_the_catalog(self, pair: Pair) -> None:
        """As the plan says now; what it says no longer goes."""
        more = 'groups = ["customers", "signed"]\ngives_to = "catalog.example.net"\n'
        async with pair.server("ns2") as primary, pair.server("ns1"):
            await published(pair, SECOND + more)
            assert members(primary)[OTHER] == Member(
                OTHER, label_of(OTHER), ("customers", "signed"), dns.name.from_text("catalog.example.net.")
            )
            await published(pair, SECOND)
            assert members(primary)[OTHER] == member(OTHER)

    async def test_refused_with_updates_that_the_server_would_refuse(self, pair: Pair) -> None:
        """Joining or already there: a zone of the folder alone has no rules for updates. Nothing is written."""
        updates = '[[update]]\nkey = "acme.example.org"\nnames = ["_acme-challenge"]\n'
        async with pair.server("ns2") as primary, pair.server("ns1"):
            for _ in range(2):
                with pytest.raises(HostError, match=r"lets acme\.example\.org update nothing"):
                    await Publishing(plan_of(SECOND + updates), pair.control, pair.network, TODAY).prepare()
                await published(pair, SECOND)
            (pair.folder / "keys").mkdir()
            make_key_file(pair.folder / "keys/acme.example.org.key", dns.name.from_text("acme.example.org."))
            pair.plan = plan_of(SECOND + updates)
            with_table = pair.config("ns2")
            await primary.reconfigure(replace(primary.config, zones=with_table.zones, keys=with_table.keys))
            await published(pair, SECOND + updates)

    async def test_refused_without_a_catalog_in_the_plan(self, pair: Pair) -> None:
        """A zone is never added by accident."""
        async with pair.server("ns2"):
            with pytest.raises(HostError, match="is not the primary of"):
                await Publishing(plan_of(SECOND.partition("[catalog]")[0]), pair.control, pair.network, TODAY).prepare()

    async def test_refused_where_the_catalog_is_not_made(self, pair: Pair) -> None:
        async with pair.server("ns2"):
            other = plan_of(SECOND.replace("catalog.example.tech", "other.example.tech"))
            with pytest.raises(HostError, match=r"does not make the catalog other\.example\.tech from a folder"):
                await Publishing(other, pair.control, pair.network, TODAY).prepare()

    async def test_refused_for_other_name_servers(self, pair: Pair) -> None:
        """The zone would go to the catalog's secondaries, not to the plan's."""
        async with pair.server("ns2"):
            other = plan_of(SECOND.replace('"192.0.2.1"', '"192.0.2.7"'))
            with pytest.raises(HostError, match=r"goes to 192\.0\.2\.1, and the plan's secondaries are 192\.0\.2\.7"):
                await Publishing(other, pair.control, pair.network, TODAY).prepare()


class TestSpoiledProperties:
    async def test_leave_the_catalog_as_it_is(self, pair: Pair) -> None:
        """The status tells the file; the zones are served all the same."""
        async with pair.server("ns2") as primary, pair.server("ns1") as secondary:
            await published(pair, SECOND)
            before = primary.serial(CATALOG)
            member_file(pair.folder / "ns2-zones" / "example.org.zone").write_text('groups = "one"\n', encoding="utf-8")
            assert await primary.obey({"do": "configure"}) == {"ok": True, "says": ""}
            problem = primary.zone_status(CATALOG)["problem"]
            assert (problem["reason"], primary.serial(CATALOG)) == ("catalog-broken", before)
            assert "example.org.member cannot be used: groups is a list of words" in problem["says"]
            assert secondary.serial(OTHER) == 2026060800
