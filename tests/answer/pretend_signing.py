"""Zones that look signed: chains as a signer would make them, signatures that are none. For answering they are as good."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.dnssec
import dns.rdata
from dns.name import Name
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from hypothesis import strategies as st

from mailname.wire.octets import octets
from mailname.zone import Node, Zone, ZoneBuilder

if TYPE_CHECKING:
    from collections.abc import Collection

    from dns.rdata import Rdata

_MADE = frozenset({RdataType.RRSIG, RdataType.NSEC, RdataType.NSEC3, RdataType.NSEC3PARAM})


@dataclass(frozen=True)
class Nsec3:
    """How names are hashed. With ``opt_out``, delegations without DS are not in the chain."""

    salt: bytes
    rounds: int
    opt_out: bool = False

    @property
    def fields(self) -> bytes:
        return struct.pack("!HB", self.rounds, len(self.salt)) + self.salt


#: The other way to sign.
NSEC = None


def pretend_signed(zone: Zone, how: Nsec3 | None, *, without: Collection[int] = (), twice: bool = False) -> Zone:
    """Return the zone with signatures and a chain.

    Args:
        zone: what it had of these is dropped.
        how: NSEC, or with which parameters of NSEC3.
        without: which links of the chain, and which signatures, are missing; numbers are taken modulo 64.
        twice: whether all is signed by two keys.

    """
    builder = ZoneBuilder(zone.apex)
    nodes = [Node(node.owner, {t: r for t, r in node.rrsets.items() if t not in _MADE}) for node in zone.nodes()]
    count = 0

    def put(owner: Name, ttl: int, rdtype: RdataType, wire: bytes) -> None:
        builder.add(owner, ttl, _rdata(rdtype, wire))
        sign(owner, rdtype, ttl)

    def sign(owner: Name, rdtype: RdataType, ttl: int) -> None:
        nonlocal count
        for tag in range(1 + twice):
            count += 1
            if count % 64 not in without:
                head = struct.pack("!HBBIIIH", rdtype, 13, len(owner.labels) - 1, ttl, 2**31, 2**30, tag)
                builder.add(owner, ttl, _rdata(RdataType.RRSIG, head + octets(zone.apex) + b"signature"))

    proved = []
    for node in nodes:
        cut = zone.is_below_cut(node.owner)
        at_cut = cut and zone.rrset(node.owner, RdataType.NS) is not None and not zone.is_below_cut(node.owner.parent())
        for rrset in node.rrsets.values():
            for rdata in rrset.rdatas:
                builder.add(node.owner, rrset.ttl, rdata)
            if not cut or (at_cut and rrset.rdtype == RdataType.DS):
                sign(node.owner, rrset.rdtype, rrset.ttl)
        left_out = isinstance(how, Nsec3) and how.opt_out and at_cut and RdataType.DS not in node.rrsets
        if (not cut or at_cut) and (node.rrsets or how) and not left_out:
            proved.append(node)
    if how is NSEC:
        for place, node in enumerate(proved):
            if place % 64 not in without:
                put(node.owner, 30, RdataType.NSEC, octets(proved[(place + 1) % len(proved)].owner) + b"\0\1\x40")
        return builder.build()
    put(zone.apex, 0, RdataType.NSEC3PARAM, b"\1\0" + how.fields)
    hashes = sorted(dns.dnssec.nsec3_hash(node.owner, how.salt, how.rounds, 1) for node in proved)
    for place, label in enumerate(hashes):
        if place % 64 not in without:
            follows = base64.b32hexdecode(hashes[(place + 1) % len(hashes)])
            wire = b"\1" + bytes([how.opt_out]) + how.fields + b"\x14" + follows + b"\0\1\x40"
            put(Name((label.encode(), *zone.apex.labels)), 30, RdataType.NSEC3, wire)
    return builder.build()


def _rdata(rdtype: RdataType, wire: bytes) -> Rdata:
    return dns.rdata.from_wire(RdataClass.IN, rdtype, wire, 0, len(wire))


@st.composite
def signed_zones(draw: st.DrawFn, zone: Zone) -> Zone:
    """Sign a zone in one way or another; sometimes with holes."""
    parameters = st.builds(Nsec3, st.binary(max_size=40), st.integers(0, 3), st.booleans())
    without = draw(st.one_of(st.just(()), st.just(()), st.lists(st.integers(0, 63), max_size=20)))
    return pretend_signed(zone, draw(st.one_of(st.none(), parameters)), without=without, twice=draw(st.booleans()))
