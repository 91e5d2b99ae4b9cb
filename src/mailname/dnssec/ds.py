"""DS records: what the parent holds of a signed zone's keys (RFC 4034 section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import dns.dnssec
from dns.dnssectypes import DSDigest
from dns.rdatatype import RdataType

if TYPE_CHECKING:
    from dns.rdtypes.ANY.DNSKEY import DNSKEY
    from dns.rdtypes.ANY.DS import DS

    from mailname.zone import Zone

_SECURE_ENTRY_POINT = 0x0001  # RFC 4034 section 2.1.1: the key that the parent should point to


def ds_records(zone: Zone) -> tuple[DS, ...]:
    """Return the DS records, SHA-256, for the zone's secure entry points; none when the zone is not signed."""
    rrset = zone.rrset(zone.apex, RdataType.DNSKEY)
    keys = [cast("DNSKEY", rdata) for rdata in rrset.rdatas] if rrset else []
    return tuple(dns.dnssec.make_ds(zone.apex, key, DSDigest.SHA256) for key in keys if key.flags & _SECURE_ENTRY_POINT)
