"""Zones move between us and BIND, Knot and NSD, in both directions, signed with TSIG.

Each rule is first proven between the others themselves. The zone's refresh is a day, so that what arrives was announced.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.query
import dns.tsig
import pytest
from tests.interop.mailname_server import Mailname
from tests.interop.real_servers import LOOPBACK, Bind, Key, Knot, Nsd, PrimaryZone, RealServer, SecondaryZone
from tests.interop.transfer_zone import difference, transfer, zone_text
from tests.server.running import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEY = Key("transfer.example.", "c2VjcmV0IHNoYXJlZCBieSBib3RoIG5hbWUgc2VydmVycyE=")
OTHER_SECRET = Key(KEY.name, "dGhlIHNlY3JldCBvZiBzb21lYm9keSBlbHNlIGVudGlyZWx5ISE=")
OTHER_NAME = Key("nobody-knows.example.", KEY.secret)

#: One zone for each rule, so that the rules do not disturb each other.
FIRST, CHANGED, WRAPS, KILLED = "first.example.", "Changed.Example.", "wraps.example.", "killed.example."
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


#: All kinds, for tests of ours against each.
each = [pytest.param(kind, id=kind.__name__.lower()) for kind in (Bind, Knot, Nsd, Mailname)]


def names(pair: tuple[Kind, Kind]) -> str:
    return "-to-".join(kind.__name__.lower() for kind in pair)


@pytest.fixture(scope="class", params=PAIRS, ids=names)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    primary, secondary = request.param
    texts = {FIRST: zone_text(1, records=MANY)} | {zone: zone_text(1) for zone in (CHANGED, WRAPS, KILLED)}
    with running(primary, secondary, texts) as both:
        for zone in texts:
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
        changed = zone_text(2, records=3, more="host1 AAAA 2001:db8::77\n").replace("192.0.2.25", "192.0.2.26")
        pair.primary.publish(CHANGED, changed)
        pair.primary.wait_serial(CHANGED, 2)
        pair.secondary.wait_serial(CHANGED, 2)
        sent, arrived = (transfer(server, CHANGED, KEY) for server in (pair.primary, pair.secondary))
        assert difference(sent, arrived) == []

    def test_serial_passes_zero(self, pair: Pair) -> None:
        """A serial less than half the circle ahead is newer, and so is a small one after a large one (RFC 1982 section 3.2)."""
        for serial in (2**31, 2**32 - 1, 5):
            pair.primary.publish(WRAPS, zone_text(serial))
            pair.primary.wait_serial(WRAPS, serial)
            pair.secondary.wait_serial(WRAPS, serial)

    def test_primary_that_is_killed_comes_back_with_the_serial_it_had(self, pair: Pair) -> None:
        """Killed after a publication: the secondary serves on, the primary's serial is no lower, and changes go on arriving."""
        pair.primary.publish(KILLED, zone_text(2))
        pair.secondary.wait_serial(KILLED, 2)
        pair.primary.kill()
        assert pair.secondary.serial(KILLED) == 2
        pair.primary.start()
        assert pair.primary.serial(KILLED) == 2
        pair.primary.publish(KILLED, zone_text(3))
        pair.secondary.wait_serial(KILLED, 3)

    def test_is_told_to_the_operator_by_ours(self, pair: Pair) -> None:
        """Our primary tells who has acknowledged; our secondary, from whom it has what."""
        if isinstance(pair.primary, Mailname):
            status = pair.primary.wait_status(FIRST, lambda status: status["secondaries"][0]["state"] == "acknowledged")
            assert status["secondaries"][0]["serial"] == 1
            pair.primary.wait_log(f"zone first.example: transferred serial 1 to {LOOPBACK}")
        if isinstance(pair.secondary, Mailname):
            last = pair.secondary.status(FIRST)["last_transfer"]
            assert (last["peer"], last["serial"]) == (f"{LOOPBACK}:{pair.primary.port}", 1)
            assert last["messages"] > 1
            assert last["records"] > MANY
            pair.secondary.wait_log(f"zone first.example: transferred serial 1 from {LOOPBACK}")
            assert KEY.secret not in pair.secondary.log()


@pytest.fixture(scope="class", params=each)
def refused_secondary(request: pytest.FixtureRequest) -> Iterator[Mailname]:
    """Run our secondary against a primary that gives it nothing: another secret, an unknown key, or no permission."""
    zones = [PrimaryZone(zone, zone_text(1), key=KEY) for zone in ("secret.example.", "name.example.", "unsigned.example.")]
    closed = PrimaryZone("closed.example.", zone_text(1), allow_transfer=False)
    with request.param([*zones, closed]) as primary:
        at = (primary.address, primary.port)
        wanted = [
            SecondaryZone("secret.example.", at, OTHER_SECRET),
            SecondaryZone("name.example.", at, OTHER_NAME),
            SecondaryZone("unsigned.example.", at),
            SecondaryZone("closed.example.", at),
        ]
        with Mailname(wanted) as ours:
            yield ours


class TestOurSecondary:
    @pytest.mark.parametrize(
        ("zone", "reasons"),
        [
            ("secret.example.", {"badsig"}),
            ("name.example.", {"badkey"}),
            ("unsigned.example.", {"refused", "notauth"}),  # BIND and we say REFUSED, Knot and NSD NOTAUTH
            ("closed.example.", {"refused", "notauth"}),
        ],
    )
    def test_that_gets_nothing_tells_why(self, zone: str, reasons: set[str], refused_secondary: Mailname) -> None:
        """Another secret under the same name: BADSIG. A name unknown to the primary: BADKEY. Not allowed: its rcode's word."""
        status = refused_secondary.wait_status(zone, lambda status: status["last_failure"])
        failure = status["last_failure"]
        assert failure["reason"] in reasons, status
        assert failure["says"]
        assert failure["remedy"]
        assert (status["state"], status["serial"]) == ("not loaded", None)
        refused_secondary.wait_log(f"zone {zone.rstrip('.')}: refresh failed ({failure['reason']})")
        assert KEY.secret not in refused_secondary.log()

    def test_killed_serves_its_copy_without_the_primary(self) -> None:
        """Both killed, ours started alone: it serves what it had, and is back in step once the primary is back."""
        zone = "copy.example."
        with running(Bind, Mailname, {zone: zone_text(1)}) as pair:
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


@pytest.fixture(scope="class")
def refusing_primary() -> Iterator[Mailname]:
    names = [f"{what}.{kind}.example." for what in ("secret", "name") for kind in ("bind", "knot", "nsd", "mailname")]
    with Mailname([PrimaryZone(name, zone_text(1), key=KEY) for name in names]) as ours:
        yield ours


class TestOurPrimary:
    @pytest.mark.parametrize("secondary", each)
    def test_refuses_a_wrong_key_and_says_why(self, secondary: Kind, refusing_primary: Mailname) -> None:
        """A secondary with another secret or an unknown key gets nothing; the status names BADSIG and BADKEY."""
        at = (refusing_primary.address, refusing_primary.port)
        kind = secondary.__name__.lower()
        by_secret, by_name = f"secret.{kind}.example.", f"name.{kind}.example."
        with secondary([SecondaryZone(by_secret, at, OTHER_SECRET), SecondaryZone(by_name, at, OTHER_NAME)]) as other:
            for zone, reason in ((by_secret, "badsig"), (by_name, "badkey")):
                status = refusing_primary.wait_status(zone, lambda status: status["refused"])
                assert {one["reason"] for one in status["refused"]} == {reason}, status
                assert reason.upper() in status["refused"][0]["says"]
                assert other.serial(zone) is None

    def test_logs_why_it_refuses(self) -> None:
        """The log names the zone, the client and the reason, never the secret."""
        with Mailname([PrimaryZone(FIRST, zone_text(1), key=KEY)]) as ours:
            for key, reason in ((OTHER_SECRET, "BADSIG"), (OTHER_NAME, "BADKEY")):
                with pytest.raises(dns.tsig.PeerError):
                    transfer(ours, FIRST, key)
                ours.wait_log(f"request for first.example from {LOOPBACK}")
                ours.wait_log(f"rejected: {reason}")
            with pytest.raises(dns.query.TransferError):
                transfer(ours, FIRST, None)
            ours.wait_log(f"zone first.example: refused transfer to {LOOPBACK}")
            assert KEY.secret not in ours.log()

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
