"""The zone: one immutable snapshot, built whole and swapped in, and the one lookup that answering needs.

This builder is plain Python. What is seen from outside (build, ``lookup``, iteration in canonical order) is the interface of
the zone image (docs/decisions/0001-zone-is-one-immutable-snapshot.md).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.errors import ZoneError
from mailname.zone.rrset import RRset
from mailname.zone.serial import Serial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdtypes.ANY.SOA import SOA

# RFC 2181 section 10.1 and RFC 4034: what may stand beside a CNAME.
_BESIDE_CNAME = frozenset({RdataType.CNAME, RdataType.RRSIG, RdataType.NSEC, RdataType.KEY})
_SINGLETONS = frozenset({RdataType.CNAME, RdataType.DNAME, RdataType.SOA})


class Kind(enum.Enum):
    """What a lookup found (RFC 1034 section 4.3.2, RFC 4592, RFC 6672)."""

    EXACT = "exact"
    NODATA = "nodata"
    EMPTY_NON_TERMINAL = "empty non-terminal"
    ALIAS = "alias"
    WILDCARD = "wildcard"
    DNAME = "dname"
    DELEGATION = "delegation"
    NXDOMAIN = "nxdomain"
    OUT_OF_ZONE = "out of zone"


@dataclass(frozen=True, slots=True)
class Node:
    """An owner and its RRsets; none for an empty non-terminal."""

    owner: Name
    rrsets: Mapping[RdataType, RRset]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The result of one lookup.

    Attributes:
        kind: what was found.
        node: the node the answer comes from: the exact owner, the source of synthesis (WILDCARD), the DNAME's owner or the
            delegation's zone cut; None for NXDOMAIN, an empty non-terminal and names outside the zone.
        rrset: the RRset asked for. With WILDCARD, None means NODATA at the wildcard, and the alias of an aliased wildcard is
            given as ``rrset`` when another type was asked for. With ALIAS, DNAME and DELEGATION: the CNAME, DNAME or NS RRset.
        closest_encloser: the longest existing ancestor of the name, or the name itself (RFC 4592 section 3.3.1).

    """

    kind: Kind
    node: Node | None
    rrset: RRset | None
    closest_encloser: Name


class Zone:
    """One version of a zone: immutable, whole and checked. Readers never lock; a change builds a new one."""

    __slots__ = ("_nodes", "_order", "_wildcards", "apex", "record_count", "soa")

    def __init__(self, apex: Name, nodes: dict[Name, Node]) -> None:
        self.apex = apex
        self._nodes = nodes
        self._order = sorted(nodes)  # dnspython orders names as RFC 4034 section 6.1 does
        self._wildcards = {owner.parent(): node for owner, node in nodes.items() if owner.is_wild()}
        self.soa: RRset = nodes[apex].rrsets[RdataType.SOA]
        self.record_count = sum(len(rrset) for node in nodes.values() for rrset in node.rrsets.values())

    @property
    def soa_rdata(self) -> SOA:
        """The SOA's rdata: timers, MNAME, RNAME."""
        return self.soa.rdatas[0]  # type: ignore[return-value]  # the builder put a SOA there

    @property
    def serial(self) -> Serial:
        """This version's serial."""
        return Serial(self.soa_rdata.serial)

    @property
    def negative_ttl(self) -> int:
        """Seconds that a resolver may remember that something is not there: RFC 2308 section 5."""
        return min(self.soa.ttl, self.soa_rdata.minimum)

    def node(self, owner: Name) -> Node | None:
        """Return the node with exactly this owner; an empty non-terminal has no RRsets."""
        return self._nodes.get(owner)

    def rrset(self, owner: Name, rdtype: RdataType) -> RRset | None:
        """Return the RRset with exactly this owner and type, whatever zone cut lies above it."""
        node = self._nodes.get(owner)
        return node.rrsets.get(rdtype) if node else None

    def nodes(self) -> Iterator[Node]:
        """Iterate over all nodes in canonical order (RFC 4034 section 6.1), empty non-terminals included."""
        return (self._nodes[owner] for owner in self._order)

    def rrsets(self) -> Iterator[RRset]:
        """Iterate over all RRsets, owners in canonical order, the SOA first, types by number."""
        yield self.soa
        for node in self.nodes():
            for rdtype in sorted(node.rrsets):
                if not (rdtype == RdataType.SOA and node.owner == self.apex):
                    yield node.rrsets[rdtype]

    def lookup(self, name: Name, rdtype: RdataType) -> Lookup:
        """Answer one question from this zone's data: one walk from the apex down (RFC 1034 section 4.3.2 step 3)."""
        if not name.is_subdomain(self.apex):
            return Lookup(Kind.OUT_OF_ZONE, None, None, self.apex)
        encloser = self._nodes[self.apex]
        depth = len(self.apex.labels)
        while True:
            if depth > len(self.apex.labels) and (cut := self._cut(encloser, name, rdtype)):
                return cut
            if depth == len(name.labels):
                return self._at(encloser, rdtype)
            if dname := encloser.rrsets.get(RdataType.DNAME):
                return Lookup(Kind.DNAME, encloser, dname, encloser.owner)
            depth += 1
            below = self._nodes.get(name.split(depth)[1])
            if below is None:
                return self._below_missing(encloser, rdtype)
            encloser = below

    @staticmethod
    def _cut(node: Node, name: Name, rdtype: RdataType) -> Lookup | None:
        ns = node.rrsets.get(RdataType.NS)
        if ns is None or (rdtype == RdataType.DS and node.owner == name):  # DS belongs to the parent: RFC 4035 3.1.4.1
            return None
        return Lookup(Kind.DELEGATION, node, ns, node.owner)

    @staticmethod
    def _at(node: Node, rdtype: RdataType) -> Lookup:
        if not node.rrsets:
            return Lookup(Kind.EMPTY_NON_TERMINAL, None, None, node.owner)
        if rrset := node.rrsets.get(rdtype):
            return Lookup(Kind.EXACT, node, rrset, node.owner)
        if alias := node.rrsets.get(RdataType.CNAME):
            return Lookup(Kind.ALIAS, node, alias, node.owner)
        return Lookup(Kind.NODATA, node, None, node.owner)

    def _below_missing(self, encloser: Node, rdtype: RdataType) -> Lookup:
        """Apply the wildcard rule: only the closest encloser's own ``*`` can match (RFC 4592 section 3.3.1)."""
        source = self._wildcards.get(encloser.owner)
        if source is None:
            return Lookup(Kind.NXDOMAIN, None, None, encloser.owner)
        rrset = source.rrsets.get(rdtype) or source.rrsets.get(RdataType.CNAME)
        return Lookup(Kind.WILDCARD, source, rrset, encloser.owner)

    def is_below_cut(self, owner: Name) -> bool:
        """Tell whether a delegation stands at or above this owner: its data is then glue or occluded, not ours."""
        for depth in range(len(self.apex.labels) + 1, len(owner.labels) + 1):
            node = self._nodes.get(owner.split(depth)[1])
            if node and RdataType.NS in node.rrsets:
                return True
        return False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Zone):
            return NotImplemented
        return self.apex == other.apex and frozenset(self.rrsets()) == frozenset(other.rrsets())

    def __hash__(self) -> int:
        return hash((self.apex, self.soa))

    def __repr__(self) -> str:
        return f"<Zone {self.apex} serial {self.serial}, {self.record_count} records>"


@dataclass(slots=True)
class ZoneBuilder:
    """Collects records and builds a zone of them, or refuses with the first reason found."""

    apex: Name
    _rrsets: dict[tuple[Name, RdataType], tuple[Name, int, dict[Rdata, None]]] = field(default_factory=dict)

    def add(self, owner: Name, ttl: int, rdata: Rdata) -> bool:
        """Add one record; a duplicate is dropped (RFC 2181 section 5).

        Returns:
            False when the RRset already had another TTL: the first one stands for all, as RFC 2181 section 5.2 wants one.

        Raises:
            ZoneError: the owner lies outside the zone, or a second record stands where one may.

        """
        if not owner.is_subdomain(self.apex):
            raise ZoneError(
                f"{owner} is not in the zone {self.apex}",
                remedy="Move the record to the zone it belongs to.",
                owner=str(owner),
                rdtype=rdata.rdtype.name,
            )
        owner_as_first_seen, first_ttl, rdatas = self._rrsets.setdefault((owner, rdata.rdtype), (owner, ttl, {}))
        if rdata in rdatas:
            return ttl == first_ttl
        if rdatas and rdata.rdtype in _SINGLETONS:
            raise ZoneError(
                f"{owner_as_first_seen} has a second {rdata.rdtype.name} record",
                remedy="Keep one of them.",
                owner=str(owner),
                rdtype=rdata.rdtype.name,
            )
        rdatas[rdata] = None
        return ttl == first_ttl

    def build(self) -> Zone:
        """Build the zone.

        Raises:
            ZoneError: no SOA or no NS at the apex, or a CNAME beside other data.

        """
        by_owner: dict[Name, dict[RdataType, RRset]] = {}
        for (owner, rdtype), (spelled, ttl, rdatas) in self._rrsets.items():
            by_owner.setdefault(owner, {})[rdtype] = RRset(spelled, rdtype, ttl, tuple(rdatas))
        nodes = {owner: Node(owner, rrsets) for owner, rrsets in by_owner.items()}
        for owner in by_owner:
            for depth in range(len(self.apex.labels), len(owner.labels)):
                ancestor = owner.split(depth)[1]
                nodes.setdefault(ancestor, Node(ancestor, {}))
        self._check(nodes)
        return Zone(self.apex, nodes)

    def _check(self, nodes: dict[Name, Node]) -> None:
        top = nodes.get(self.apex)
        for rdtype, remedy in (
            (RdataType.SOA, "Add one SOA record at the apex."),
            (RdataType.NS, "Add the names of the zone's name servers at the apex."),
        ):
            if top is None or rdtype not in top.rrsets:
                raise ZoneError(
                    f"the zone {self.apex} has no {rdtype.name} record at its apex",
                    remedy=remedy,
                    owner=str(self.apex),
                    rdtype=rdtype.name,
                )
        for node in nodes.values():
            if RdataType.CNAME in node.rrsets and not _BESIDE_CNAME.issuperset(node.rrsets):
                others = ", ".join(sorted(t.name for t in node.rrsets if t not in _BESIDE_CNAME))
                raise ZoneError(
                    f"CNAME and other data ({others}) at {node.owner}",
                    remedy="An alias stands alone: remove the CNAME or the other records.",
                    owner=str(node.owner),
                    rdtype="CNAME",
                )
