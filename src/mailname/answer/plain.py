"""Plain questions answered straight from zone images: one lookup and about one copy, compiled where a compiler was at hand.

The same source runs uncompiled, with the same answers. Whatever is not plain gets ``NOT_PLAIN`` and goes to ``respond``, the
readable reference: signed or malformed messages, other opcodes and classes, EDNS options, DNSSEC, aliases, DNAME, types that
are no data, and every answer that does not fit.

In compiled form the functions take pointers. Nothing is read from a question without a check of its length; an image is
trusted, because its checksum was verified when it was mapped or because this process built it.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.libc.string import memcpy
    from cython.cimports.mailname.answer.plain_question import hash_suffixes, options_are_plain, take_target
else:
    from mailname.answer.plain_question import hash_suffixes, options_are_plain, take_target

NOT_PLAIN = cython.declare(cython.int, -1)
DROP = cython.declare(cython.int, 0)
_NONE = cython.declare(cython.uint, 0xFFFFFFFF)
LONGEST = cython.declare(cython.int, 1232)  # octets of an answer by UDP
NOTES = cython.declare(cython.int, 8)  # octets behind it: what sort of answer it is (1), the hash of what it is about (4)
ANSWER = cython.declare(cython.int, 0)
NODATA = cython.declare(cython.int, 1)
NXDOMAIN = cython.declare(cython.int, 2)
REFERRAL = cython.declare(cython.int, 3)


def _u16(image, at):
    return image[at] | (image[at + 1] << 8)


def _u32(image, at):
    return image[at] | (image[at + 1] << 8) | (image[at + 2] << 16) | (cython.cast(cython.uint, image[at + 3]) << 24)


def _copy(out, at, source, start, count):
    if cython.compiled:
        memcpy(out + at, source + start, count)
    else:
        out[at : at + count] = source[start : start + count]


def _find_zone(images, starts, labels, hashes):
    """Return the number of the label at which the closest enclosing apex begins; -1 when no zone of ours encloses the name.

    The zone's number is handed back in ``starts[129]``: a name of 255 octets has no label that far out.
    """
    label: cython.int
    at: cython.uint
    entry: cython.uint
    for label in range(labels + 1):
        at = hashes[label] & images.mask
        while True:
            entry = images.slots[2 * at + 1]
            if entry == 0:
                break
            if images.slots[2 * at] == hashes[label]:
                starts[129] = entry - 1
                return label
            at = (at + 1) & images.mask
    return -1


def _same(image, at, key, start, length):  # a loop, as C has no all()
    i: cython.int
    for i in range(length):
        if image[at + i] != key[start + i]:
            return False
    return True


def _find_node(image, key, start, length, hashed):
    """Return the number of the node with this name, or NONE."""
    mask: cython.uint = _u32(image, 20)
    slots: cython.uint = _u32(image, 24)
    nodes: cython.uint = _u32(image, 28)
    blob: cython.uint = _u32(image, 40)
    at: cython.uint = hashed & mask
    entry: cython.uint
    node: cython.uint
    while True:
        entry = _u32(image, slots + 8 * at + 4)
        if entry == 0:
            return _NONE
        if _u32(image, slots + 8 * at) == hashed:
            node = nodes + 32 * (entry - 1)
            if image[node + 8] == length and _same(image, blob + _u32(image, node), key, start, length):
                return entry - 1
        at = (at + 1) & mask


def _find_rrset(image, node, rdtype):
    """Return the offset of a node's RRset of this type, 0 for none. ``node`` is an offset."""
    at: cython.uint = _u32(image, 32) + 40 * _u32(image, node + 20)
    left: cython.uint = _u16(image, node + 24)
    while left:
        if _u16(image, at) == rdtype:
            return at
        at += 40
        left -= 1
    return 0


def _put_pointers(image, rrset, out, at, apex):
    """Set the pointers to the apex in a body that was copied to ``at``."""
    patch: cython.uint = _u32(image, 36) + 4 * _u32(image, rrset + 20)
    left: cython.uint = _u16(image, rrset + 6)
    place: cython.uint
    while left:
        place = at + _u32(image, patch)
        out[place] = 0xC0 | (apex >> 8)
        out[place + 1] = apex & 0xFF
        patch += 4
        left -= 1


def _put_under_pointer(image, rrset, out, at, limit, apex, owner):
    """Write an RRset whose owner is found at the octet ``owner`` of the message; return where it ends, -1 if it does not fit."""
    length: cython.uint = _u32(image, rrset + 16)
    if at + length > cython.cast(cython.uint, limit):
        return -1
    body: cython.uint = _u32(image, 40) + _u32(image, rrset + 12)
    _copy(out, at, image, body, length)
    _put_pointers(image, rrset, out, at, apex)
    end: cython.int = at + length
    if owner != 12:
        while at < end:
            out[at] = 0xC0 | (owner >> 8)
            out[at + 1] = owner & 0xFF
            at += 12 + ((out[at + 10] << 8) | out[at + 11])
    return end


def _put_named(image, rrset, out, at, limit, apex, apex_length):
    """Write an RRset with its owner's labels below the apex spelled out; return where it ends, -1 if it does not fit."""
    node: cython.uint = _u32(image, 28) + 32 * _u32(image, rrset + 36)
    name: cython.uint = _u32(image, 40) + _u32(image, node + 4)
    labels: cython.int = image[node + 8] - apex_length
    if apex_length == 1:  # below the root there is no pointer to save octets with
        labels += 1
    body: cython.uint = _u32(image, 40) + _u32(image, rrset + 12)
    left: cython.uint = _u16(image, rrset + 4)
    length: cython.int
    while left:
        length = 12 + ((image[body + 10] << 8) | image[body + 11])
        if at + labels + length > limit:
            return -1
        _copy(out, at, image, name, labels)
        at += labels
        if apex_length != 1:
            out[at] = 0xC0 | (apex >> 8)
            out[at + 1] = apex & 0xFF
            at += 2
        _copy(out, at, image, body + 2, length - 2)
        at += length - 2
        body += length
        left -= 1
    return at


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
    # Class IN; DS belongs to the parent, RRSIG and NSEC stand beside aliases, OPT and from 128 to 255 are no data.
    if query[at + 2] or query[at + 3] != 1 or rdtype == 0 or 128 <= rdtype <= 255:
        return NOT_PLAIN
    if rdtype == 41 or rdtype == 43 or rdtype == 46 or rdtype == 47:
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
    apex_label: cython.int = _find_zone(images, starts, labels, hashes)
    if apex_label < 0:
        return NOT_PLAIN
    image: cython.p_uchar = images.blocks[starts[129]]
    if cython.compiled:
        if image == cython.NULL:
            return NOT_PLAIN
    elif not image:
        return NOT_PLAIN
    apex_length: cython.int = name_length - starts[apex_label]
    # Two zones may share a hash: then the name decides.
    if image[60] != apex_length or not _same(image, _u32(image, 40) + _u32(image, 56), key, starts[apex_label], apex_length):
        return NOT_PLAIN
    if dnssec and image[61] & 1:  # signatures and proofs
        return NOT_PLAIN
    _copy(out, 12, query, 12, question_end - 12)
    apex: cython.int = 12 + starts[apex_label]
    end: cython.int = question_end
    apex_hash: cython.uint = hashes[apex_label]
    apex_key: cython.uchar[256]
    if not cython.compiled:
        apex_key = bytearray(256)
    _copy(apex_key, 0, key, starts[apex_label], apex_length)
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
        node = _NONE
        while node == _NONE:
            if label > apex_label:
                return NOT_PLAIN
            node = _find_node(image, key, starts[label], name_length - starts[label], hashes[label])
            label += 1
        label -= 1
        node = _u32(image, 28) + 32 * node
        flags = _u16(image, node + 10)
        if flags & 96 or (flags & 4 and label):  # below a DNAME, or the owner of an NSEC3 record
            return NOT_PLAIN
        if flags & 3:  # at or below a zone cut: a referral (RFC 1034 section 4.2.1)
            node = _u32(image, 28) + 32 * _u32(image, node + 12)
            rrset = _find_rrset(image, node, 2)
            if aliases or (dnssec and _find_rrset(image, node, 43)):
                return NOT_PLAIN
            authoritative = 0
            # The cut's name is a suffix of the question.
            end = _put_under_pointer(image, rrset, out, end, limit, apex, 12 + name_length - image[node + 8])
            authority = _u16(image, rrset + 4)
            sort, subject = REFERRAL, _u32(image, node + 28)
            break
        rrset = 0
        if not label or flags & 16:
            if label:  # the source of synthesis (RFC 4592 section 3.3.1)
                node = _u32(image, 28) + 32 * _u32(image, node + 16)
                flags = _u16(image, node + 10)
            rrset = _find_rrset(image, node, rdtype)
            if rrset == 0 and flags & 8 and rdtype != 47:  # NSEC may stand beside an alias (RFC 4035 section 2.5)
                rrset = _find_rrset(image, node, 5)
        else:
            rcode = 3
        if rrset == 0:  # RFC 2308: the SOA says how long "no" may be remembered
            sort, subject = NXDOMAIN if rcode else NODATA, apex_hash
            rrset = _u32(image, 32) + 40 * (_u32(image, 16) - 1)
            end = _put_under_pointer(image, rrset, out, end, limit, apex, apex)
            authority = 1
            break
        if answers == 0:
            subject = _u32(image, node + 28)
        at = end
        end = _put_under_pointer(image, rrset, out, end, limit, apex, owner)
        answers += _u16(image, rrset + 4)
        if _u16(image, rrset) == rdtype:
            break
        # An alias (RFC 1034 section 3.6.2): one that leaves the zone has no pointer to the apex in its rdata.
        aliases += 1
        if end < 0 or aliases > 8 or apex_length == 1:
            return NOT_PLAIN
        if _u16(image, rrset + 6) == 0:
            break
        owner = at + 12
        apex_label = take_target(out, owner, apex_key, apex_length, key, starts)
        if apex_label < 0:
            return NOT_PLAIN
        name_length = starts[apex_label] + apex_length
        hash_suffixes(key, name_length, starts, apex_label, hashes)
    if end < 0:
        return NOT_PLAIN
    extra: cython.uint = _u32(image, 36) + 4 * _u32(image, rrset + 24)
    left: cython.uint = _u16(image, rrset + 28)
    other: cython.uint
    while left:
        other = _u32(image, 32) + 40 * _u32(image, extra)
        end = _put_named(image, other, out, end, limit, apex, apex_length)
        if end < 0:
            return NOT_PLAIN
        additional += _u16(image, other + 4)
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
    # For the limiting of rates, behind the answer's room.
    out[LONGEST] = sort
    for i in range(4):
        out[LONGEST + 1 + i] = (subject >> (8 * i)) & 0xFF
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
