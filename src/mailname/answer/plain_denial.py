"""Which NSEC or NSEC3 records of a zone image prove what is not there: ``denial_nsec`` and ``denial_nsec3``, without objects.

``proof`` holds the offsets of RRsets, each once, in the order in which they are sent; their number stands first. Compiled with
``plain.py``, whose rules hold here too.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.mailname.answer.plain_hash import hash_name
    from cython.cimports.mailname.answer.plain_lookup import find_rrset
    from cython.cimports.mailname.answer.plain_octets import copy, first_difference, same, u32
else:
    from mailname.answer.plain_hash import hash_name
    from mailname.answer.plain_lookup import find_rrset
    from mailname.answer.plain_octets import copy, first_difference, same, u32

    NO_TYPE, NO_NAME, NO_CLOSER_NAME, NO_TYPE_AT_WILDCARD, PROOF_ROOM = 0, 1, 2, 3, 64

_ODD = cython.declare(cython.int, 4)
_NSEC = cython.declare(cython.uint, 47)
_NSEC3 = cython.declare(cython.uint, 50)


def prove(image, proof, key, starts, labels, length, label, kind):
    """Add what proves something about a name; tell whether that could be done here.

    The name stands in ``key``, in lower case; it has ``length`` octets, its labels begin at ``starts``, the apex at that of
    number ``labels``. ``label`` is where its closest encloser begins, or for NO_TYPE what has no such type: the name or the zone
    cut above it. What is to be proved, ``kind``, is named like the methods of ``denial.Denial``.
    """
    wild: cython.uchar[256]
    places: cython.int[130]
    i: cython.int
    if not u32(image, 120):
        return True
    if image[61] & _ODD:
        return False
    if not cython.compiled:
        wild, places = bytearray(256), [0] * 130
    if u32(image, 124):
        return _prove_by_hashes(image, proof, wild, key, starts, labels, length, label, kind)
    if kind in (NO_NAME, NO_TYPE_AT_WILDCARD):
        wild[0], wild[1] = 1, 42
        copy(wild, 2, key, starts[label], length - starts[label])
        places[0] = 0
        for i in range(label, labels):
            places[1 + i - label] = starts[i] - starts[label] + 2
    if kind == NO_TYPE_AT_WILDCARD:
        _add(image, proof, _at_or_before(image, wild, places, 0, 1 + labels - label))
    _add(image, proof, _at_or_before(image, key, starts, label if kind == NO_TYPE else 0, labels))
    if kind == NO_NAME:
        _add(image, proof, _at_or_before(image, wild, places, 0, 1 + labels - label))
    return True


def _add(image, proof, node):
    """Add the NSEC or NSEC3 RRset of the node of this number, unless it is there."""
    i: cython.uint
    at: cython.uint = u32(image, 28) + 32 * node
    rrset: cython.uint = find_rrset(image, at, _NSEC)
    if rrset == 0:
        rrset = find_rrset(image, at, _NSEC3)
    for i in range(1, 1 + proof[0]):
        if proof[i] == rrset:
            return
    proof[0] += 1
    proof[proof[0]] = rrset


def _at_or_before(image, key, starts, first, labels):
    """Return the number of the node whose NSEC matches a name, or else covers it (RFC 4034 section 4.1.1)."""
    chain: cython.uint = u32(image, 116)
    low: cython.uint = 1  # the apex comes before every other name
    high: cython.uint = u32(image, 120)
    middle: cython.uint
    while low < high:
        middle = (low + high) >> 1
        if _is_behind(image, u32(image, chain + 4 * middle), key, starts, first, labels):
            high = middle
        else:
            low = middle + 1
    return u32(image, chain + 4 * (low - 1))


def _is_behind(image, number, key, starts, first, labels):
    """Tell whether a node comes behind a name in canonical order (RFC 4034 section 6.1)."""
    nodes: cython.uint = u32(image, 28)
    node: cython.uint = nodes + 32 * number
    name: cython.uint = u32(image, 40) + u32(image, node)
    mine: cython.int = image[node + 9] - image[nodes + 9]  # labels below the apex
    places: cython.uchar[130]
    at: cython.uint = 0
    i: cython.int
    length: cython.int
    other: cython.int
    difference: cython.int
    if not cython.compiled:
        places = bytearray(130)
    for i in range(mine):
        places[i] = at
        at += 1 + image[name + at]
    while mine and labels > first:
        mine -= 1
        labels -= 1
        length = image[name + places[mine]]
        other = key[starts[labels]]
        difference = first_difference(image, name + places[mine] + 1, key, starts[labels] + 1, min(length, other))
        if difference == 0:
            difference = length - other
        if difference:
            return difference > 0
    return mine > 0


def _prove_by_hashes(image, proof, wild, key, starts, labels, length, label, kind):
    """Add the NSEC3 records that prove it (RFC 5155 section 7.2)."""
    chain: cython.uint = u32(image, 116)
    parameters: cython.uint = u32(image, 124)
    digest: cython.uchar[20]
    place: cython.uint
    encloser: cython.int = label
    if not cython.compiled:
        digest = bytearray(20)
    if kind != NO_CLOSER_NAME:
        # The closest encloser that can be proved: opt-out may have left out those below it (section 7.2.4).
        while True:
            hash_name(image, parameters, key, starts[encloser], length - starts[encloser], digest)
            place = _link_at_or_before(image, digest)
            if same(image, chain + 24 * place, digest, 0, 20):
                break
            encloser += 1
            if encloser > labels:
                return False
        _add(image, proof, u32(image, chain + 24 * place + 20))
    if kind != NO_TYPE or encloser > label:  # the next closer name
        hash_name(image, parameters, key, starts[encloser - 1], length - starts[encloser - 1], digest)
        _add(image, proof, u32(image, chain + 24 * _link_at_or_before(image, digest) + 20))
    if kind in (NO_NAME, NO_TYPE_AT_WILDCARD):
        wild[0], wild[1] = 1, 42
        copy(wild, 2, key, starts[encloser], length - starts[encloser])
        hash_name(image, parameters, wild, 0, 2 + length - starts[encloser], digest)
        _add(image, proof, u32(image, chain + 24 * _link_at_or_before(image, digest) + 20))
    return True


def _link_at_or_before(image, digest):
    """Return the number of the link at or before a hash; before the first comes the last, the chain is a ring."""
    chain: cython.uint = u32(image, 116)
    links: cython.uint = u32(image, 120)
    low: cython.uint = 0
    high: cython.uint = links
    middle: cython.uint
    while low < high:
        middle = (low + high) >> 1
        if first_difference(image, chain + 24 * middle, digest, 0, 20) > 0:
            high = middle
        else:
            low = middle + 1
    return low - 1 if low else links - 1
