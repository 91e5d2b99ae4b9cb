"""Zone-file text to packed records, without a Python object per record.

It reads what is common and plain: ``$ORIGIN``, ``$TTL``, owners in all their forms, TTL and class in either order, parentheses,
quotes, escapes, the usual types. At an entry that it is not sure of it stops; ``load`` hands that entry to ``records``, and goes
on behind it. What it does read, it reads as ``records`` does. The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.fast_tokens import Tokens
from mailname.zone.packed import PackedRecords

if cython.compiled:
    from cython.cimports.mailname.zone.fast_fields import name, seconds
    from cython.cimports.mailname.zone.fast_rdata import read_rdata
    from cython.cimports.mailname.zone.fast_tokens import NOTHING, QUOTED, REFUSED
    from cython.cimports.mailname.zone.fast_types import NO_TYPE
else:
    from mailname.zone.fast_fields import name, seconds
    from mailname.zone.fast_rdata import read_rdata
    from mailname.zone.fast_tokens import NOTHING, QUOTED, REFUSED
    from mailname.zone.fast_types import NO_TYPE

    DONE = 0
    STOPPED = 1  # at an entry that is not plain
    UNREADABLE = -1  # this text cannot be cut into entries, or there is no memory

_LARGE = cython.declare(cython.uint, 1 << 20)
_MOST = cython.declare(cython.uint, 1 << 30)
_HIGHEST_TTL = cython.declare(cython.longlong, 0x7FFFFFFF)


class Scanner:
    """The state of scanning: the same that ``records`` keeps while it reads.

    Attributes:
        tokens: the entry read last.
        packed: the records so far.
        default_ttl: as ``$TTL`` has set it; -1 when nothing has.
        last_ttl: of the last record that had one written; -1 when none had.
        origin_changed: ``$ORIGIN`` was set since the last record.
        warned_of_ttl: a missing TTL was told of.

    """

    def __init__(self) -> None:
        self.tokens = Tokens()
        self.packed = PackedRecords()
        self.owner = 0
        self.has_owner = self.origin_changed = self.warned_of_ttl = False
        self.default_ttl = self.last_ttl = -1

    def begin(self, text: bytes, origin: bytes) -> None:
        """Begin with a text in UTF-8; the origin is in wire form, as spelled."""
        self.tokens.begin_text(text, origin)
        self.start()

    def start(self):
        """Begin with the text that the tokens have taken."""
        self.packed.forget()
        self.has_owner = self.origin_changed = self.warned_of_ttl = False
        self.default_ttl = self.last_ttl = -1

    def run(self) -> int:
        """Scan on; return DONE, STOPPED or UNREADABLE. After STOPPED, ``run`` goes on behind the entry that it stopped at."""
        found: cython.int
        if cython.compiled:
            with cython.nogil:
                found = self.scan()
        else:
            found = self.scan()
        return found

    def owner_name(self) -> "bytes | None":
        """Return the owner that an entry without one would have, in wire form."""
        return self.packed.name_at(self.owner) if self.has_owner else None

    def set_owner(self, owner: bytes) -> None:
        """Set the owner that an entry without one has."""
        self.owner = self.packed.put(owner)
        self.has_owner = True

    def scan(self):
        """Do what ``run`` says, without the interpreter."""
        found: cython.int
        size: cython.uint
        if self.packed.count == 0 and self.tokens.size > _LARGE:
            self._reserve()
        while True:
            found = self.tokens.cut()
            if found == NOTHING:
                return DONE
            if found == REFUSED:
                return UNREADABLE
            # An entry makes no more octets than this: two names, its own text twice, and a bitmap for each of its types.
            if not self.packed.reserve(1024 + 2 * (self.tokens.end - self.tokens.begin) + 34 * self.tokens.count):
                return UNREADABLE
            size = self.packed.size
            if self.tokens.unsure or not self._entry(self.tokens, self.packed):
                self.packed.size = size
                return STOPPED

    def _reserve(self):
        """Make room at once for all that a large text will come to: growing is copying."""
        size: cython.uint = self.tokens.size
        lines: cython.uint = self.tokens.count_lines()
        octets: cython.ulonglong = size + cython.cast(cython.ulonglong, lines) * self.tokens.origin_length
        if octets < _MOST:
            self.packed.reserve_for(lines + 1, cython.cast(cython.uint, octets))

    def _entry(self, tokens, packed):
        """Read one entry; False where it is not plain, and then nothing has changed."""
        text = tokens.text
        start: cython.uint = tokens.starts[0]
        length: cython.int
        owner: cython.uint = self.owner
        if tokens.marks[0] & QUOTED:
            return False
        if text[start] == 36:  # $
            return self._directive(tokens, packed)
        if tokens.blank_owner:
            return self.has_owner and not self.origin_changed and self._record(tokens, packed, 0, owner, start)
        length = name(tokens, 0, packed.data, packed.size)
        if length < 0:
            return False
        owner = packed.size
        packed.size += length
        if not self._record(tokens, packed, 1, owner, start):
            return False
        self.owner = owner
        self.has_owner = True
        self.origin_changed = False
        return True

    def _record(self, tokens, packed, field, owner, start):
        """Read a record whose TTL, class or type is the token ``field``."""
        text = tokens.text
        at: cython.uint
        ttl: cython.longlong = -1
        class_seen: cython.bint = False
        rdtype: cython.int
        length: cython.int
        while True:
            if field >= tokens.count or tokens.marks[field]:
                return False
            at = tokens.starts[field]
            if ttl < 0 and 48 <= text[at] <= 57:
                ttl = seconds(tokens, field)
                if ttl < 0 or ttl > _HIGHEST_TTL:
                    return False
            elif not class_seen and tokens.lengths[field] == 2 and text[at] | 32 == 105 and text[at + 1] | 32 == 110:  # IN
                class_seen = True
            else:
                break
            field += 1
        rdtype = tokens.types.of(text, at, tokens.lengths[field])
        if rdtype == NO_TYPE:
            return False
        at = packed.size
        length = read_rdata(tokens, field + 1, rdtype, packed.data, at)
        if length < 0:
            return False
        if ttl >= 0:
            self.last_ttl = ttl
        elif self.default_ttl >= 0:
            ttl = self.default_ttl
        elif self.last_ttl >= 0 and self.warned_of_ttl:
            ttl = self.last_ttl
        else:
            return False
        packed.size = at + length
        packed.finish(owner, cython.cast(cython.uint, ttl), rdtype, at, length, start)
        return True

    def _directive(self, tokens, packed):
        """Obey ``$TTL`` or ``$ORIGIN``."""
        text = tokens.text
        start: cython.uint = tokens.starts[0]
        length: cython.int = tokens.lengths[0]
        value: cython.longlong
        i: cython.int
        if tokens.blank_owner or tokens.count != 2 or tokens.marks[0]:
            return False
        # $TTL
        if length == 4 and text[start + 1] | 32 == 116 and text[start + 2] | 32 == 116 and text[start + 3] | 32 == 108:
            value = seconds(tokens, 1)
            if value < 0 or value > _HIGHEST_TTL:
                return False
            self.default_ttl = value
            return True
        # $ORIGIN
        if (
            length != 7
            or text[start + 1] | 32 != 111
            or text[start + 2] | 32 != 114
            or text[start + 3] | 32 != 105
            or text[start + 4] | 32 != 103
            or text[start + 5] | 32 != 105
            or text[start + 6] | 32 != 110
        ):
            return False
        length = name(tokens, 1, packed.data, packed.size)
        if length < 0:
            return False
        for i in range(length):
            tokens.origin[i] = packed.data[packed.size + i]
        tokens.origin_length = length
        self.origin_changed = True
        return True
