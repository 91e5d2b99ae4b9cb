"""What changed comes in one datagram where that can be trusted, and by TCP where it does not come so."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from tests.server.running import APEX, PRIMARY, Running, Site, running, until

from mailname.server import asking, change_question, dispatch, hinted, tcp_proof
from mailname.server.by_udp import ByUdp
from mailname.server.dispatch import Dispatcher
from mailname.server.network import Endpoint
from mailname.transfer.actions import Peer, PeerTls, Transfer
from mailname.transfer.diagnosis import cause_at_secondary
from mailname.transfer.side import side_of
from mailname.zone import Serial, Zone

if TYPE_CHECKING:
    import dns.name

    from mailname.server.asking import TransferredZone
    from mailname.server.context import Context


@pytest.fixture
def by_tcp(monkeypatch: pytest.MonkeyPatch) -> list[Transfer]:
    """Note the transfers that are asked for by TCP."""
    seen: list[Transfer] = []
    fetch_zone = asking.fetch_zone

    async def noted(context: Context, transfer: Transfer, apex: dns.name.Name, held: Zone | None = None) -> TransferredZone:
        seen.append(transfer)
        return await fetch_zone(context, transfer, apex, held)

    monkeypatch.setattr(hinted, "fetch_zone", noted)
    return seen


async def edited(site: Site, primary: Running, secondary: Running, *serials: int) -> None:
    """Publish versions, one after the other, each until the secondary serves it."""
    await until(lambda: primary.serial() == secondary.serial())
    for serial in serials:
        site.write(serial, f"www A 192.0.2.{serial}")
        await primary.reload()
        await until(lambda: secondary.serial() == primary.serial())
        assert secondary.context.table[APEX] == primary.context.table[APEX]


def held_by(server: Running) -> Zone:
    """Return the version that a server answers."""
    found = server.context.table[APEX]
    assert isinstance(found, Zone)
    return found


class TestChange:
    async def test_comes_without_a_connection(self, site: Site, by_tcp: list[Transfer]) -> None:
        """And both sides tell of it as of any transfer."""
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await edited(site, primary, secondary)
            by_tcp.clear()
            await edited(site, primary, secondary, 2, 3, 4)
            assert not by_tcp
            await until(lambda: secondary.zone_status()["last_transfer"]["serial"] == 4)
            last = secondary.zone_status()["last_transfer"]
            assert (last["kind"], last["messages"]) == ("IXFR", 1)
            sent = [one for one in await primary.context.history.last(None, 20) if one.what == "transfer"]
            assert [(one.kind, one.serial_from, one.serial_to) for one in sent[:2]] == [("IXFR", 3, 4), ("IXFR", 2, 3)]
            (told,) = primary.zone_status()["secondaries"]
            assert told["serial"] == 4

    async def test_that_does_not_fit_comes_by_tcp(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, by_tcp: list[Transfer]
    ) -> None:
        """A server that never sends it is not asked again and again."""
        asked: list[Serial] = []

        def too_long(_versions: object, zone: Zone, *_: object) -> None:
            asked.append(zone.serial)

        monkeypatch.setattr(dispatch, "differences_by_udp", too_long)
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await edited(site, primary, secondary)
            by_tcp.clear()
            await edited(site, primary, secondary, 2, 3, 4, 5)
            assert [one.offered for one in by_tcp] == [Serial(2), Serial(3), Serial(4), Serial(5)]
            assert asked == [Serial(2), Serial(3)]
            assert secondary.zone_status()["last_failure"] is None

    async def test_that_is_lost_comes_by_tcp(self, site: Site, monkeypatch: pytest.MonkeyPatch, by_tcp: list[Transfer]) -> None:
        """Nothing is told of it: TCP is as good."""
        monkeypatch.setattr(Dispatcher, "_change", lambda *_: b"\0")
        monkeypatch.setattr(change_question, "_PATIENCE", 0.01)
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await edited(site, primary, secondary)
            by_tcp.clear()
            await edited(site, primary, secondary, 2, 3)
            assert [one.offered for one in by_tcp] == [Serial(2), Serial(3)]
            assert secondary.zone_status()["last_failure"] is None
            assert not secondary.context.by_udp.may_ask(site.primary_at, secondary.context.clock.monotonic())


class TestWhoeverIsAsked:
    """By UDP."""

    @pytest.mark.parametrize(
        ("peer", "is_asked"),
        [
            (Peer(PRIMARY, 53), True),
            (Peer(ip_address("192.0.2.1"), 53), False),  # anybody could answer in its place
            (Peer(PRIMARY, 53, tls=PeerTls(name="ns1.example.tech")), False),
        ],
    )
    async def test_signs_or_is_this_machine(self, site: Site, peer: Peer, is_asked: bool) -> None:
        async with running(site.primary()) as primary:
            held = held_by(primary)
            transfer = Transfer(peer, Serial(2), Serial(1), hinted=True)
            for server in (peer, Peer(PRIMARY, 53)):
                primary.context.by_udp.reached_by_tcp(asking.at(server), primary.context.clock.monotonic())
            begun = change_question.begin(primary.context, transfer, held)
            assert (begun is not None) == is_asked

    async def test_has_told_of_the_change(self, site: Site) -> None:
        """A transfer after a question for the SOA, or by order, goes by TCP."""
        async with running(site.primary()) as primary:
            held = held_by(primary)
            primary.context.by_udp.reached_by_tcp(Endpoint(PRIMARY), primary.context.clock.monotonic())
            hinted_at = Transfer(Peer(PRIMARY, 53), Serial(2), Serial(1), hinted=True)
            for transfer in (replace(hinted_at, hinted=False), replace(hinted_at, unless=None)):
                assert change_question.begin(primary.context, transfer, held) is None

    async def test_was_not_silent_before(self, site: Site) -> None:
        async with running(site.primary()) as primary:
            context = primary.context
            context.by_udp = ByUdp()
            context.by_udp.reached_by_tcp(Endpoint(PRIMARY), context.clock.monotonic())
            context.by_udp.silent(Endpoint(PRIMARY), context.clock.monotonic())
            transfer = Transfer(Peer(PRIMARY, 53), Serial(2), Serial(1), hinted=True)
            assert change_question.begin(context, transfer, held_by(primary)) is None


class TestTcpThatIsClosedMeanwhile:
    async def test_is_told_although_the_zone_is_in_step(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, by_tcp: list[Transfer]
    ) -> None:
        """The next zone that is new needs it."""

        async def refused(*_: object, **__: object) -> bytes:
            raise ConnectionRefusedError

        monkeypatch.setattr(tcp_proof, "_AFTER", 0.0)
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await edited(site, primary, secondary)
            by_tcp.clear()
            await edited(site, primary, secondary, 2)
            await until(lambda: not secondary.context.by_udp.to_be_proven)
            assert secondary.zone_status()["last_failure"] is None
            monkeypatch.setattr(tcp_proof, "ask_tcp", refused)
            await edited(site, primary, secondary, 3)
            await until(lambda: secondary.zone_status()["last_failure"])
            assert secondary.zone_status()["last_failure"]["reason"] == "connection-refused"
            cause = cause_at_secondary(side_of(secondary.zone_status(), "this server"))
            assert cause is not None
            assert cause.code == "REPL-08"  # by UDP it has just answered: it is not that nothing listens there
            assert (secondary.serial(), by_tcp) == (3, [])
