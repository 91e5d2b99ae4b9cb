"""Two servers and a catalog: zones come, go and move at the consumer, whose configuration nobody touches (RFC 9432)."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import dns.message
import dns.name
import dns.rcode
import dns.tsig
import dns.update
import pytest
from tests.server.running import PRIMARY, SECONDARY, asked, free_port, running, until, zone_text

from mailname.server.catalog_config import CatalogConfig, CatalogGroup, CatalogUpdate
from mailname.server.catalog_state import FILE
from mailname.server.clock import ShiftedClock
from mailname.server.config import ServerConfig, ZoneConfig
from mailname.server.network import DirectNetwork, Endpoint, ask_udp
from mailname.transfer.actions import Peer
from mailname.transfer.catalog import Member, catalog_text, label_of
from mailname.wire.tsig_key import make_key
from mailname.zone import Serial

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.running import Running

CATALOG, OTHER_CATALOG = dns.name.from_text("catalog.invalid."), dns.name.from_text("other.invalid.")
GRACE = 3600
STRANGER = "127.0.0.9"


def name(text: str) -> dns.name.Name:
    return dns.name.from_text(text)


@dataclass
class Farm:
    """A producer and a consumer of one catalog."""

    folder: Path
    port: int

    @property
    def zones(self) -> Path:
        """The producer's folder of zone files."""
        return self.folder / "zones"

    def put(self, *zones: str, serial: int = 1) -> None:
        """Write zone files."""
        self.zones.mkdir(exist_ok=True)
        for zone in zones:
            (self.zones / f"{zone}.zone").write_text(zone_text(serial))

    def _config(self, at: str, who: str, **parts: Any) -> ServerConfig:
        return ServerConfig((Endpoint(PRIMARY if at == "primary" else SECONDARY, self.port),), state=self.folder / who, **parts)

    def producer(self, *zones: ZoneConfig, **changes: Any) -> ServerConfig:
        made = CatalogConfig(CATALOG, "producer", secondaries=(Peer(SECONDARY, self.port),), folder=self.zones)
        return self._config("primary", "producer", zones=zones, catalogs=(replace(made, **changes),))

    def plain(self, *catalogs: dns.name.Name) -> ServerConfig:
        """Return a primary whose catalogs are plain zones, written by hand."""
        secondaries = (Peer(SECONDARY, self.port),)
        files = [*sorted(self.zones.glob("*.zone"))]
        zones = [ZoneConfig(name(file.stem), "primary", file, secondaries=secondaries) for file in files]
        zones += [ZoneConfig(one, "primary", self.folder / f"{one}zone", secondaries=secondaries) for one in catalogs]
        return self._config("primary", "producer", zones=tuple(zones))

    def write(self, serial: int, *members: Member, catalog: dns.name.Name = CATALOG) -> None:
        """Write a catalog by hand."""
        (self.folder / f"{catalog}zone").write_text(catalog_text(catalog, Serial(serial), members))

    def consumer(self, *zones: ZoneConfig, catalogs: tuple[dns.name.Name, ...] = (CATALOG,), **changes: Any) -> ServerConfig:
        followed = [CatalogConfig(one, "consumer", primaries=(Peer(PRIMARY, self.port),), grace=GRACE) for one in catalogs]
        return self._config("secondary", "consumer", zones=zones, catalogs=tuple(replace(one, **changes) for one in followed))

    async def rcode(self, zone: str, *, at: str = "secondary", source: str | None = None, rdtype: str = "SOA") -> str:
        """Return what a server answers for a zone: NOERROR with its serial, or the rcode."""
        answer = await asked(Endpoint(PRIMARY if at == "primary" else SECONDARY, self.port), zone, rdtype, source=source)
        if answer.rcode() != dns.rcode.NOERROR:
            return dns.rcode.to_text(answer.rcode())
        return str(answer.answer[0][0].serial)


@pytest.fixture
def farm(tmp_path: Path) -> Farm:
    made = Farm(tmp_path, free_port())
    made.zones.mkdir()
    return made


def serving(server: Running, *zones: str) -> bool:
    """Tell whether a server serves these zones, and no others but catalogs."""
    statuses = [one for one in server.status()["zones"] if "catalog" not in one]
    return {one["zone"] for one in statuses if one["state"] == "serving"} == {f"{zone}." for zone in zones}


def catalog_of(server: Running, catalog: dns.name.Name = CATALOG) -> dict[str, Any]:
    found: dict[str, Any] = server.zone_status(catalog)["catalog"]
    return found


def member(zone: str, **changes: Any) -> Member:
    return replace(Member(name(zone), label_of(name(zone))), **changes)


class TestProducerAndConsumer:
    async def test_zone_put_into_the_folder_appears_and_disappears_at_the_consumer(self, farm: Farm) -> None:
        farm.put("example.tech", "example.org")
        async with running(farm.producer()) as producer, running(farm.consumer()) as consumer:
            await until(lambda: serving(consumer, "example.tech", "example.org"))
            before = producer.zone_status(CATALOG)["serial"]
            farm.put("example.net")
            (farm.zones / "example.org.zone").unlink()
            await producer.reconfigure(farm.producer())
            assert producer.zone_status(CATALOG)["serial"] > before
            await until(lambda: serving(consumer, "example.tech", "example.net"))
            assert await farm.rcode("example.net") == "1"
            assert await farm.rcode("example.org") == "REFUSED"
            assert catalog_of(consumer) | {"problem": None} == {
                "role": "consumer",
                "members": 2,
                "left": 1,
                "clashes": [],
                "problem": None,
            }
            assert consumer.zone_status(name("example.net"))["member_of"] == "catalog.invalid."

    async def test_serial_stays_while_the_list_stays(self, farm: Farm) -> None:
        """It rises when the list changes, and with a state folder that was lost too: it is the time."""
        farm.put("example.tech")
        clock = ShiftedClock()
        async with running(farm.producer(), clock) as producer:
            first = producer.zone_status(CATALOG)["serial"]
            assert abs(first - clock.wall()) < 3600
            await producer.reconfigure(farm.producer())
            assert producer.zone_status(CATALOG)["serial"] == first
        async with running(farm.producer()) as producer:
            assert producer.zone_status(CATALOG)["serial"] == first
            farm.put("example.org")
            await producer.reconfigure(farm.producer())
            assert producer.zone_status(CATALOG)["serial"] > first

    async def test_zones_with_a_configuration_are_listed_and_go_to_whom_the_catalog_goes(self, farm: Farm) -> None:
        """Zones that the catalog is not for, and secondary zones, are not listed; a zone's own secondaries stay its own."""
        farm.put("example.tech", "a.example.org", "example.org")
        zones = [
            ZoneConfig(name(one), "primary", farm.zones / f"{one}.zone")
            for one in ("example.tech", "a.example.org", "example.org")
        ]
        own = replace(zones[0], allow_transfer=(ip_network("192.0.2.0/24"),))
        chosen = {"zones": (name("example.tech"), name("*.example.org")), "folder": None}
        async with running(farm.producer(own, *zones[1:], **chosen)) as producer, running(farm.consumer()) as consumer:
            await until(lambda: serving(consumer, "a.example.org"))
            assert catalog_of(producer)["members"] == 2
            assert catalog_of(consumer)["members"] == 2
            await until(lambda: consumer.zone_status(name("example.tech"))["last_failure"])

    async def test_group_chooses_another_primary(self, farm: Farm) -> None:
        farm.put("example.tech", "a.example.org")
        nobody = (Peer(PRIMARY, free_port()),)
        groups = (CatalogGroup("elsewhere", (name("*.example.org"),)),)
        known = (CatalogGroup("elsewhere", primaries=nobody),)
        async with running(farm.producer(groups=groups)), running(farm.consumer(groups=known)) as consumer:
            await until(lambda: serving(consumer, "example.tech"))
            assert consumer.zone_status(name("a.example.org"))["primaries"] == [str(nobody[0])]
            await consumer.reconfigure(farm.consumer())
            await until(lambda: serving(consumer, "example.tech", "a.example.org"))

    async def test_restarted_consumer_serves_its_members_without_the_producer(self, farm: Farm) -> None:
        farm.put("example.tech", "example.org")
        async with running(farm.producer()), running(farm.consumer()) as consumer:
            await until(lambda: serving(consumer, "example.tech", "example.org"))
        async with running(farm.consumer()) as consumer:
            assert serving(consumer, "example.tech", "example.org")

    async def test_change_while_the_consumer_was_down_is_followed(self, farm: Farm) -> None:
        farm.put("example.tech", "example.org")
        async with running(farm.producer()) as producer:
            async with running(farm.consumer()) as consumer:
                await until(lambda: serving(consumer, "example.tech", "example.org"))
            (farm.zones / "example.org.zone").unlink()
            farm.put("example.net")
            await producer.reconfigure(farm.producer())
            async with running(farm.consumer()) as consumer:
                await until(lambda: serving(consumer, "example.tech", "example.net"))
                assert catalog_of(consumer)["left"] == 1

    async def test_catalog_that_is_no_longer_configured_gives_up_its_members(self, farm: Farm) -> None:
        farm.put("example.tech")
        async with running(farm.producer()), running(farm.consumer()) as consumer:
            await until(lambda: serving(consumer, "example.tech"))
            await consumer.reconfigure(farm.consumer(catalogs=()))
            assert consumer.status()["zones"] == []
            assert (farm.folder / "consumer" / "example.tech.zone").exists()


class TestUpdate:
    async def test_of_a_zone_of_the_folder_stays_and_arrives_at_the_consumer(self, farm: Farm) -> None:
        """As for a zone of its own: only the names that are given, whatever the file says later, and across a kill."""
        farm.put("example.tech", "example.org")
        key = make_key(name("acme."), "hmac-sha256")
        rule = CatalogUpdate((key.name,), (dns.name.from_text("_acme-challenge", None),), zones=(name("*.tech"),))
        config = replace(farm.producer(update=(rule,)), keys={key.name: key})

        async def sent(zone: str, owner: str) -> str:
            made = dns.update.UpdateMessage(zone)
            made.add(owner, 60, "TXT", "token")
            made.use_tsig({key.name: dns.tsig.Key(key.name, key.secret, key.algorithm)}, key.name)
            octets = await ask_udp(DirectNetwork(), made.to_wire(), Endpoint(PRIMARY, farm.port), timeout=30)
            return dns.rcode.to_text(dns.message.from_wire(octets, keyring=made.keyring, request_mac=made.mac).rcode())

        async with running(config) as producer, running(farm.consumer()) as consumer:
            await until(lambda: serving(consumer, "example.tech", "example.org"))
            assert await sent("example.org", "_acme-challenge") == "REFUSED"
            assert await sent("example.tech", "www") == "REFUSED"
            assert await sent("example.tech", "_acme-challenge") == "NOERROR"
            await until(lambda: consumer.serial(name("example.tech")) == 2)
            shutil.copytree(farm.folder / "producer", farm.folder / "killed")  # all that is on the disk when it is answered
            assert producer.zone_status(name("example.tech"))["may_update"] == ["acme."]
        shutil.rmtree(farm.folder / "producer")
        (farm.folder / "killed").rename(farm.folder / "producer")
        farm.put("example.tech", serial=7)
        async with running(config) as producer, running(farm.consumer()) as consumer:
            kept = ['_acme-challenge.example.tech. TXT "token"']
            assert producer.zone_status(name("example.tech"))["by_update"] == kept
            await until(lambda: consumer.serial(name("example.tech")) == 7)
            answer = await asked(Endpoint(SECONDARY, farm.port), "_acme-challenge.example.tech", "TXT")
            assert answer.answer[0][0].to_text() == '"token"'


class TestRemovedMember:
    async def test_copy_is_kept_for_the_grace_time_and_then_deleted(self, farm: Farm) -> None:
        farm.put("example.tech")
        farm.write(1, member("example.tech"))
        kept = farm.folder / "consumer" / "example.tech.zone"
        clock = ShiftedClock()
        async with running(farm.plain(CATALOG)) as primary:
            async with running(farm.consumer(), clock) as consumer:
                await until(lambda: serving(consumer, "example.tech"))
                farm.write(2)
                await primary.reload(CATALOG)
                await until(lambda: serving(consumer))
                assert kept.exists()
            clock.move(GRACE - 60)
            async with running(farm.consumer(), clock) as consumer:  # a new start counts on
                assert kept.exists()
                clock.move(120)
                await until(lambda: catalog_of(consumer)["left"] == 0)
                assert not kept.exists()

    async def test_that_comes_back_goes_on_with_its_copy(self, farm: Farm) -> None:
        """With the same label it is served at once, though no primary answers; and it is not deleted later."""
        farm.put("example.tech")
        farm.write(1, member("example.tech"))
        clock = ShiftedClock()
        async with running(farm.plain(CATALOG)) as primary, running(farm.consumer(), clock) as consumer:
            await until(lambda: serving(consumer, "example.tech"))
            farm.write(2)
            await primary.reload(CATALOG)
            await until(lambda: serving(consumer))
            await primary.reconfigure(replace(farm.plain(CATALOG), zones=farm.plain(CATALOG).zones[-1:]))
            farm.write(3, member("example.tech"))
            await primary.reload(CATALOG)
            await until(lambda: serving(consumer, "example.tech"))
            clock.move(GRACE + 60)
            await until(lambda: catalog_of(consumer)["left"] == 0)
            assert (farm.folder / "consumer" / "example.tech.zone").exists()

    @pytest.mark.parametrize("gap", [False, True], ids=["at once", "after a removal"])
    async def test_that_comes_back_with_another_label_begins_anew(self, farm: Farm, gap: bool) -> None:
        """A lower serial is taken then: nothing of the former version is held against it (RFC 9432 section 5.4)."""
        farm.put("example.tech", serial=5)
        farm.write(1, member("example.tech"))
        async with running(farm.plain(CATALOG)) as primary, running(farm.consumer()) as consumer:
            await until(lambda: serving(consumer, "example.tech"))
            await primary.reconfigure(replace(farm.plain(CATALOG), zones=farm.plain(CATALOG).zones[-1:]))
        (farm.folder / "producer" / "example.tech.zone").unlink()
        (farm.folder / "producer" / "example.tech.json").unlink()
        farm.put("example.tech", serial=3)
        async with running(farm.plain(CATALOG)) as primary, running(farm.consumer()) as consumer:
            if gap:
                farm.write(2)
                await primary.reload(CATALOG)
                await until(lambda: serving(consumer))
            farm.write(3, member("example.tech", label=b"another"))
            await primary.reload(CATALOG)
            await until(lambda: serving(consumer, "example.tech") and consumer.zone_status(name("example.tech"))["serial"] == 3)


class TestBrokenCatalog:
    async def test_changes_nothing_and_is_told(self, farm: Farm) -> None:
        """Its members stay, across a new start too, until it is whole again (RFC 9432 section 5.1)."""
        farm.put("example.tech", "example.org")
        farm.write(1, member("example.tech"))
        async with running(farm.plain(CATALOG)) as primary:
            async with running(farm.consumer()) as consumer:
                await until(lambda: serving(consumer, "example.tech"))
                farm.write(2, member("example.org", label=b"x"), member("example.net", label=b"x"))
                await primary.reload(CATALOG)
                await until(lambda: catalog_of(consumer)["problem"])
                status = consumer.zone_status(CATALOG)
                assert status["serial"] == 2
                assert status["problem"]["reason"] == "catalog-broken"
                assert "two PTR records at x.zones" in status["problem"]["says"]
                assert serving(consumer, "example.tech")
            async with running(farm.consumer()) as consumer:
                assert serving(consumer, "example.tech")
                await until(lambda: catalog_of(consumer)["problem"])
                farm.write(3, member("example.org"))
                await primary.reload(CATALOG)
                await until(lambda: serving(consumer, "example.org"))
                assert consumer.zone_status(CATALOG)["problem"] is None


class TestClash:
    async def test_zone_configured_by_hand_stays_with_its_configuration(self, farm: Farm) -> None:
        farm.put("example.tech", serial=78)
        by_hand = farm.folder / "mine.zone"
        by_hand.write_text(zone_text(77))
        mine = ZoneConfig(name("example.tech"), "primary", by_hand)
        async with running(farm.producer()), running(farm.consumer(mine)) as consumer:
            await until(lambda: catalog_of(consumer)["clashes"])
            assert consumer.zone_status(CATALOG)["problem"]["reason"] == "member-clash"
            assert consumer.zone_status(name("example.tech"))["serial"] == 77
            await consumer.reconfigure(farm.consumer())
            await until(lambda: serving(consumer, "example.tech") and consumer.zone_status(name("example.tech"))["serial"] == 78)
            await until(lambda: not catalog_of(consumer)["clashes"])
            by_hand.write_text(zone_text(79))
            await consumer.reconfigure(farm.consumer(mine))
            assert consumer.zone_status(name("example.tech"))["serial"] == 79

    @pytest.mark.parametrize("given", [False, True], ids=["not given", "given"])
    async def test_member_moves_to_another_catalog_only_when_it_is_given(self, farm: Farm, given: bool) -> None:
        """The old catalog's coo property decides; what is held moves along where the label is the same (section 4.4.1)."""
        farm.put("example.tech")
        farm.write(1, member("example.tech", coo=OTHER_CATALOG if given else None))
        farm.write(1, catalog=OTHER_CATALOG)
        both = (CATALOG, OTHER_CATALOG)
        async with running(farm.plain(*both)) as primary, running(farm.consumer(catalogs=both)) as consumer:
            await until(lambda: serving(consumer, "example.tech"))
            since = consumer.zone_status(name("example.tech"))["since"]
            farm.write(2, member("example.tech"), catalog=OTHER_CATALOG)
            await primary.reload(OTHER_CATALOG)
            if given:
                await until(lambda: consumer.zone_status(name("example.tech"))["member_of"] == "other.invalid.")
                assert consumer.zone_status(name("example.tech"))["since"] == since
            else:
                await until(lambda: catalog_of(consumer, OTHER_CATALOG)["clashes"])
                assert consumer.zone_status(name("example.tech"))["member_of"] == "catalog.invalid."
            farm.write(2)
            await primary.reload(CATALOG)
            await until(lambda: catalog_of(consumer, OTHER_CATALOG)["clashes"] == [])  # it may be away for a moment until then
            await until(lambda: serving(consumer, "example.tech"))
            assert consumer.zone_status(name("example.tech"))["member_of"] == "other.invalid."


class TestCatalogItself:
    async def test_is_answered_to_who_may_transfer_it_and_to_nobody_else(self, farm: Farm) -> None:
        """RFC 9432 section 7. The producer answers its secondary; neither of the two answers a stranger."""
        farm.put("example.tech")
        async with running(farm.producer()) as producer, running(farm.consumer()) as consumer:
            await until(lambda: serving(consumer, "example.tech"))
            serial = str(producer.zone_status(CATALOG)["serial"])
            for _ in range(2):  # what is prepared for one client must not reach another
                assert await farm.rcode("catalog.invalid", at="primary", source=str(SECONDARY)) == serial
                assert await farm.rcode("catalog.invalid", at="primary", source=STRANGER) == "REFUSED"
                assert await farm.rcode("version.catalog.invalid", at="primary", source=STRANGER, rdtype="TXT") == "REFUSED"
                assert await farm.rcode("catalog.invalid", source=STRANGER) == "REFUSED"
            assert await farm.rcode("example.tech", source=STRANGER) == "1"


class TestState:
    async def test_that_cannot_be_read_is_made_anew_from_the_catalog(self, farm: Farm, caplog: pytest.LogCaptureFixture) -> None:
        farm.put("example.tech")
        async with running(farm.producer()), running(farm.consumer()) as consumer:
            await until(lambda: serving(consumer, "example.tech"))
        state = farm.folder / "consumer" / FILE
        assert json.loads(state.read_bytes())["members"]
        for spoiled in (b"not JSON", b'{"version": 9}', b'{"version": 1, "members": 3}', b"[]"):
            state.write_bytes(spoiled)
            async with running(farm.consumer()) as consumer:
                await until(lambda: serving(consumer, "example.tech"))
            assert f"cannot use {state}" in caplog.text
            caplog.clear()
            assert json.loads(state.read_bytes())["members"]
