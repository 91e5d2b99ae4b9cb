"""Which NSEC or NSEC3 record of a signed zone speaks about a name: found by bisection in the order of the chain.

The chain is taken as the signer left it; whether it is complete is not checked here. Not implemented: NSEC3 hashes other than
SHA-1 (RFC 5155 section 11 knows no other), and chains whose NSEC3PARAM has flags set (RFC 5155 section 4.1.2: not for serving).
"""

from __future__ import annotations

from base64 import b32hexencode
from bisect import bisect_right
from hashlib import sha1
from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dns.name import Name
    from dns.rdtypes.ANY.NSEC3 import NSEC3
    from dns.rdtypes.ANY.NSEC3PARAM import NSEC3PARAM

    from mailname.zone.rrset import RRset
    from mailname.zone.zone import Node

_SHA1 = 1

#: Rounds of hashing beyond which a chain is not used: the most that RFC 5155 section 10.3 allows for any key.
MOST_ITERATIONS = 2500

#: What an owner has that exists only for the proofs (RFC 5155 section 7.2.8): to a question it is not there.
_ONLY_HASHED = frozenset({RdataType.NSEC3, RdataType.RRSIG})


def is_hashed_owner(rrsets: Mapping[RdataType, RRset]) -> bool:
    """Tell whether an owner is the hash of a name, and nothing else."""
    return RdataType.NSEC3 in rrsets and rrsets.keys() <= _ONLY_HASHED


class NsecIndex:
    """The NSEC chain of a zone."""

    __slots__ = ("_keys", "_nodes")

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = tuple(node for node in nodes if RdataType.NSEC in node.rrsets)
        self._keys = [_canonical(node.owner) for node in self._nodes]

    def at_or_before(self, name: Name) -> Node:
        """Return the owner whose NSEC matches the name, or else covers it (RFC 4034 section 4.1.1)."""
        # The apex comes before every other name of the zone, and always has a NSEC.
        return self._nodes[bisect_right(self._keys, _canonical(name)) - 1]


class Nsec3Index:
    """The NSEC3 chain of a zone, with the parameters that its NSEC3PARAM names."""

    __slots__ = ("_hashes", "_nodes", "iterations", "salt")

    def __init__(self, nodes: Iterable[Node], salt: bytes, iterations: int) -> None:
        self.salt = salt
        self.iterations = iterations
        of_chain = [node for node in nodes if RdataType.NSEC3 in node.rrsets and self._is_of_chain(node)]
        # Hashes are of one length, so that their base32hex text sorts as they do.
        keyed = sorted((node.owner.labels[0].lower(), place) for place, node in enumerate(of_chain))
        self._hashes = [label for label, _ in keyed]
        self._nodes = tuple(of_chain[place] for _, place in keyed)

    def matching(self, name: Name) -> Node | None:
        """Return the node whose owner is the hash of the name."""
        label = self._hash(name)
        place = bisect_right(self._hashes, label) - 1
        return self._nodes[place] if self._hashes[place] == label else None

    def covering(self, name: Name) -> Node:
        """Return the node at or before the hash of the name; before the first hash comes the last, the chain is a ring."""
        return self._nodes[bisect_right(self._hashes, self._hash(name)) - 1]

    def __len__(self) -> int:
        return len(self._nodes)

    def _hash(self, name: Name) -> bytes:
        """Return the label that stands for a name (RFC 5155 section 5)."""
        digest = name.to_digestable()
        for _ in range(self.iterations + 1):
            digest = sha1(digest + self.salt, usedforsecurity=False).digest()
        return b32hexencode(digest).lower()

    def _is_of_chain(self, node: Node) -> bool:
        nsec3 = cast("NSEC3", node.rrsets[RdataType.NSEC3].rdatas[0])
        return (nsec3.algorithm, nsec3.salt, nsec3.iterations) == (_SHA1, self.salt, self.iterations)


def index_of(apex: Mapping[RdataType, RRset], nodes: Iterable[Node]) -> NsecIndex | Nsec3Index | None:
    """Return the index of a zone's chain; None when it has none that we can use: the zone is then served as an unsigned one.

    Args:
        apex: the RRsets of the apex.
        nodes: all nodes, in canonical order.

    """
    if RdataType.NSEC in apex:
        return NsecIndex(nodes)
    if parameters := apex.get(RdataType.NSEC3PARAM):
        nodes = tuple(nodes)
        for rdata in parameters.rdatas:
            one = cast("NSEC3PARAM", rdata)
            if one.algorithm == _SHA1 and one.flags == 0 and one.iterations <= MOST_ITERATIONS:
                index = Nsec3Index(nodes, one.salt, one.iterations)
                if len(index):
                    return index
    return None


def _canonical(name: Name) -> tuple[bytes, ...]:
    """Return what sorts as RFC 4034 section 6.1 wants names sorted."""
    return tuple([label.lower() for label in reversed(name.labels)])
