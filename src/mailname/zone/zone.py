"""The zone: one immutable snapshot, built whole and swapped in, and the one lookup that answering needs.

This builder is plain Python. What is seen from outside (build, ``lookup``, iteration in canonical order) is the interface of
the zone image (docs/decisions/0001-zone-is-one-immutable-snapshot.md).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType, to_text

from mailname.errors import ZoneError
from mailname.zone.denial_index import Nsec3Index, NsecIndex, index_of, is_hashed_owner
from mailname.zone.rrset import RRset
from mailname.zone.serial import Serial
from mailname.zone.signatures import by_covered_type
from mailname.zone.ttl import limited

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdtypes.ANY.SOA import SOA

# RFC 2181 section 10.1 and RFC 4034: what may stand beside a CNAME.
_BESIDE_CNAME = frozenset({RdataType.CNAME, RdataType.RRSIG, RdataType.NSEC, RdataType.KEY})
_SINGLETONS = frozenset({RdataType.CNAME, RdataType.DNAME, RdataType.SOA})

# A name as the zone keeps it: labels in lower case, the root's first. As a key it is hashed and compared in C, which a dnspython
# Name is not, and sorting by it is the canonical order (RFC 4034 section 6.1).
_Key = tuple[bytes, ...]


def _key(name: Name) -> _Key:
    return tuple([label.lower() for label in reversed(name.labels)])


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
    """One version of a zone: immutable, whole and checked. Readers never lock; a change builds a new one.

    Made by ``ZoneBuilder.build`` alone.
    """

    __slots__ = ("_all", "_apex_depth", "_apex_key", "_denial", "_nodes", "_soa", "apex", "record_count")

    def __init__(self, apex: Name, nodes: Iterable[Node]) -> None:
        self.apex = apex
        self._apex_key = _key(apex)
        self._apex_depth = len(self._apex_key)
        keyed = [(_key(node.owner), node) for node in nodes]
        keyed.sort(key=_first)
        self._all: Mapping[_Key, Node] = dict(keyed)  # in canonical order
        apex_rrsets = self._all[self._apex_key].rrsets
        self._soa = apex_rrsets[RdataType.SOA]
        self.record_count = sum(len(rrset) for node in self._all.values() for rrset in node.rrsets.values())
        self._denial = index_of(apex_rrsets, self._all.values())
        # What a lookup may find: hashed owners of NSEC3 records are no names of the zone (RFC 5155 section 7.2.8).
        self._nodes: Mapping[_Key, Node] = self._all
        if isinstance(self._denial, Nsec3Index):
            self._nodes = {key: node for key, node in self._all.items() if not is_hashed_owner(node.rrsets)}

    @property
    def soa(self) -> RRset:
        """The SOA."""
        return self._soa

    @property
    def denial(self) -> NsecIndex | Nsec3Index | None:
        """The chain that proves what is not there; None when the zone is not signed."""
        return self._denial

    @property
    def soa_rdata(self) -> SOA:
        """The SOA's rdata: timers, MNAME, RNAME."""
        return self.soa.rdatas[0]  # type: ignore[return-value]  # the builder put a SOA there

    @property
    def soa_octets(self) -> tuple[int, bytes]:
        """The SOA's TTL, and its rdata in wire form, uncompressed."""
        return self.soa.ttl, self.soa_rdata.to_wire() or b""

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
        return self._all.get(_key(owner))

    def rrset(self, owner: Name, rdtype: RdataType) -> RRset | None:
        """Return the RRset with exactly this owner and type, whatever zone cut lies above it."""
        node = self._all.get(_key(owner))
        return node.rrsets.get(rdtype) if node else None

    def nodes(self) -> Iterator[Node]:
        """Iterate over all nodes in canonical order (RFC 4034 section 6.1), empty non-terminals included."""
        return iter(self._all.values())

    def rrsets(self) -> Iterator[RRset]:
        """Iterate over all RRsets, owners in canonical order, the SOA first, types by number.

        Signatures come as one RRset for each type that they cover, because each has the TTL of what it covers.
        """
        yield self.soa
        for node in self._all.values():
            for rdtype in sorted(node.rrsets):
                if rdtype == RdataType.RRSIG:
                    yield from by_covered_type(node.rrsets)
                elif rdtype != RdataType.SOA:
                    yield node.rrsets[rdtype]

    def lookup(self, name: Name, rdtype: RdataType) -> Lookup:
        """Answer one question from this zone's data: one walk from the apex down (RFC 1034 section 4.3.2 step 3)."""
        key = _key(name)
        depth = self._apex_depth
        if key[:depth] != self._apex_key:
            return Lookup(Kind.OUT_OF_ZONE, None, None, self.apex)
        encloser = self._nodes[self._apex_key]
        while depth < len(key):
            if dname := encloser.rrsets.get(RdataType.DNAME):
                return Lookup(Kind.DNAME, encloser, dname, encloser.owner)
            depth += 1
            below = self._nodes.get(key[:depth])
            if below is None:
                return self._below_missing(encloser, key[: depth - 1], rdtype)
            encloser = below
            ns = encloser.rrsets.get(RdataType.NS)
            # The DS RRset of a delegation belongs to the parent, which we are: RFC 4035 section 3.1.4.1.
            if ns is not None and not (rdtype == RdataType.DS and depth == len(key)):
                return Lookup(Kind.DELEGATION, encloser, ns, encloser.owner)
        return self._at(encloser, rdtype)

    @staticmethod
    def _at(node: Node, rdtype: RdataType) -> Lookup:
        if not node.rrsets:
            return Lookup(Kind.EMPTY_NON_TERMINAL, None, None, node.owner)
        if rrset := node.rrsets.get(rdtype):
            return Lookup(Kind.EXACT, node, rrset, node.owner)
        if alias := node.rrsets.get(RdataType.CNAME):
            return Lookup(Kind.ALIAS, node, alias, node.owner)
        return Lookup(Kind.NODATA, node, None, node.owner)

    def _below_missing(self, encloser: Node, key: _Key, rdtype: RdataType) -> Lookup:
        """Apply the wildcard rule: only the closest encloser's own ``*`` can match (RFC 4592 section 3.3.1)."""
        source = self._nodes.get((*key, b"*"))
        if source is None:
            return Lookup(Kind.NXDOMAIN, None, None, encloser.owner)
        rrset = source.rrsets.get(rdtype) or source.rrsets.get(RdataType.CNAME)
        return Lookup(Kind.WILDCARD, source, rrset, encloser.owner)

    def is_below_cut(self, owner: Name) -> bool:
        """Tell whether a delegation stands at or above this owner: its data is then glue or occluded, not ours."""
        return self.delegation(owner) is not None

    def delegation(self, name: Name) -> RRset | None:
        """Return the NS RRset of the delegation at or above a name of this zone; None where the zone itself has authority."""
        key = _key(name)
        for depth in range(self._apex_depth + 1, len(key) + 1):
            node = self._nodes.get(key[:depth])
            if node is None:
                return None
            if ns := node.rrsets.get(RdataType.NS):
                return ns
        return None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Zone):
            return NotImplemented
        theirs = other._all  # the other is a Zone as well
        return self._all.keys() == theirs.keys() and all(node.rrsets == theirs[key].rrsets for key, node in self._all.items())

    def __hash__(self) -> int:
        return hash((self._apex_key, self.soa))

    def __repr__(self) -> str:
        return f"<Zone {self.apex} serial {self.serial}, {self.record_count} records>"


def _first(pair: tuple[_Key, Node]) -> _Key:
    return pair[0]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the records cannot be a zone. ``missing``: something is not there, which a mistake elsewhere may explain."""

    error: ZoneError
    missing: bool


@dataclass(slots=True)
class _Collected:
    """One RRset in the making: the rdatas are the keys, in the order of their coming."""

    owner: Name
    rdtype: RdataType
    ttl: int
    rdatas: dict[Rdata, None]


class ZoneBuilder:
    """Collects records and builds a zone of them, or refuses with the first reason found."""

    __slots__ = ("_apex_key", "_owners", "apex")

    def __init__(self, apex: Name) -> None:
        self.apex = apex
        self._apex_key = _key(apex)
        self._owners: dict[_Key, dict[RdataType, _Collected]] = {}

    def holds(self, owner: Name) -> bool:
        """Tell whether the owner is the apex or below it."""
        return _key(owner)[: len(self._apex_key)] == self._apex_key

    def add(self, owner: Name, ttl: int, rdata: Rdata) -> bool:
        """Add one record; a duplicate is dropped (RFC 2181 section 5). A TTL above 2**31 - 1 is 0 (RFC 2181 section 8).

        Returns:
            False when the RRset already had another TTL: the first one stands for all, as RFC 2181 section 5.2 wants one.
            Signatures have the TTLs of what they cover (RFC 4034 section 3), so that theirs do not matter.

        Raises:
            ZoneError: the owner lies outside the zone, or a second record stands where one may.

        """
        key = _key(owner)
        rdtype = rdata.rdtype
        if key[: len(self._apex_key)] != self._apex_key:
            raise _refused(owner, rdtype, f"{owner} is not in the zone {self.apex}", "Move the record to the zone it belongs to.")
        if rdtype == RdataType.SOA and key != self._apex_key:
            raise _refused(
                owner,
                rdtype,
                f"{owner} has a SOA record, but is not the apex {self.apex}",
                "Keep the one SOA record at the apex.",
            )
        ttl = limited(ttl)
        rrsets = self._owners.setdefault(key, {})
        collected = rrsets.get(rdtype)
        if collected is None:
            rrsets[rdtype] = _Collected(owner, rdtype, ttl, {rdata: None})
            return True
        if rdtype in _SINGLETONS and rdata not in collected.rdatas:
            raise _refused(owner, rdtype, f"{collected.owner} has a second {rdtype.name} record", "Keep one of them.")
        collected.rdatas.setdefault(rdata)
        return ttl == collected.ttl or rdtype == RdataType.RRSIG

    def build(self) -> Zone:
        """Build the zone.

        Raises:
            ZoneError: no SOA or no NS at the apex, or a CNAME beside other data.

        """
        for problem in self.problems():
            raise problem.error
        nodes: dict[_Key, Node] = {}
        for key, types in self._owners.items():
            rrsets = {rdtype: RRset(one.owner, rdtype, one.ttl, tuple(one.rdatas)) for rdtype, one in types.items()}
            if RdataType.RRSIG in rrsets:  # whatever came first: each signature has the TTL of what it covers
                rrsets[RdataType.RRSIG] = replace(rrsets[RdataType.RRSIG], ttl=next(by_covered_type(rrsets)).ttl)
            owner = next(iter(types.values())).owner
            nodes[key] = Node(owner, rrsets)
            # Empty non-terminals, from the parent up to the first owner that is there (RFC 4592 section 2.2.2).
            while len(key) > len(self._apex_key) and (key := key[:-1]) not in self._owners and key not in nodes:
                owner = owner.parent()
                nodes[key] = Node(owner, {})
        return Zone(self.apex, nodes.values())

    def problems(self) -> Iterator[Problem]:
        """Say everything for which ``build`` refuses."""
        top = self._owners.get(self._apex_key, {})
        for rdtype, remedy in (
            (RdataType.SOA, "Add one SOA record at the apex."),
            (RdataType.NS, "Add the names of the zone's name servers at the apex."),
        ):
            if rdtype not in top:
                problem = f"the zone {self.apex} has no {rdtype.name} record at its apex"
                yield Problem(_refused(self.apex, rdtype, problem, remedy), missing=True)
        for types in self._owners.values():
            alias = types.get(RdataType.CNAME)
            if alias is not None and not _BESIDE_CNAME.issuperset(types):
                others = ", ".join(sorted(to_text(t) for t in types if t not in _BESIDE_CNAME))
                problem = f"CNAME and other data ({others}) at {alias.owner}"
                remedy = "An alias stands alone: remove the CNAME or the other records."
                yield Problem(_refused(alias.owner, RdataType.CNAME, problem, remedy), missing=False)


def _refused(owner: Name, rdtype: RdataType, problem: str, remedy: str) -> ZoneError:
    return ZoneError(problem, remedy=remedy, owner=str(owner), rdtype=to_text(rdtype))
