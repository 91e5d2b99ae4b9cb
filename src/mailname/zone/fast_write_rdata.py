"""Rdata of the usual types, written as text that every name server reads back as the same octets, or not at all.

The counterpart of ``fast_rdata``. The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.mailname.zone.fast_write_fields import UNSURE
else:
    from mailname.zone.fast_write_fields import UNSURE

_SPACE = cython.declare(cython.int, 32)


def write_rdata(text, rdtype, data, at, end):
    """Write the rdata that stands from ``at`` to before ``end``; False where this is for others, and something may be written.

    Names in rdata of the types of RFC 1035 may end in a pointer to the apex.
    """
    if rdtype == 1:  # A
        if end - at != 4:
            return False
        text.address4(data, at)
        return True
    if rdtype == 28:  # AAAA
        if end - at != 16:
            return False
        text.address6(data, at)
        return True
    if rdtype == 2 or rdtype == 5 or rdtype == 12:  # NS, CNAME, PTR
        return _last_name(text, data, at, end, True)
    if rdtype == 39:  # DNAME
        return _last_name(text, data, at, end, False)
    if rdtype == 15:  # MX
        if end - at < 3:
            return False
        _numbers(text, data, at, 2, 1)
        return _last_name(text, data, at + 2, end, True)
    if rdtype == 33:  # SRV
        if end - at < 7:
            return False
        _numbers(text, data, at, 2, 3)
        return _last_name(text, data, at + 6, end, False)
    if rdtype == 16 or rdtype == 99:  # TXT, SPF
        return _strings(text, data, at, end)
    if rdtype == 6:
        return _soa(text, data, at, end)
    if rdtype == 35:
        return _naptr(text, data, at, end)
    if rdtype == 257:
        return _caa(text, data, at, end)
    if rdtype == 43 or rdtype == 59 or rdtype == 44:  # DS, CDS, SSHFP
        begins: cython.uint = 2 if rdtype == 44 else 4
        if end - at <= begins:
            return False
        _numbers(text, data, at, 2, (begins - 2) // 2)
        _numbers(text, data, at + begins - 2, 1, 2)
        text.hexadecimal(data, at + begins, end)
        return True
    if rdtype == 52:  # TLSA
        if end - at < 4:
            return False
        _numbers(text, data, at, 1, 3)
        text.hexadecimal(data, at + 3, end)
        return True
    if rdtype == 48 or rdtype == 60:  # DNSKEY, CDNSKEY
        if end - at < 5 or data[at] & 0xC0 == 0xC0:  # such flags mean that there is no key: others read on there
            return False
        _numbers(text, data, at, 2, 1)
        _numbers(text, data, at + 2, 1, 2)
        text.base64(data, at + 4, end)
        return True
    if rdtype == 46:
        return _rrsig(text, data, at, end)
    if rdtype == 47:  # NSEC
        length: cython.int = text.name(data, at, end, False)
        return length != UNSURE and _bitmap(text, data, at + length, end)
    if rdtype == 50:
        return _nsec3(text, data, at, end)
    if rdtype == 51:  # NSEC3PARAM
        return _parameters(text, data, at, end) == end - at
    return False


def write_unknown(text, data, at, end):
    """Write rdata as RFC 3597 section 5 has it for any type."""
    text.put(92)
    text.put(35)
    text.put(_SPACE)
    text.number(end - at)
    if at != end:
        text.put(_SPACE)
        text.hexadecimal(data, at, end)


def _get(data, at, octets):
    """Read a number, the highest octet first."""
    value: cython.uint = 0
    i: cython.int
    for i in range(octets):
        value = (value << 8) | data[at + i]
    return value


def _numbers(text, data, at, octets, count):
    """Write some numbers of 1, 2 or 4 octets each, a space behind each."""
    i: cython.int
    for i in range(count):
        text.number(_get(data, at + octets * i, octets))
        text.put(_SPACE)


def _last_name(text, data, at, end, compressed):
    """Write a name that is the last field."""
    return text.name(data, at, end, compressed) == cython.cast(cython.int, end - at)


def _soa(text, data, at, end):
    _i: cython.int
    length: cython.int
    for _i in range(2):
        length = text.name(data, at, end, True)
        if length == UNSURE:
            return False
        text.put(_SPACE)
        at += length
    if end - at != 20:
        return False
    _numbers(text, data, at, 4, 4)
    text.number(_get(data, at + 16, 4))
    return True


def _strings(text, data, at, end):
    """Write strings, at least one."""
    begin: cython.uint = at
    if at == end:
        return False
    while at < end:
        if at + 1 + data[at] > end:
            return False
        if at != begin:
            text.put(_SPACE)
        text.string(data, at + 1, data[at], False)
        at += 1 + data[at]
    return True


def _naptr(text, data, at, end):
    """Write a NAPTR (RFC 3403 section 4.1); strings with more than printable characters are not read by everyone."""
    _i: cython.int
    if end - at < 8:
        return False
    _numbers(text, data, at, 2, 2)
    at += 4
    for _i in range(3):
        if at >= end or at + 1 + data[at] > end or not text.string(data, at + 1, data[at], True):
            return False
        text.put(_SPACE)
        at += 1 + data[at]
    return _last_name(text, data, at, end, False)


def _caa(text, data, at, end):
    """Write a CAA (RFC 8659 section 4.1.1); values as for NAPTR."""
    i: cython.uint
    character: cython.uint
    value: cython.uint
    if end - at < 3 or data[at + 1] == 0:
        return False
    value = at + 2 + data[at + 1]
    if value > end or end - value > 255:
        return False
    _numbers(text, data, at, 1, 1)
    for i in range(at + 2, value):
        character = data[i]
        if not (48 <= character <= 57 or 97 <= (character | 32) <= 122):
            return False
        text.put(character)
    text.put(_SPACE)
    return text.string(data, value, end - value, True)


def _rrsig(text, data, at, end):
    """Write an RRSIG (RFC 4034 section 3.2)."""
    length: cython.int
    if end - at < 20:
        return False
    text.type_name(_get(data, at, 2))
    text.put(_SPACE)
    _numbers(text, data, at + 2, 1, 2)
    _numbers(text, data, at + 4, 4, 1)
    text.moment(_get(data, at + 8, 4))
    text.put(_SPACE)
    text.moment(_get(data, at + 12, 4))
    text.put(_SPACE)
    _numbers(text, data, at + 16, 2, 1)
    length = text.name(data, at + 18, end, False)
    if length == UNSURE or at + 18 + length >= end:
        return False
    text.put(_SPACE)
    text.base64(data, at + 18 + length, end)
    return True


def _nsec3(text, data, at, end):
    """Write an NSEC3 (RFC 5155 section 3.3)."""
    length: cython.int = _parameters(text, data, at, end)
    if length == UNSURE:
        return False
    at += length
    if at >= end or at + 1 + data[at] > end or data[at] == 0 or data[at] % 5:
        return False
    text.put(_SPACE)
    text.base32(data, at + 1, at + 1 + data[at])
    return _bitmap(text, data, at + 1 + data[at], end)


def _parameters(text, data, at, end):
    """Write hash algorithm, flags, iterations and salt; return their length, or UNSURE."""
    if end - at < 5 or at + 5 + data[at + 4] > end:
        return UNSURE
    _numbers(text, data, at, 1, 2)
    _numbers(text, data, at + 2, 2, 1)
    if data[at + 4] == 0:
        text.put(45)
    else:
        text.hexadecimal(data, at + 5, at + 5 + data[at + 4])
    return 5 + data[at + 4]


def _bitmap(text, data, at, end):
    """Write the types that an owner has (RFC 4034 section 4.1.2); False where text would not give the same octets."""
    before: cython.int = -1
    window: cython.int
    octets: cython.uint
    i: cython.uint
    bit: cython.uint
    while at < end:
        if end - at < 3:
            return False
        window = data[at]
        octets = data[at + 1]
        if window <= before or octets == 0 or octets > 32 or at + 2 + octets > end or data[at + 1 + octets] == 0:
            return False
        if window == 0 and data[at + 2] & 128:
            return False
        before = window
        for i in range(octets):
            for bit in range(8):
                if data[at + 2 + i] & (128 >> bit):
                    text.put(_SPACE)
                    text.type_name((window << 8) | (i << 3) | bit)
        at += 2 + octets
    return True
