"""Zones move between us and BIND, Knot and NSD, in both directions, signed with TSIG.

Each rule is first proven between the others themselves. The zone's refresh is a day, so that what arrives was announced.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.interop.mailname_server import Mailname
from tests.interop.real_servers import LOOPBACK, Bind, Key, Knot, Nsd, PrimaryZone, RealServer, SecondaryZone, free_port
from tests.interop.transfer_zone import difference, transfer, zone_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEY = Key("transfer.example.", "c2VjcmV0IHNoYXJlZCBieSBib3RoIG5hbWUgc2VydmVycyE=")
OTHER_SECRET = Key(KEY.name, "dGhlIHNlY3JldCBvZiBzb21lYm9keSBlbHNlIGVudGlyZWx5ISE=")
OTHER_NAME = Key("nobody-knows.example.", KEY.secret)

#: One zone for each rule, so that the rules do not disturb each other.
FIRST, CHANGED, SMALL = "first.example.", "Changed.Example.", "small.example."
MANY = 3000

Kind = type[RealServer]


@dataclass(frozen=True, slots=True)
class Pair:
    """A primary and its secondary, both running."""

    primary: RealServer
    secondary: RealServer


@contextmanager
def running(primary: Kind, secondary: Kind, texts: dict[str, str]) -> Iterator[Pair]:
    """Run a primary that notifies a secondary, for zones given as name -> text."""
    port = free_port()
    zones = [PrimaryZone(name, text, notify=((LOOPBACK, port),), key=KEY) for name, text in texts.items()]
    with primary(zones) as one:
        copies = [SecondaryZone(name, (one.address, one.port), key=KEY) for name in texts]
        with secondary(copies, port=port) as other:
            yield Pair(one, other)


PAIRS: Sequence[tuple[Kind, Kind]] = (
    (Bind, Knot),
    (Knot, Nsd),
    (Nsd, Bind),
    (Mailname, Mailname),
    (Mailname, Bind),
    (Mailname, Knot),
    (Mailname, Nsd),
    (Bind, Mailname),
    (Knot, Mailname),
    (Nsd, Mailname),
)


def names(pair: tuple[Kind, Kind]) -> str:
    return "-to-".join(kind.__name__.lower() for kind in pair)


@pytest.fixture(scope="class", params=PAIRS, ids=names)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    primary, secondary = request.param
    with running(primary, secondary, {FIRST: zone_text(1, records=MANY), CHANGED: zone_text(1), SMALL: zone_text(1)}) as both:
        for zone in (FIRST, CHANGED, SMALL):
            both.secondary.wait_serial(zone, 1)
        yield both


class TestTransfer:
    def test_first_is_the_same_record_by_record(self, pair: Pair) -> None:
        """Unknown types, long strings, odd names and 3,000 hosts arrive as they were sent, in several messages."""
        sent, arrived = (transfer(server, FIRST, KEY) for server in (pair.primary, pair.secondary))
        assert difference(sent, arrived) == []
        assert len(arrived) > MANY

    def test_changed_zone_arrives_by_notify(self, pair: Pair) -> None:
        """A raised serial reaches the secondary at once, although its refresh is a day away (RFC 1996)."""
        pair.primary.publish(
            CHANGED, zone_text(2, records=3, more="host1 AAAA 2001:db8::77\n").replace("192.0.2.25", "192.0.2.26")
        )
        pair.primary.wait_serial(CHANGED, 2)
        pair.secondary.wait_serial(CHANGED, 2)
        sent, arrived = (transfer(server, CHANGED, KEY) for server in (pair.primary, pair.secondary))
        assert difference(sent, arrived) == []

    def test_serial_passes_zero(self, pair: Pair) -> None:
        """A serial half the circle ahead is newer, and so is a small one after a large one (RFC 1982 section 3.2)."""
        for serial in (2**31, 2**32 - 1, 5):
            pair.primary.publish(SMALL, zone_text(serial))
            pair.primary.wait_serial(SMALL, serial)
            pair.secondary.wait_serial(SMALL, serial)


class TestPrimaryThatIsKilled:
    @pytest.mark.parametrize("kinds", PAIRS, ids=names)
    def test_comes_back_with_the_serial_it_had(self, kinds: tuple[Kind, Kind]) -> None:
        """Killed after a publication: the secondary serves on, the primary's serial is no lower, and changes go on arriving."""
        zone = "killed.example."
        with running(*kinds, {zone: zone_text(1)}) as pair:
            pair.secondary.wait_serial(zone, 1)
            pair.primary.publish(zone, zone_text(2))
            pair.secondary.wait_serial(zone, 2)
            pair.primary.kill()
            assert pair.secondary.serial(zone) == 2
            pair.primary.start()
            assert pair.primary.serial(zone) == 2
            pair.primary.publish(zone, zone_text(3))
            pair.secondary.wait_serial(zone, 3)


class TestOurSecondary:
    @pytest.mark.parametrize("primary", [Bind, Knot, Nsd, Mailname], ids=lambda kind: kind.__name__.lower())
    def test_killed_serves_its_copy_without_the_primary(self, primary: Kind) -> None:
        """Both killed, ours started alone: it serves what it had, and is back in step once the primary is back."""
        zone = "copy.example."
        with running(primary, Mailname, {zone: zone_text(1)}) as pair:
            pair.secondary.wait_serial(zone, 1)
            pair.primary.publish(zone, zone_text(2))
            pair.secondary.wait_serial(zone, 2)
            pair.primary.kill()
            pair.secondary.kill()
            pair.secondary.start()
            pair.secondary.wait_serial(zone, 2)
            pair.primary.start()
            pair.primary.publish(zone, zone_text(3))
            pair.secondary.wait_serial(zone, 3)

    @pytest.mark.parametrize("primary", [Bind, Knot, Nsd, Mailname], ids=lambda kind: kind.__name__.lower())
    def test_with_a_wrong_key_is_told_which_way_it_is_wrong(self, primary: Kind) -> None:
        """Same name, other secret: BADSIG. A name unknown to the primary: BADKEY. Nothing is served, and it is told why."""
        with primary([PrimaryZone(zone, zone_text(1), key=KEY) for zone in (FIRST, SMALL)]) as one:
            at = (one.address, one.port)
            with Mailname([SecondaryZone(FIRST, at, OTHER_SECRET), SecondaryZone(SMALL, at, OTHER_NAME)]) as ours:
                for zone, reason in ((FIRST, "badsig"), (SMALL, "badkey")):
                    status = ours.wait_status(zone, lambda status: status["last_failure"])
                    assert (status["last_failure"]["reason"], status["state"]) == (reason, "not loaded"), status
                    assert reason.upper() in status["last_failure"]["says"]
                    ours.wait_log(f"refresh failed ({reason})")
                    assert KEY.secret not in ours.log()

    @pytest.mark.parametrize("primary", [Bind, Knot, Nsd, Mailname], ids=lambda kind: kind.__name__.lower())
    def test_without_permission_is_told_so(self, primary: Kind) -> None:
        """The primary answers questions, but lets nobody transfer: the reason is "refused", or "notauth" if it says so."""
        with (
            primary([PrimaryZone(SMALL, zone_text(1), allow_transfer=False)]) as one,
            Mailname([SecondaryZone(SMALL, (one.address, one.port))]) as ours,
        ):
            status = ours.wait_status(SMALL, lambda status: status["last_failure"])
            assert status["last_failure"]["reason"] in {"refused", "notauth"}, status
            assert status["state"] == "not loaded"


class TestOurPrimary:
    @pytest.mark.parametrize("secondary", [Bind, Knot, Nsd, Mailname], ids=lambda kind: kind.__name__.lower())
    def test_refuses_a_wrong_key_and_says_why(self, secondary: Kind) -> None:
        """A secondary with another secret or an unknown key gets nothing; log and status name BADSIG and BADKEY."""
        port = free_port()
        zones = [PrimaryZone(zone, zone_text(1), notify=((LOOPBACK, port),), key=KEY) for zone in (FIRST, SMALL)]
        with Mailname(zones) as ours:
            at = (ours.address, ours.port)
            for zone, key, reason in ((FIRST, OTHER_SECRET, "badsig"), (SMALL, OTHER_NAME, "badkey")):
                with secondary([SecondaryZone(zone, at, key)], port=port) as other:
                    status = ours.wait_status(zone, lambda status: status["refused"])
                    assert status["refused"][-1]["reason"] == reason, status
                    ours.wait_log(f"rejected: {reason.upper()}")
                    assert other.serial(zone) is None
            assert KEY.secret not in ours.log()

    @pytest.mark.parametrize("secondary", [Bind, Knot, Nsd, Mailname], ids=lambda kind: kind.__name__.lower())
    def test_tells_what_its_secondaries_hold(self, secondary: Kind) -> None:
        """NOTIFY is acknowledged, the transfer is logged with serial, messages, records, octets and seconds."""
        with running(Mailname, secondary, {FIRST: zone_text(1)}) as pair:
            ours = pair.primary
            assert isinstance(ours, Mailname)
            pair.secondary.wait_serial(FIRST, 1)
            ours.publish(FIRST, zone_text(2))
            pair.secondary.wait_serial(FIRST, 2)
            status = ours.wait_status(FIRST, lambda status: status["secondaries"][0]["state"] == "acknowledged")
            assert status["secondaries"][0]["serial"] == 2
            ours.wait_log(f"zone first.example: transferred serial 2 to {LOOPBACK}")
            assert " messages, " in ours.log()
            assert " octets, " in ours.log()

    def test_killed_at_any_moment_of_publishing_serves_a_whole_version(self) -> None:
        """Killed while it takes over a new version: it comes back with the old or the new one, never lower than what was seen."""
        zone = "moment.example."
        chance = random.Random(2016)
        with Mailname([PrimaryZone(zone, zone_text(1, records=100))]) as ours:
            seen = 1
            for serial in range(2, 5):
                (ours.folder / "moment.example.zone").write_text(zone_text(serial, records=100))
                ours.begin_reload(zone, chance.uniform(0, 0.15))
                seen = max(seen, ours.serial(zone) or 0)
                ours.kill()
                ours.start()
                now = ours.serial(zone)
                assert now is not None
                assert now >= seen
                seen = now

    def test_never_goes_back_when_its_zone_file_does(self) -> None:
        """An older zone file put back before a start is refused: the version that was announced is served on."""
        zone = "restored.example."
        with Mailname([PrimaryZone(zone, zone_text(5))]) as ours:
            ours.publish(zone, zone_text(6))
            ours.kill()
            (ours.folder / "restored.example.zone").write_text(zone_text(5))
            ours.start()
            assert ours.serial(zone) == 6
            assert "lower" in ours.status(zone)["problem"]["says"]
