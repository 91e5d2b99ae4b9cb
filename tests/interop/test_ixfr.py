"""What changed moves by IXFR between us and BIND and Knot, in both directions, and on from there; NSD as a primary has none.

Each rule is first proven between the others. That it was really IXFR is seen in the log of whoever tells.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import dns.message
import dns.query
import dns.rdatatype
import pytest
from tests.interop.mailname_server import Mailname
from tests.interop.real_servers import LOOPBACK, Bind, Key, Knot, Nsd, PrimaryZone, RealServer, SecondaryZone, Zone
from tests.interop.transfer_zone import difference, transfer, zone_text
from tests.server.running import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEY = Key("transfer.example.", "c2VjcmV0IHNoYXJlZCBieSBib3RoIG5hbWUgc2VydmVycyE=")
ZONE, LARGE = "small.example.", "large.example."
MANY = 3000

Kind = type[RealServer]


class KnotOfDifferences(Knot):
    """Knot that keeps what is different in a zone file that it loads again."""

    def _configure(self) -> None:
        super()._configure()
        path = self.folder / "knot.conf"
        path.write_text(path.read_text().replace("zonefile-sync: 0\n", "zonefile-sync: 0\n    zonefile-load: difference\n"))


class PassingOn(Mailname):
    """Ours as a secondary that has a secondary of its own."""

    passes_to = 0

    def _zone(self, zone: Zone) -> list[str]:
        more = [f'address = "{LOOPBACK}"', f"port = {self.passes_to}", f'key = "{KEY.name}"']
        return [*super()._zone(zone), "[[zone.secondary]]", *more]


def options(kind: Kind) -> str:
    """Return what lets a server find out what changed in a zone file."""
    return "ixfr-from-differences yes;" if kind is Bind else ""


def changed(serial: int, records: int = MANY) -> str:
    """Return a later version: a record comes, one goes, one has another TTL, an unknown type changes."""
    text = zone_text(serial, records=records, more=f'new{serial} A 192.0.2.99\nttl {serial} TXT "t"\n')
    return text.replace("TYPE65280 \\# 3 000102", f"TYPE65280 \\# 3 0001{serial:02x}").replace(
        "mail A 192.0.2.25", "mail A 192.0.2.26"
    )


OTHERS: Sequence[tuple[Kind, Kind]] = ((Bind, KnotOfDifferences), (KnotOfDifferences, Bind))
PAIRS: Sequence[tuple[Kind, Kind]] = (
    (Mailname, Mailname),
    (Mailname, Bind),
    (Mailname, Knot),
    (Bind, Mailname),
    (KnotOfDifferences, Mailname),
)

#: What a server logs, as primary and as secondary, of a transfer by IXFR.
SENT = {Bind: "IXFR started", KnotOfDifferences: "IXFR, outgoing", Knot: "IXFR, outgoing", Mailname: "seconds (IXFR)"}
GOT = {Knot: "IXFR, incoming", KnotOfDifferences: "IXFR, incoming", Mailname: "seconds (IXFR)"}


def names(kinds: tuple[Kind, ...]) -> str:
    return "-to-".join(kind.__name__.lower() for kind in kinds)


@contextmanager
def line_of(kinds: tuple[Kind, ...], texts: dict[str, str]) -> Iterator[list[RealServer]]:
    """Run servers, each a secondary of the one before, which notifies it."""
    ports = [free_port() for _ in kinds]
    running: list[RealServer] = []
    try:
        for place, kind in enumerate(kinds):
            notify = ((LOOPBACK, ports[place + 1]),) if place + 1 < len(kinds) else ()
            if place == 0:
                zones: list[PrimaryZone | SecondaryZone] = [
                    PrimaryZone(name, text, notify=notify, key=KEY) for name, text in texts.items()
                ]
            else:
                zones = [SecondaryZone(name, (LOOPBACK, ports[place - 1]), key=KEY) for name in texts]
            server = kind(zones, options=options(kind), port=ports[place])
            running.append(server)
            if isinstance(server, PassingOn):
                server.passes_to = ports[place + 1]
            server.__enter__()
            for zone in texts:  # who asks too early asks again late
                server.wait_serial(zone, 1)
        yield running
    finally:
        for server in reversed(running):
            server.__exit__()


TEXTS = {ZONE: zone_text(1), LARGE: zone_text(1, records=MANY)}


@pytest.fixture(scope="class", params=PAIRS, ids=names)
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[RealServer, RealServer]]:
    with line_of(request.param, TEXTS) as (primary, secondary):
        yield primary, secondary


def publish(servers: Sequence[RealServer], zone: str, serial: int, text: str) -> None:
    """Publish at the first, and wait for all; they end with the same zone."""
    servers[0].publish(zone, text)
    for server in servers:
        server.wait_serial(zone, serial)
    sent = transfer(servers[0], zone, KEY)
    for server in servers[1:]:
        assert difference(sent, transfer(server, zone, KEY)) == []


class TestOthers:
    @pytest.mark.parametrize("kinds", OTHERS, ids=names)
    def test_what_changed_arrives_record_by_record(self, kinds: tuple[Kind, Kind]) -> None:
        """So we ask of ours what these do."""
        with line_of(kinds, TEXTS) as servers:
            for serial in (2, 3):
                publish(servers, LARGE, serial, changed(serial))
            servers[0].wait_log(SENT[kinds[0]])


class TestIxfr:
    def test_what_changed_arrives_record_by_record(self, pair: tuple[RealServer, RealServer]) -> None:
        """Several times, and by IXFR as both sides tell."""
        primary, secondary = pair
        for serial in (2, 3, 4):
            publish(pair, LARGE, serial, changed(serial))
        primary.wait_log(SENT[type(primary)])
        if type(secondary) in GOT:
            secondary.wait_log(GOT[type(secondary)])
        if isinstance(primary, Mailname) and isinstance(secondary, Bind):
            assert "Transfer status: success" in secondary.log()
            assert "failed" not in secondary.log()
        if isinstance(secondary, Mailname):
            last = secondary.status(LARGE)["last_transfer"]
            assert (last["kind"], last["records"] < 50, last["serial"]) == ("IXFR", True, 4)

    def test_far_behind_is_told_all_at_once(self, pair: tuple[RealServer, RealServer]) -> None:
        """A secondary that was away for some versions."""
        primary, secondary = pair
        secondary.stop()
        for serial in (11, 12, 13):
            primary.publish(LARGE, changed(serial))
            primary.wait_serial(LARGE, serial)
        secondary.start()
        secondary.wait_serial(LARGE, 13)
        assert difference(transfer(primary, LARGE, KEY), transfer(secondary, LARGE, KEY)) == []
        if isinstance(secondary, Mailname):
            assert secondary.status(LARGE)["last_transfer"]["kind"] == "IXFR"

    def test_all_that_is_another_arrives(self, pair: tuple[RealServer, RealServer]) -> None:
        """In whatever form the primary finds shorter."""
        publish(pair, ZONE, 2, zone_text(2, more="\n".join(f'x{number} TXT "{number}"' for number in range(300)) + "\n"))
        publish(pair, ZONE, 3, zone_text(3))

    def test_killed_primary_still_knows_what_changed(self, pair: tuple[RealServer, RealServer]) -> None:
        """Its journal is on the disk before anybody sees the serial."""
        primary, secondary = pair
        publish(pair, LARGE, 21, changed(21))
        secondary.stop()
        primary.publish(LARGE, changed(22))
        primary.wait_serial(LARGE, 22)
        primary.kill()
        primary.start()
        primary.wait_serial(LARGE, 22)
        secondary.start()
        secondary.wait_serial(LARGE, 22)
        assert difference(transfer(primary, LARGE, KEY), transfer(secondary, LARGE, KEY)) == []
        if isinstance(primary, Mailname) and isinstance(secondary, Mailname):
            assert secondary.status(LARGE)["last_transfer"]["kind"] == "IXFR"


class TestPassedOn:
    @pytest.mark.parametrize(
        "kinds", [(Bind, PassingOn, Knot), (KnotOfDifferences, PassingOn, Bind), (Mailname, PassingOn, Mailname)], ids=names
    )
    def test_what_changed_goes_through_ours(self, kinds: tuple[Kind, ...]) -> None:
        """A secondary of a secondary gets it by IXFR, too."""
        with line_of(kinds, {LARGE: zone_text(1, records=MANY)}) as servers:
            publish(servers, LARGE, 2, changed(2))
            publish(servers, LARGE, 3, changed(3))
            middle = servers[1]
            assert isinstance(middle, Mailname)
            assert middle.status(LARGE)["last_transfer"]["kind"] == "IXFR"
            middle.wait_log("zone large.example: transferred serial 3 to")
            assert middle.log().count("(IXFR)") == 4


class TestWithoutIxfr:
    def test_nsd_as_primary_gives_the_whole_zone(self) -> None:
        """It keeps no differences: ours asks, and takes what comes."""
        with line_of((Nsd, Mailname), {LARGE: zone_text(1, records=MANY)}) as servers:
            publish(servers, LARGE, 2, changed(2))
            secondary = servers[1]
            assert isinstance(secondary, Mailname)
            assert secondary.status(LARGE)["last_transfer"]["kind"] == "AXFR"
            assert secondary.status(LARGE)["last_failure"] is None


class TestByUdp:
    def test_is_the_difference_where_it_fits(self) -> None:
        """RFC 1995 section 2; else the SOA alone."""
        with Mailname([PrimaryZone(ZONE, zone_text(1))]) as server:
            server.publish(ZONE, zone_text(2, more="a A 192.0.2.1\n"))
            server.wait_serial(ZONE, 2)
            serials = _serials(server, 1)
            assert serials == [2, 1, 2, 2]
            more = "\n".join(f'x{number} TXT "{"x" * 100}"' for number in range(30)) + "\n"
            server.publish(ZONE, zone_text(3, more=more))
            server.wait_serial(ZONE, 3)
            assert _serials(server, 2) == [3]
            assert _serials(server, 3) == [3]


def _serials(server: Mailname, held: int) -> list[int]:
    query = dns.message.make_query(ZONE, "IXFR", payload=1232)
    query.authority.append(dns.rrset.from_text(ZONE, 0, "IN", "SOA", f". . {held} 0 0 0 0"))
    wire = dns.query.udp(query, server.address, 5, server.port, one_rr_per_rrset=True)
    assert wire.edns == 0
    return [rrset[0].serial for rrset in wire.answer if rrset.rdtype == dns.rdatatype.SOA]
