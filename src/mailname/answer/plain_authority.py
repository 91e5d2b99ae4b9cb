"""The authority section for who wants signatures: a referral or "no", with what proves it.

Compiled with ``plain.py``, whose rules hold here too.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.mailname.answer.plain_denial import PROOF_ROOM, prove
    from cython.cimports.mailname.answer.plain_lookup import find_rrset
    from cython.cimports.mailname.answer.plain_octets import u16, u32
    from cython.cimports.mailname.answer.plain_write import put_named, put_rrset, put_signatures, shared_label
else:
    from mailname.answer.plain_denial import PROOF_ROOM, prove
    from mailname.answer.plain_lookup import find_rrset
    from mailname.answer.plain_octets import u16, u32
    from mailname.answer.plain_write import put_named, put_rrset, put_signatures, shared_label


def put_authority(image, proof, key, starts, labels, length, label, kind, rrset, cut, signed, out, at, limit, apex, owner, named):
    """Write it; return where the answer ends then, -1 if it does not fit or cannot be proved here.

    The number of its records is put into the last place of ``proof``.

    ``proof`` holds what the answer section needs (see ``plain_denial``, also for ``key`` to ``kind``: what is to be proved of the
    name that was looked up last). ``rrset`` is the NS of a referral or the SOA of "no", 0 for neither; ``cut`` the node of the
    referral's zone cut, 0 for none; ``signed`` tells whether the zone has signatures or proofs. ``out`` has ``at`` octets and may
    have ``limit``; in it are found the apex, the name at ``owner``, and the owner of ``rrset`` at ``named``.
    """
    early: cython.uint = proof[0]
    records: cython.uint = 0
    ds: cython.uint = 0
    if rrset:
        if cut:
            ds = find_rrset(image, cut, 43)
        if ds == 0 and signed and not prove(image, proof, key, starts, labels, length, label, kind):
            return -1
        at = _put_proofs(image, proof, 0, early, key, starts, labels, length, out, at, limit, apex, owner)
        if at >= 0:
            at = put_rrset(image, rrset, out, at, limit, apex, named)
            records = u16(image, rrset + 4)
        if ds and at >= 0:
            at = put_rrset(image, ds, out, at, limit, apex, named)
            records += u16(image, ds + 4)
        if signed and at >= 0 and (ds or cut == 0):  # NS of a zone cut are the child's, hence not signed (RFC 4035 section 2.2)
            at = put_signatures(image, ds or rrset, out, at, limit, named)
            records += u16(image, (ds or rrset) + 2)
    else:
        early = 0
    if at >= 0:
        at = _put_proofs(image, proof, early, proof[0], key, starts, labels, length, out, at, limit, apex, owner)
    for early in range(1, 1 + proof[0]):
        records += u16(image, proof[early] + 4) + u16(image, proof[early] + 2)
    proof[PROOF_ROOM - 1] = records
    return at


def _put_proofs(image, proof, first, end, key, starts, labels, length, out, at, limit, apex, owner):
    """Write NSEC or NSEC3 RRsets with their signatures."""
    rrset: cython.uint
    node: cython.uint
    shared: cython.int
    prefix: cython.int
    pointer: cython.int
    while first < end and at >= 0:
        first += 1
        rrset = proof[first]
        node = u32(image, 28) + 32 * u32(image, rrset + 36)
        shared = shared_label(image, node, key, starts, labels, length)
        prefix = image[node + 8] - (length - starts[shared])
        pointer = owner + starts[shared]
        if shared == labels:
            pointer = apex
            if length - starts[shared] == 1:  # the root is shorter than a pointer to it
                prefix += 1
                pointer = 0
        at = put_named(image, rrset, out, at, limit, prefix, pointer, True)
    return at
