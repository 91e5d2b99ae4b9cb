"""Rdata of the usual types, read from tokens into wire form, as dnspython's parsers read it, or not at all.

The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.mailname.zone.fast_fields import (
        UNSURE,
        address4,
        address6,
        base32,
        base64,
        hexadecimal,
        name,
        number,
        seconds,
        string,
    )
    from cython.cimports.mailname.zone.fast_tokens import ESCAPED, QUOTED
    from cython.cimports.mailname.zone.fast_types import NO_TYPE
else:
    from mailname.zone.fast_fields import UNSURE, address4, address6, base32, base64, hexadecimal, name, number, seconds, string
    from mailname.zone.fast_tokens import ESCAPED, QUOTED
    from mailname.zone.fast_types import NO_TYPE

_MOST_8 = cython.declare(cython.int, 255)
_MOST_16 = cython.declare(cython.int, 65535)
_MOST_32 = cython.declare(cython.longlong, 4294967295)
_ZERO = cython.declare(cython.int, 48)


def read_rdata(tokens, first, rdtype, out, at):
    """Write the rdata that stands from token ``first`` to the last; return its length, or UNSURE."""
    count: cython.int = tokens.count - first
    if count < 1:
        return UNSURE
    if rdtype == 1:  # A
        return 4 if count == 1 and address4(tokens, first, out, at) else UNSURE
    if rdtype == 28:  # AAAA
        return 16 if count == 1 and address6(tokens, first, out, at) else UNSURE
    if rdtype == 2 or rdtype == 5 or rdtype == 12 or rdtype == 39:  # NS, CNAME, PTR, DNAME
        return name(tokens, first, out, at) if count == 1 else UNSURE
    if rdtype == 15:  # MX
        if count != 2 or not _numbers(tokens, first, out, at, 2, 1):
            return UNSURE
        return _after(2, name(tokens, first + 1, out, at + 2))
    if rdtype == 33:  # SRV
        if count != 4 or not _numbers(tokens, first, out, at, 2, 3):
            return UNSURE
        return _after(6, name(tokens, first + 3, out, at + 6))
    if rdtype == 16:
        return _txt(tokens, first, out, at)
    if rdtype == 6:
        return _soa(tokens, first, out, at)
    if rdtype == 257:
        return _caa(tokens, first, out, at) if count == 3 else UNSURE
    if rdtype == 43:
        return _ds(tokens, first, out, at) if count > 3 else UNSURE
    if rdtype == 52:
        return _tlsa(tokens, first, out, at) if count > 3 else UNSURE
    if rdtype == 48:
        return _dnskey(tokens, first, out, at) if count > 3 else UNSURE
    if rdtype == 46:
        return _rrsig(tokens, first, out, at) if count > 8 else UNSURE
    if rdtype == 47:  # NSEC
        length: cython.int = name(tokens, first, out, at)
        return _after(length, _bitmap(tokens, first + 1, out, at + length)) if length > 0 else UNSURE
    if rdtype == 50:
        return _nsec3(tokens, first, out, at) if count > 4 else UNSURE
    if rdtype == 51:  # NSEC3PARAM
        if count != 4 or not _numbers(tokens, first, out, at, 1, 2) or not _numbers(tokens, first + 2, out, at + 2, 2, 1):
            return UNSURE
        return _after(4, _salt(tokens, first + 3, out, at + 4))
    return UNSURE


def _after(before, more):
    """Return the whole length, or UNSURE where the second part is."""
    return before + more if more >= 0 else UNSURE


def _put(out, at, value, octets):
    """Write a number, the highest octet first."""
    while octets:
        octets -= 1
        out[at + octets] = value & 255
        value >>= 8


def _numbers(tokens, first, out, at, octets, count):
    """Write some numbers of 1, 2 or 4 octets each."""
    value: cython.longlong
    while count:
        value = number(tokens, first, _MOST_8 if octets == 1 else _MOST_16 if octets == 2 else _MOST_32)
        if value < 0:
            return False
        _put(out, at, value, octets)
        at += octets
        first += 1
        count -= 1
    return True


def _soa(tokens, first, out, at):
    if tokens.count - first != 7:
        return UNSURE
    length: cython.int = name(tokens, first, out, at)
    if length < 0:
        return UNSURE
    more: cython.int = name(tokens, first + 1, out, at + length)
    if more < 0:
        return UNSURE
    length += more
    if not _numbers(tokens, first + 2, out, at + length, 4, 1):
        return UNSURE
    value: cython.longlong
    i: cython.int
    for i in range(1, 5):
        value = seconds(tokens, first + 2 + i)
        if value < 0:
            return UNSURE
        _put(out, at + length + 4 * i, value, 4)
    return length + 20


def _txt(tokens, first, out, at):
    length: cython.int
    begin: cython.uint = at
    while first < tokens.count:
        length = string(tokens, first, out, at + 1)
        if length < 0 or length > 255:
            return UNSURE
        out[at] = length
        at += 1 + length
        first += 1
    return at - begin if at - begin <= 65535 else UNSURE


def _caa(tokens, first, out, at):
    i: cython.uint
    character: cython.int
    tag: cython.uint = tokens.lengths[first + 1]
    value: cython.uint = tokens.lengths[first + 2]
    if not _numbers(tokens, first, out, at, 1, 1) or (tokens.marks[first + 1] | tokens.marks[first + 2]) & ESCAPED:
        return UNSURE
    if tag == 0 or tag > 255 or value > 60000:
        return UNSURE
    out[at + 1] = tag
    string(tokens, first + 1, out, at + 2)
    for i in range(tag):
        character = out[at + 2 + i]
        if not (_ZERO <= character <= 57 or 97 <= (character | 32) <= 122):
            return UNSURE
    string(tokens, first + 2, out, at + 2 + tag)
    return 2 + tag + value


def _ds(tokens, first, out, at):
    if (
        not _numbers(tokens, first, out, at, 2, 1)
        or not _numbers(tokens, first + 1, out, at + 2, 1, 1)
        or not _numbers(tokens, first + 2, out, at + 3, 1, 1)
    ):
        return UNSURE
    length: cython.int = hexadecimal(tokens, first + 3, tokens.count, out, at + 4)
    kind: cython.int = out[at + 3]
    if (kind == 1 and length == 20) or (kind == 2 and length == 32) or (kind == 4 and length == 48):
        return 4 + length
    return UNSURE


def _tlsa(tokens, first, out, at):
    if not _numbers(tokens, first, out, at, 1, 3):
        return UNSURE
    length: cython.int = hexadecimal(tokens, first + 3, tokens.count, out, at + 3)
    kind: cython.int = out[at + 2]
    if length < 1 or length > 65000 or (kind == 1 and length != 32) or (kind == 2 and length != 64):
        return UNSURE
    return 3 + length


def _dnskey(tokens, first, out, at):
    if (
        not _numbers(tokens, first, out, at, 2, 1)
        or not _numbers(tokens, first + 1, out, at + 2, 1, 1)
        or not _numbers(tokens, first + 2, out, at + 3, 1, 1)
    ):
        return UNSURE
    length: cython.int = base64(tokens, first + 3, tokens.count, out, at + 4)
    return 4 + length if 0 < length <= 65000 else UNSURE


def _rrsig(tokens, first, out, at):
    if tokens.marks[first] or not _numbers(tokens, first + 1, out, at + 2, 1, 2):
        return UNSURE
    covered: cython.int = tokens.types.of(tokens.text, tokens.starts[first], tokens.lengths[first])
    ttl: cython.longlong = seconds(tokens, first + 3)
    expiration: cython.longlong = _moment(tokens, first + 4)
    inception: cython.longlong = _moment(tokens, first + 5)
    if covered == NO_TYPE or ttl < 0 or expiration < 0 or inception < 0:
        return UNSURE
    _put(out, at, covered, 2)
    _put(out, at + 4, ttl, 4)
    _put(out, at + 8, expiration, 4)
    _put(out, at + 12, inception, 4)
    if not _numbers(tokens, first + 6, out, at + 16, 2, 1):
        return UNSURE
    length: cython.int = name(tokens, first + 7, out, at + 18)
    if length < 0:
        return UNSURE
    signature: cython.int = base64(tokens, first + 8, tokens.count, out, at + 18 + length)
    return 18 + length + signature if 0 < signature <= 65000 else UNSURE


def _moment(tokens, token):
    """Return the seconds since 1970 of a time that is written as YYYYMMDDHHmmSS, or as seconds (RFC 4034 section 3.2)."""
    if tokens.marks[token]:
        return UNSURE
    if tokens.lengths[token] != 14:
        return number(tokens, token, _MOST_32)
    text = tokens.text
    at: cython.uint = tokens.starts[token]
    i: cython.uint
    for i in range(14):
        if text[at + i] < _ZERO or text[at + i] > 57:
            return UNSURE
    year: cython.int = 0
    for i in range(4):
        year = 10 * year + (text[at + i] - _ZERO)
    month: cython.int = 10 * (text[at + 4] - _ZERO) + (text[at + 5] - _ZERO)
    day: cython.int = 10 * (text[at + 6] - _ZERO) + (text[at + 7] - _ZERO)
    hour: cython.int = 10 * (text[at + 8] - _ZERO) + (text[at + 9] - _ZERO)
    minute: cython.int = 10 * (text[at + 10] - _ZERO) + (text[at + 11] - _ZERO)
    second: cython.int = 10 * (text[at + 12] - _ZERO) + (text[at + 13] - _ZERO)
    # Before 2105 every fourth year is a leap year but for none; days that not every month has are for the reader in Python.
    if year < 1970 or year > 2099 or month < 1 or month > 12 or day < 1 or day > 28 or hour > 23 or minute > 59 or second > 59:
        if not (year >= 1970 and year <= 2099 and 29 <= day <= 30 and 1 <= month <= 12 and month != 2):
            return UNSURE
        if hour > 23 or minute > 59 or second > 59:
            return UNSURE
    leap_days: cython.longlong = (year - 1969) >> 2
    days: cython.longlong = 365 * cython.cast(cython.longlong, year - 1970) + leap_days + day - 1
    # Days before the month: 30.6 a month from March on.
    if month > 1:
        days += 31
    if month > 2:
        days += 28 + (1 if year & 3 == 0 else 0)
    for i in range(3, month):
        days += 30 if i == 4 or i == 6 or i == 9 or i == 11 else 31
    return ((days * 24 + hour) * 60 + minute) * 60 + second


def _nsec3(tokens, first, out, at):
    if not _numbers(tokens, first, out, at, 1, 2) or not _numbers(tokens, first + 2, out, at + 2, 2, 1):
        return UNSURE
    length: cython.int = _after(4, _salt(tokens, first + 3, out, at + 4))
    if length < 0:
        return UNSURE
    hashed: cython.int = base32(tokens, first + 4, out, at + length + 1)
    if hashed < 1 or hashed > 255:
        return UNSURE
    out[at + length] = hashed
    length += 1 + hashed
    return _after(length, _bitmap(tokens, first + 5, out, at + length))


def _salt(tokens, token, out, at):
    """Write a salt and its length; ``-`` is none."""
    if tokens.lengths[token] == 1 and not tokens.marks[token] and tokens.text[tokens.starts[token]] == 45:
        out[at] = 0
        return 1
    length: cython.int = hexadecimal(tokens, token, token + 1, out, at + 1)
    if length < 1 or length > 255:
        return UNSURE
    out[at] = length
    return 1 + length


def _bitmap(tokens, first, out, at):
    """Write the types that an owner has (RFC 4034 section 4.1.2)."""
    begin: cython.uint = at
    window: cython.int
    token: cython.int
    rdtype: cython.int
    octets: cython.int
    i: cython.int
    left: cython.int = tokens.count - first
    for token in range(first, tokens.count):
        if tokens.marks[token] & (QUOTED | ESCAPED):
            return UNSURE
        if tokens.types.of(tokens.text, tokens.starts[token], tokens.lengths[token]) == NO_TYPE:
            return UNSURE
    for window in range(256):
        if left == 0:
            break
        octets = 0
        for token in range(first, tokens.count):
            rdtype = tokens.types.of(tokens.text, tokens.starts[token], tokens.lengths[token])
            if (rdtype >> 8) != window:
                continue
            left -= 1
            if octets == 0:
                for i in range(34):
                    out[at + i] = 0
            i = (rdtype & 255) >> 3
            out[at + 2 + i] |= 128 >> (rdtype & 7)
            if i + 1 > octets:
                octets = i + 1
        if octets:
            out[at] = window
            out[at + 1] = octets
            at += 2 + octets
    return at - begin
