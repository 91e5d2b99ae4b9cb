"""Signed zones from us to BIND, Knot and NSD, and from them to us: every record and every TTL, those of the signatures too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.query
import dns.zone
import pytest
from tests.answer.zones import signed_zone_texts
from tests.interop.mailname_server import Mailname
from tests.interop.real_servers import Bind, Knot, Nsd, PrimaryZone, RealServer, SecondaryZone

if TYPE_CHECKING:
    from dns.zone import Zone

TEXTS = signed_zone_texts()
SERIAL = 2026112200
SERVERS = [Bind, Knot, Nsd]


def records(zone: Zone) -> set[tuple[str, int, str]]:
    return {(str(owner).lower(), ttl, rdata.to_text().lower()) for owner, ttl, rdata in zone.iterate_rdatas()}


def transferred(server: RealServer, apex: str) -> set[tuple[str, int, str]]:
    server.wait_serial(apex, SERIAL)
    zone = dns.zone.Zone(apex, relativize=False)
    dns.query.inbound_xfr(server.address, zone, port=server.port)
    return records(zone)


class TestSignedTransfers:
    @pytest.mark.parametrize("other", SERVERS)
    @pytest.mark.parametrize("to_us", [True, False])
    def test_lose_nothing(self, other: type[RealServer], to_us: bool) -> None:
        """Each signature has the TTL of what it covers (RFC 4034 section 3), on both sides."""
        first, second = (other, Mailname) if to_us else (Mailname, other)
        with first([PrimaryZone(apex, text) for apex, text in TEXTS.items()]) as primary:
            peer = (primary.address, primary.port)
            with second([SecondaryZone(apex, peer) for apex in TEXTS]) as secondary:
                for apex, text in TEXTS.items():
                    assert transferred(secondary, apex) == records(dns.zone.from_text(text, apex, relativize=False))
