"""Plain questions answered straight from zone images: one lookup and about one copy, compiled where a compiler was at hand.

The same source runs uncompiled, with the same answers. Whatever is not plain gets ``NOT_PLAIN`` and goes to ``respond``, the
readable reference: signed or malformed messages, other opcodes and classes, EDNS options, DNAME, types that are no data, and
every answer that does not fit.

In compiled form the functions take pointers. Nothing is read from a question without a check of its length; an image is
trusted, because its checksum was verified when it was mapped or because this process built it.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.mailname.answer.plain_authority import put_authority
    from cython.cimports.mailname.answer.plain_denial import (
        NO_CLOSER_NAME,
        NO_NAME,
        NO_TYPE,
        NO_TYPE_AT_WILDCARD,
        PROOF_ROOM,
        prove,
    )
    from cython.cimports.mailname.answer.plain_lookup import NONE, find_node, find_rrset, find_zone
    from cython.cimports.mailname.answer.plain_octets import copy, same, u16, u32
    from cython.cimports.mailname.answer.plain_question import hash_suffixes, options_are_plain, take_target
    from cython.cimports.mailname.answer.plain_write import put_named, put_rrset, put_signatures
else:
    from mailname.answer.plain_authority import put_authority
    from mailname.answer.plain_denial import NO_CLOSER_NAME, NO_NAME, NO_TYPE, NO_TYPE_AT_WILDCARD, PROOF_ROOM, prove
    from mailname.answer.plain_lookup import NONE, find_node, find_rrset, find_zone
    from mailname.answer.plain_octets import copy, same, u16, u32
    from mailname.answer.plain_question import hash_suffixes, options_are_plain, take_target
    from mailname.answer.plain_write import put_named, put_rrset, put_signatures

NOT_PLAIN = cython.declare(cython.int, -1)
DROP = cython.declare(cython.int, 0)
LONGEST = cython.declare(cython.int, 1232)  # octets of an answer by UDP
NOTES = cython.declare(cython.int, 12)  # octets behind it: what sort of answer it is (1), a hash of its subject (4), its zone (4)
ANSWER = cython.declare(cython.int, 0)
NODATA = cython.declare(cython.int, 1)
NXDOMAIN = cython.declare(cython.int, 2)
REFERRAL = cython.declare(cython.int, 3)


def respond_plain(images, query, size, out):
    """Answer one message into ``out``, which holds LONGEST + NOTES octets.

    Returns:
        The answer's length, DROP, or NOT_PLAIN.

    """
    key: cython.uchar[256]
    starts: cython.int[130]
    hashes: cython.uint[130]
    if not cython.compiled:
        key, starts, hashes = bytearray(256), [0] * 130, [0] * 130
    if size < 12 or query[2] & 0x80:
        return DROP
    # QUERY, one question, nothing but an OPT behind it.
    if query[2] & 0x7A or query[4] or query[5] != 1 or query[6] or query[7] or query[8] or query[9] or query[10] or query[11] > 1:
        return NOT_PLAIN
    # The question's name, in lower case.
    at: cython.int = 12
    labels: cython.int = 0
    length: cython.int
    octet: cython.uchar
    i: cython.int
    while True:
        if at >= size:
            return NOT_PLAIN
        length = query[at]
        starts[labels] = at - 12
        key[at - 12] = length
        if length == 0:
            break
        if length > 63 or at + length + 1 >= size or at - 12 + length + 1 > 254:
            return NOT_PLAIN
        for i in range(at + 1, at + 1 + length):
            octet = query[i]
            key[i - 12] = octet + 32 if 65 <= octet <= 90 else octet
        labels += 1
        at += length + 1
    name_length: cython.int = at - 12 + 1
    at += 1
    if at + 4 > size:
        return NOT_PLAIN
    rdtype: cython.uint = (query[at] << 8) | query[at + 1]
    # Class IN; RRSIG is many RRsets, OPT and from 128 to 255 are no data.
    if query[at + 2] or query[at + 3] != 1 or rdtype == 0 or rdtype == 41 or rdtype == 46 or 128 <= rdtype <= 255:
        return NOT_PLAIN
    at += 4
    question_end: cython.int = at
    limit: cython.int = 512
    edns: cython.bint = query[11] == 1
    dnssec: cython.int = 0
    if edns:
        # Version 0, and no option that we speak of; anything else is for the reference.
        if at + 11 > size or query[at] or query[at + 1] or query[at + 2] != 41 or query[at + 6]:
            return NOT_PLAIN
        if at + 11 + ((query[at + 9] << 8) | query[at + 10]) != size:
            return NOT_PLAIN
        if not options_are_plain(images, query, at + 11, size, rdtype):
            return NOT_PLAIN
        dnssec = query[at + 7] & 0x80
        limit = (query[at + 3] << 8) | query[at + 4]
        if limit < 512:
            limit = 512
        elif limit > 1232:
            limit = 1232
        limit -= 11
    elif at != size:
        return NOT_PLAIN
    hash_suffixes(key, name_length, starts, labels, hashes)
    apex_label: cython.int = find_zone(images, starts, labels, hashes, 0)
    if apex_label < 0:
        return NOT_PLAIN
    if rdtype == 43 and apex_label == 0 and labels:  # the parent's, where it is ours too (RFC 4035 section 3.1.4.1)
        apex_label = find_zone(images, starts, labels, hashes, 1)
        if apex_label < 0:
            apex_label = 0
    zone: cython.uint = starts[129]
    image: cython.p_uchar = images.blocks[zone]
    if cython.compiled:
        if image == cython.NULL:
            return NOT_PLAIN
    elif not image:
        return NOT_PLAIN
    apex_length: cython.int = name_length - starts[apex_label]
    # Two zones may share a hash: then the name decides.
    if image[60] != apex_length or not same(image, u32(image, 40) + u32(image, 56), key, starts[apex_label], apex_length):
        return NOT_PLAIN
    signed: cython.bint = dnssec and image[61] & 1  # signatures and proofs are wanted, and there are some
    proof: cython.uint[64]
    if not cython.compiled:
        proof = [0] * PROOF_ROOM
    proof[0] = 0
    kind: cython.int = NO_TYPE
    named: cython.int = 12
    copy(out, 12, query, 12, question_end - 12)
    apex: cython.int = 12 + starts[apex_label]
    end: cython.int = question_end
    apex_hash: cython.uint = hashes[apex_label]
    apex_key: cython.uchar[256]
    if not cython.compiled:
        apex_key = bytearray(256)
    copy(apex_key, 0, key, starts[apex_label], apex_length)
    owner: cython.int = 12
    aliases: cython.uint = 0
    rcode: cython.int = 0
    authoritative: cython.int = 4
    answers: cython.uint = 0
    authority: cython.uint = 0
    additional: cython.uint = 0
    sort: cython.int = ANSWER
    subject: cython.uint = 0
    node: cython.uint
    rrset: cython.uint
    flags: cython.uint
    label: cython.int
    while True:  # once, and once more for each alias
        # The name itself, or its closest encloser: the apex is always there.
        label = 0
        node = NONE
        while node == NONE:
            if label > apex_label:
                return NOT_PLAIN
            node = find_node(image, key, starts[label], name_length - starts[label], hashes[label])
            label += 1
        label -= 1
        node = u32(image, 28) + 32 * node
        flags = u16(image, node + 10)
        if flags & 96 or (flags & 4 and label):  # below a DNAME, or the owner of an NSEC3 record
            return NOT_PLAIN
        if flags & 2 or (flags & 1 and (label or rdtype != 43)):  # at or below a zone cut: a referral (RFC 1034 section 4.2.1)
            node = u32(image, 28) + 32 * u32(image, node + 12)
            rrset = find_rrset(image, node, 2)
            if answers == 0:
                authoritative = 0
            # The cut's name is a suffix of the question.
            while name_length - starts[label] > image[node + 8]:
                label += 1
            named = owner + starts[label]
            sort, subject = REFERRAL, u32(image, node + 28)
            break
        rrset = 0
        if not label or flags & 16:
            if label:  # the source of synthesis (RFC 4592 section 3.3.1)
                node = u32(image, 28) + 32 * u32(image, node + 16)
                flags = u16(image, node + 10)
                kind = NO_TYPE_AT_WILDCARD
            rrset = find_rrset(image, node, rdtype)
            if rrset == 0 and flags & 8 and rdtype != 47:  # NSEC may stand beside an alias (RFC 4035 section 2.5)
                rrset = find_rrset(image, node, 5)
        else:
            rcode = 3
            kind = NO_NAME
        if rrset == 0:  # RFC 2308: the SOA says how long "no" may be remembered
            sort, subject = NXDOMAIN if rcode else NODATA, apex_hash
            rrset = u32(image, 32) + 40 * (u32(image, 16) - 1)
            named = apex
            break
        if answers == 0:
            subject = u32(image, node + 28)
        at = end
        end = put_rrset(image, rrset, out, end, limit, apex, owner)
        answers += u16(image, rrset + 4)
        if signed and end >= 0:
            end = put_signatures(image, rrset, out, end, limit, owner)
            answers += u16(image, rrset + 2)
            if label:
                if not prove(image, proof, key, starts, apex_label, name_length, label, NO_CLOSER_NAME):
                    return NOT_PLAIN
                kind = NO_TYPE
        if u16(image, rrset) == rdtype:
            break
        # An alias (RFC 1034 section 3.6.2): one that leaves the zone has no pointer to the apex in its rdata.
        aliases += 1
        if end < 0 or aliases > 8 or apex_length == 1:
            return NOT_PLAIN
        if u16(image, rrset + 6) == 0:
            break
        owner = at + 12
        apex_label = take_target(out, owner, apex_key, apex_length, key, starts)
        if apex_label < 0:
            return NOT_PLAIN
        name_length = starts[apex_label] + apex_length
        hash_suffixes(key, name_length, starts, apex_label, hashes)
    if end < 0:
        return NOT_PLAIN
    if dnssec:
        end = put_authority(
            image,
            proof,
            key,
            starts,
            apex_label,
            name_length,
            label,
            kind,
            0 if sort == ANSWER else rrset,
            node if sort == REFERRAL else 0,
            signed,
            out,
            end,
            limit,
            apex,
            owner,
            named,
        )
        authority = proof[PROOF_ROOM - 1]
    elif sort != ANSWER:
        end = put_rrset(image, rrset, out, end, limit, apex, named)
        authority = u16(image, rrset + 4)
    if end < 0:
        return NOT_PLAIN
    # The addresses of hosts that the last RRset names.
    extra: cython.uint = u32(image, 36) + 4 * u32(image, rrset + 24)
    left: cython.uint = u16(image, rrset + 28)
    while left:
        rrset = u32(image, 32) + 40 * u32(image, extra)
        node = u32(image, 28) + 32 * u32(image, rrset + 36)
        if apex_length == 1:  # below the root there is no pointer to save octets with
            end = put_named(image, rrset, out, end, limit, image[node + 8], 0, signed)
        else:
            end = put_named(image, rrset, out, end, limit, image[node + 8] - apex_length, apex, signed)
        if end < 0:
            return NOT_PLAIN
        additional += u16(image, rrset + 4)
        if signed:
            additional += u16(image, rrset + 2)
        extra += 4
        left -= 1
    if edns:
        out[end] = 0
        out[end + 1] = 0
        out[end + 2] = 41
        out[end + 3] = 4
        out[end + 4] = 0xD0
        for i in range(5, 11):
            out[end + i] = 0
        out[end + 7] = dnssec
        end += 11
        additional += 1
    out[0] = query[0]
    out[1] = query[1]
    out[2] = 0x80 | authoritative | (query[2] & 1)
    out[3] = rcode
    out[4] = 0
    out[5] = 1
    out[6] = answers >> 8
    out[7] = answers & 0xFF
    out[8] = authority >> 8
    out[9] = authority & 0xFF
    out[10] = additional >> 8
    out[11] = additional & 0xFF
    # For the limiting of rates and the counting of zones, behind the answer's room.
    out[LONGEST] = sort
    for i in range(4):
        out[LONGEST + 1 + i] = (subject >> (8 * i)) & 0xFF
        out[LONGEST + 5 + i] = (zone >> (8 * i)) & 0xFF
    return end


def answer_plain(images, query: bytes) -> "bytes | None":
    """Answer one message that came by UDP; None when it is not plain (or not to be answered at all)."""
    buffer = bytearray(LONGEST + NOTES)
    length: cython.int
    if len(query) < 12:
        return None
    if cython.compiled:
        question: cython.const_uchar[::1] = query
        reply: cython.uchar[::1] = buffer
        length = respond_plain(
            images, cython.cast(cython.p_uchar, cython.address(question[0])), len(query), cython.address(reply[0])
        )
    else:
        length = respond_plain(images, query, len(query), buffer)
    return bytes(buffer[:length]) if length > 0 else None
