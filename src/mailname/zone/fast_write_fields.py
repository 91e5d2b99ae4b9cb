"""The fields of records, written from octets as text: numbers, times, names, addresses, digits, strings (RFC 1035 section 5.1).

The counterpart of ``fast_fields``. There must be room in ``out``. The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython
import dns.rdatatype

if cython.compiled:
    from cython.cimports.libc.stdlib import free, malloc
    from cython.cimports.libc.string import memcmp
else:
    UNSURE = -1
    NAMED = 512

ROOM = 1 << 21  # octets of text that are held: twice what a record takes, an NSEC of all types that there are

_ZERO = cython.declare(cython.uint, 48)
_DOT = cython.declare(cython.int, 46)
_BACKSLASH = cython.declare(cython.int, 92)
_POINTER = cython.declare(cython.uint, 0xC0)
_TYPE_NAME = cython.declare(cython.uint, 16)  # octets that each has
# Newer than the name servers that people run: with a number, every one of them can read the file.
_YOUNG = (66, 67, 68, 261, 262)


class TextOut:
    """Text that is being written.

    ``at`` is its length so far. ``in_names`` and ``in_strings`` say for each octet how it is written: 0 as it is, 1 behind a
    backslash, 2 as a number.
    """

    def __cinit__(self) -> None:
        if cython.compiled:
            self.out = cython.NULL

    def __init__(self, apex: bytes) -> None:
        """Begin; names that end in the apex, spelled like this, are written relative to it."""
        if cython.compiled:
            self.out = cython.cast(cython.p_uchar, malloc(ROOM))
            if self.out == cython.NULL:
                raise MemoryError
        else:
            self.out = bytearray(ROOM)
            self.apex = bytearray(256)
            self.in_names = bytearray(256)
            self.in_strings = bytearray(256)
            self.type_names = bytearray(16 * NAMED)
            self.digits16 = bytearray(16)
            self.digits32 = bytearray(32)
            self.digits64 = bytearray(64)
        i: cython.int
        place: cython.int
        self.at = 0
        self.apex_length = len(apex)
        for i in range(len(apex)):
            self.apex[i] = apex[i]
        for i in range(256):
            self.in_strings[i] = 0 if 32 <= i < 127 else 2
            self.in_names[i] = 0 if 33 <= i < 127 else 2
        for i in b'"().;\\@$':
            self.in_names[i] = 1
        self.in_strings[34] = self.in_strings[_BACKSLASH] = 1
        for i, place in enumerate(b"0123456789abcdef"):
            self.digits16[i] = place
        for i, place in enumerate(b"0123456789abcdefghijklmnopqrstuv"):
            self.digits32[i] = place
        for i, place in enumerate(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):
            self.digits64[i] = place
        for rdtype in dns.rdatatype.RdataType:
            written = dns.rdatatype.to_text(rdtype).encode()
            if rdtype == 0 or rdtype >= NAMED or rdtype in _YOUNG or dns.rdatatype.is_metatype(rdtype) or len(written) > 15:
                continue
            self.type_names[_TYPE_NAME * rdtype] = len(written)
            for i, place in enumerate(written):
                self.type_names[_TYPE_NAME * rdtype + 1 + i] = place

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.out)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        at, self.at = self.at, 0
        return bytes(self.out[:at])

    def put_text(self, text: bytes) -> None:
        """Write text that is at hand."""
        i: cython.int
        if len(text) > ROOM - self.at:
            raise OverflowError
        for i in range(len(text)):
            self.put(text[i])

    def put(self, character):
        """Write one character."""
        self.out[self.at] = character
        self.at += 1

    def number(self, value):
        """Write a number."""
        end: cython.uint
        rest: cython.uint = value
        self.at += 1
        while rest > 9:
            rest //= 10
            self.at += 1
        end = self.at
        rest = value
        while True:
            end -= 1
            self.out[end] = _ZERO + rest % 10
            rest //= 10
            if rest == 0:
                return

    def type_name(self, rdtype):
        """Write a type: by its name, or as TYPE and its number (RFC 3597 section 5)."""
        i: cython.uint
        place: cython.uint = _TYPE_NAME * rdtype
        if rdtype < NAMED and self.type_names[place]:
            for i in range(self.type_names[place]):
                self.put(self.type_names[place + 1 + i])
            return
        self.put(84)  # T
        self.put(89)  # Y
        self.put(80)  # P
        self.put(69)  # E
        self.number(rdtype)

    def name(self, data, at, end, compressed):
        """Write a name that ends before ``end``, and may end in a pointer to the apex; return its length, or UNSURE."""
        place: cython.uint = at
        stop: cython.uint  # where what is written relative to the apex ends
        relative: cython.bint = False
        while True:
            if place >= end:
                return UNSURE
            if data[place] == 0:
                place += 1
                break
            if data[place] >= _POINTER and compressed:
                relative = True
                break
            if data[place] > 63:
                return UNSURE
            place += 1 + data[place]
        stop = place
        if relative:
            place += 2
            if place > end:
                return UNSURE
        elif self.apex_length > 1 and place - at >= self.apex_length:
            stop = place - self.apex_length
            if self._is_apex(data, stop):
                place = at
                while place < stop:
                    place += 1 + data[place]
                relative = place == stop
                place = stop + self.apex_length
        length: cython.int = place - at
        if relative and stop == at:
            self.put(64)  # @
            return length
        if not relative:
            stop = place - 1
            if stop == at:
                self.put(_DOT)
                return length
        place = at
        while place < stop:
            if place != at:
                self.put(_DOT)
            self._label(data, place)
            place += 1 + data[place]
        if not relative:
            self.put(_DOT)
        return length

    def _is_apex(self, data, at):
        same: cython.bint
        if cython.compiled:
            same = memcmp(data + at, self.apex, self.apex_length) == 0
        else:
            same = data[at : at + self.apex_length] == self.apex[: self.apex_length]
        return same

    def _label(self, data, at):
        i: cython.uint
        octet: cython.uint
        for i in range(at + 1, at + 1 + data[at]):
            octet = data[i]
            if self.in_names[octet] == 0:
                self.put(octet)
            elif self.in_names[octet] == 1:
                self.put(_BACKSLASH)
                self.put(octet)
            else:
                self._escape(octet)

    def string(self, data, at, length, plain):
        """Write a string in quotes; False where it has octets that are written as numbers, and ``plain`` forbids it."""
        i: cython.uint
        octet: cython.uint
        self.put(34)
        for i in range(at, at + length):
            octet = data[i]
            if self.in_strings[octet] == 2:
                if plain:
                    return False
                self._escape(octet)
                continue
            if self.in_strings[octet] == 1:
                self.put(_BACKSLASH)
            self.put(octet)
        self.put(34)
        return True

    def _escape(self, octet):
        self.put(_BACKSLASH)
        self._fixed(octet, 3)

    def _fixed(self, value, digits):
        """Write a number with leading zeros."""
        i: cython.int
        rest: cython.uint = value
        for i in range(digits):
            self.out[self.at + digits - 1 - i] = _ZERO + rest % 10
            rest //= 10
        self.at += digits

    def address4(self, data, at):
        """Write an IPv4 address."""
        i: cython.uint
        for i in range(4):
            if i:
                self.put(_DOT)
            self.number(data[at + i])

    def address6(self, data, at):
        """Write an IPv6 address, the first of its longest runs of zeros left out (RFC 5952 section 4.2)."""
        part: cython.int = 0
        run: cython.int
        gap: cython.int = -1
        longest: cython.int = 1
        value: cython.uint
        shift: cython.int
        while part < 8:
            run = 0
            while part + run < 8 and data[at + 2 * (part + run)] == 0 and data[at + 2 * (part + run) + 1] == 0:
                run += 1
            if run > longest:
                longest = run
                gap = part
            part += run + 1
        part = 0
        while part < 8:
            if part == gap:
                self.put(58)
                part += longest
                if part == 8:
                    self.put(58)
                continue
            if part:
                self.put(58)
            value = (cython.cast(cython.uint, data[at + 2 * part]) << 8) | data[at + 2 * part + 1]
            shift = 12
            while shift and value >> shift == 0:
                shift -= 4
            while shift >= 0:
                self.put(self.digits16[(value >> shift) & 15])
                shift -= 4
            part += 1

    def hexadecimal(self, data, at, end):
        """Write octets as hexadecimal digits."""
        i: cython.uint
        for i in range(at, end):
            self.put(self.digits16[data[i] >> 4])
            self.put(self.digits16[data[i] & 15])

    def base64(self, data, at, end):
        """Write octets in base64 (RFC 4648 section 4)."""
        place: cython.uint = at
        bits: cython.uint
        while end - place >= 3:
            bits = (cython.cast(cython.uint, data[place]) << 16) | (data[place + 1] << 8) | data[place + 2]
            self.put(self.digits64[bits >> 18])
            self.put(self.digits64[(bits >> 12) & 63])
            self.put(self.digits64[(bits >> 6) & 63])
            self.put(self.digits64[bits & 63])
            place += 3
        if place == end:
            return
        bits = cython.cast(cython.uint, data[place]) << 16
        if end - place == 2:
            bits |= data[place + 1] << 8
        self.put(self.digits64[bits >> 18])
        self.put(self.digits64[(bits >> 12) & 63])
        self.put(self.digits64[(bits >> 6) & 63] if end - place == 2 else 61)
        self.put(61)

    def base32(self, data, at, end):
        """Write octets, five or a multiple of it, in base32 with extended hex digits (RFC 4648 section 7)."""
        bits: cython.uint = 0
        held: cython.int = 0
        i: cython.uint
        for i in range(at, end):
            bits = ((bits << 8) | data[i]) & 0xFFFF
            held += 8
            while held >= 5:
                held -= 5
                self.put(self.digits32[(bits >> held) & 31])

    def moment(self, seconds):
        """Write a time as YYYYMMDDHHmmSS (RFC 4034 section 3.2), from seconds since 1970."""
        days: cython.uint = seconds // 86400 + 719468  # since the first of March of the year 0
        rest: cython.uint = seconds % 86400
        of_era: cython.uint = days % 146097
        year: cython.uint = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
        of_year: cython.uint = of_era - (365 * year + year // 4 - year // 100)
        month: cython.uint = (5 * of_year + 2) // 153
        day: cython.uint = of_year - (153 * month + 2) // 5 + 1
        year += days // 146097 * 400
        if month < 10:
            month += 3
        else:
            month -= 9
            year += 1
        self._fixed(year, 4)
        self._fixed(month, 2)
        self._fixed(day, 2)
        self._fixed(rest // 3600, 2)
        self._fixed(rest // 60 % 60, 2)
        self._fixed(rest % 60, 2)
