"""The fields of records, read from tokens into octets: numbers, times, names, addresses, digits, strings.

Each function returns UNSURE (or False) for whatever is not plainly right; the readers of ``rdata_text`` and ``name_text`` then
decide, and find the words. ``out`` must have room. The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.libc.string import memcpy
    from cython.cimports.mailname.zone.fast_tokens import ESCAPED, QUOTED
else:
    from mailname.zone.fast_tokens import ESCAPED, QUOTED

    UNSURE = -1

_ZERO = cython.declare(cython.int, 48)
_DOT = cython.declare(cython.int, 46)
_COLON = cython.declare(cython.int, 58)
_BACKSLASH = cython.declare(cython.int, 92)
_EQUALS = cython.declare(cython.int, 61)


def number(tokens, token, most):
    """Return a whole number of at most ten digits and at most ``most``."""
    length: cython.uint = tokens.lengths[token]
    if tokens.marks[token] or length == 0 or length > 10:
        return UNSURE
    text = tokens.text
    at: cython.uint = tokens.starts[token]
    end: cython.uint = at + length
    value: cython.longlong = 0
    digit: cython.int
    while at < end:
        digit = text[at] - _ZERO
        if digit < 0 or digit > 9:
            return UNSURE
        value = 10 * value + digit
        at += 1
    return value if value <= most else UNSURE


def seconds(tokens, token):
    """Return a time: seconds, or numbers with units, below 2**32."""
    length: cython.uint = tokens.lengths[token]
    if tokens.marks[token] or length == 0 or length > 64:
        return UNSURE
    text = tokens.text
    at: cython.uint = tokens.starts[token]
    end: cython.uint = at + length
    value: cython.longlong = 0
    part: cython.longlong = 0
    digits: cython.int = 0
    with_units: cython.bint = False
    character: cython.int
    while at < end:
        character = text[at]
        at += 1
        if _ZERO <= character <= 57:
            part = 10 * part + (character - _ZERO)
            digits += 1
            if digits > 10:
                return UNSURE
            continue
        if digits == 0:
            return UNSURE
        character |= 32
        if character == 119:  # w
            part *= 604800
        elif character == 100:  # d
            part *= 86400
        elif character == 104:  # h
            part *= 3600
        elif character == 109:  # m
            part *= 60
        elif character != 115:  # s
            return UNSURE
        value += part
        part = 0
        digits = 0
        with_units = True
    if digits:
        if with_units:
            return UNSURE
        value = part
    return value if (value >> 32) == 0 else UNSURE


def name(tokens, token, out, at):
    """Write a name in wire form, with the origin where it is relative; return its length."""
    if tokens.marks[token] & QUOTED:
        return UNSURE
    text = tokens.text
    place: cython.uint = tokens.starts[token]
    end: cython.uint = place + tokens.lengths[token]
    begin: cython.uint = at
    label: cython.uint = at  # where the label's length goes
    character: cython.int
    length: cython.int
    i: cython.int
    if end - place == 1 and text[place] == _DOT:
        out[at] = 0
        return 1
    if not (end - place == 1 and text[place] == 64):  # @
        if end - place > 1000:
            return UNSURE
        at += 1
        while place < end:
            character = text[place]
            place += 1
            if character == _DOT:
                length = at - label - 1
                if length == 0 or length > 63:
                    return UNSURE
                out[label] = length
                label = at
                at += 1
                continue
            if character == _BACKSLASH:
                character = _escape(text, place, end)
                if character < 0:
                    return UNSURE
                place += 3 if _ZERO <= text[place] <= 57 else 1
            if at - begin > 254:
                return UNSURE
            out[at] = character
            at += 1
        length = at - label - 1
        if length == 0:  # it ended in a dot
            out[label] = 0
            return at - begin if at - begin <= 255 else UNSURE
        if length > 63:
            return UNSURE
        out[label] = length
    if at - begin + tokens.origin_length > 255:
        return UNSURE
    if cython.compiled:
        memcpy(out + at, tokens.origin, tokens.origin_length)
    else:
        for i in range(tokens.origin_length):
            out[at + i] = tokens.origin[i]
    return at - begin + tokens.origin_length


def _escape(text, at, end):
    """Return the octet that is written behind a backslash."""
    if at >= end:
        return UNSURE
    value: cython.int = text[at]
    if value < _ZERO or value > 57:
        return value if value < 128 else UNSURE
    if at + 3 > end:
        return UNSURE
    if text[at + 1] < _ZERO or text[at + 1] > 57 or text[at + 2] < _ZERO or text[at + 2] > 57:
        return UNSURE
    value = 100 * (value - _ZERO) + 10 * (text[at + 1] - _ZERO) + (text[at + 2] - _ZERO)
    return value if value < 256 else UNSURE


def address4(tokens, token, out, at):
    """Write an IPv4 address."""
    if tokens.marks[token] or tokens.lengths[token] > 15:
        return False
    text = tokens.text
    place: cython.uint = tokens.starts[token]
    end: cython.uint = place + tokens.lengths[token]
    parts: cython.int = 0
    digits: cython.int = 0
    value: cython.int = 0
    digit: cython.int
    while place < end:
        digit = text[place] - _ZERO
        if 0 <= digit <= 9:
            if digits and value == 0:  # no leading zeros
                return False
            value = 10 * value + digit
            digits += 1
            if value > 255:
                return False
        elif text[place] == _DOT and digits and parts < 3:
            out[at + parts] = value
            parts += 1
            value = 0
            digits = 0
        else:
            return False
        place += 1
    if parts != 3 or digits == 0:
        return False
    out[at + 3] = value
    return True


def address6(tokens, token, out, at):
    """Write an IPv6 address, which has no part in IPv4's form."""
    if tokens.marks[token] or tokens.lengths[token] > 39 or tokens.lengths[token] < 2:
        return False
    text = tokens.text
    place: cython.uint = tokens.starts[token]
    end: cython.uint = place + tokens.lengths[token]
    parts: cython.int = 0
    gap: cython.int = -1  # how many parts stand before "::"
    digits: cython.int
    value: cython.uint
    digit: cython.int
    i: cython.int
    moved: cython.int
    if text[place] == _COLON:
        if text[place + 1] != _COLON:
            return False
        gap = 0
        place += 2
    while place < end:
        value = 0
        digits = 0
        while place < end:
            digit = _digit16(text[place])
            if digit < 0:
                break
            value = (value << 4) | digit
            digits += 1
            place += 1
            if digits > 4:
                return False
        if digits == 0 or parts == 8:
            return False
        out[at + 2 * parts] = value >> 8
        out[at + 2 * parts + 1] = value & 255
        parts += 1
        if place == end:
            break
        if text[place] != _COLON or place + 1 == end:
            return False
        place += 1
        if text[place] == _COLON:
            if gap >= 0:
                return False
            gap = parts
            place += 1
    if gap < 0:
        return parts == 8
    if parts > 7:
        return False
    moved = 2 * (parts - gap)
    for i in range(moved):
        out[at + 15 - i] = out[at + 2 * parts - 1 - i]
    for i in range(2 * gap, 16 - moved):
        out[at + i] = 0
    return True


def hexadecimal(tokens, first, last, out, at):
    """Write the octets of the hexadecimal digits from token ``first`` to before ``last``; return how many."""
    text = tokens.text
    place: cython.uint
    end: cython.uint
    half: cython.int = -1
    digit: cython.int
    begin: cython.uint = at
    while first < last:
        if tokens.marks[first]:
            return UNSURE
        place = tokens.starts[first]
        end = place + tokens.lengths[first]
        while place < end:
            digit = _digit16(text[place])
            if digit < 0:
                return UNSURE
            if half < 0:
                half = digit
            else:
                out[at] = (half << 4) | digit
                at += 1
                half = -1
            place += 1
        first += 1
    return at - begin if half < 0 else UNSURE


def base64(tokens, first, last, out, at):
    """Write the octets of the base64 digits from token ``first`` to before ``last``; return how many."""
    text = tokens.text
    place: cython.uint
    end: cython.uint
    digits: cython.int = 0
    padding: cython.int = 0
    bits: cython.uint = 0
    digit: cython.int
    begin: cython.uint = at
    while first < last:
        if tokens.marks[first]:
            return UNSURE
        place = tokens.starts[first]
        end = place + tokens.lengths[first]
        while place < end:
            if text[place] == _EQUALS:
                padding += 1
            else:
                digit = _digit64(text[place])
                if digit < 0 or padding:
                    return UNSURE
                bits = ((bits << 6) | digit) & 0xFFFFFF
                digits += 1
                if digits == 4:
                    out[at] = bits >> 16
                    out[at + 1] = (bits >> 8) & 255
                    out[at + 2] = bits & 255
                    at += 3
                    digits = 0
            place += 1
        first += 1
    if digits == 0:
        return at - begin if padding == 0 else UNSURE
    if digits + padding != 4 or padding > 2:
        return UNSURE
    out[at] = (bits >> 4) & 255 if digits == 2 else (bits >> 10) & 255
    at += 1
    if digits == 3:
        out[at] = (bits >> 2) & 255
        at += 1
    return at - begin


def base32(tokens, token, out, at):
    """Write the octets of base32hex digits that come to whole octets, without padding; return how many."""
    text = tokens.text
    place: cython.uint = tokens.starts[token]
    end: cython.uint = place + tokens.lengths[token]
    if tokens.marks[token] or (end - place) & 7 or end - place > 400:
        return UNSURE
    bits: cython.uint = 0
    held: cython.int = 0
    digit: cython.int
    begin: cython.uint = at
    while place < end:
        digit = _digit32(text[place])
        if digit < 0:
            return UNSURE
        bits = ((bits << 5) | digit) & 0xFFFF
        held += 5
        if held >= 8:
            held -= 8
            out[at] = (bits >> held) & 255
            at += 1
        place += 1
    return at - begin


def string(tokens, token, out, at):
    """Write a string's octets, escapes resolved; return how many."""
    text = tokens.text
    place: cython.uint = tokens.starts[token]
    length: cython.uint = tokens.lengths[token]
    end: cython.uint = place + length
    begin: cython.uint = at
    character: cython.int
    if not tokens.marks[token] & ESCAPED:
        if cython.compiled:
            memcpy(out + at, text + place, length)
        else:
            out[at : at + length] = text[place:end]
        return length
    while place < end:
        character = text[place]
        place += 1
        if character == _BACKSLASH:
            character = _escape(text, place, end)
            if character < 0:
                return UNSURE
            place += 3 if _ZERO <= text[place] <= 57 else 1
        out[at] = character
        at += 1
    return at - begin


def _digit16(character):
    if _ZERO <= character <= 57:
        return character - _ZERO
    letter: cython.int = character | 32
    return letter - 87 if 97 <= letter <= 102 else UNSURE


def _digit32(character):
    if _ZERO <= character <= 57:
        return character - _ZERO
    letter: cython.int = character | 32
    return letter - 87 if 97 <= letter <= 118 else UNSURE


def _digit64(character):
    if 65 <= character <= 90:
        return character - 65
    if 97 <= character <= 122:
        return character - 71
    if _ZERO <= character <= 57:
        return character + 4
    if character == 43:
        return 62
    return 63 if character == 47 else UNSURE
