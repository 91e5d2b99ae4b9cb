"""Zone-file text cut into entries and tokens, as ``scan`` does it, but as numbers in arrays and over octets.

It cuts the text exactly as ``scan`` does, or says that it is not sure: then the entry, or the whole text, is for ``scan``. The
same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.fast_types import TypeNames

if not cython.compiled:
    MOST_TOKENS = 512
    QUOTED = 1
    ESCAPED = 2
    REFUSED, NOTHING, ENTRY = -1, 0, 1

_WORD = cython.declare(cython.int, 0)
_BLANK = cython.declare(cython.int, 1)
_NEWLINE = cython.declare(cython.int, 2)
_COMMENT = cython.declare(cython.int, 3)
_OPEN = cython.declare(cython.int, 4)
_CLOSE = cython.declare(cython.int, 5)
_QUOTE = cython.declare(cython.int, 6)
_BACKSLASH = cython.declare(cython.int, 7)
_NOT_ASCII = cython.declare(cython.int, 8)

_CR = cython.declare(cython.int, 13)
_LF = cython.declare(cython.int, 10)


class Tokens:
    """The entry that was cut last.

    ``starts`` and ``lengths`` say where its tokens stand in the text, without quotes; ``marks`` which are quoted or have escapes.
    The entry stands between ``begin`` and ``end``; ``lines`` end before it.
    """

    def __init__(self) -> None:
        self.types = TypeNames()
        if not cython.compiled:
            self.starts = [0] * MOST_TOKENS
            self.lengths = [0] * MOST_TOKENS
            self.marks = [0] * MOST_TOKENS
            self.kinds = [0] * 256
            self.origin = bytearray(256)
        octet: cython.int
        for octet in range(256):
            self.kinds[octet] = _WORD if octet < 128 else _NOT_ASCII
        for octet in b" \t\f\v":
            self.kinds[octet] = _BLANK
        self.kinds[_CR] = self.kinds[_LF] = _NEWLINE
        self.kinds[ord(";")] = _COMMENT
        self.kinds[ord("(")] = _OPEN
        self.kinds[ord(")")] = _CLOSE
        self.kinds[ord('"')] = _QUOTE
        self.kinds[ord("\\")] = _BACKSLASH

    def begin_text(self, text: bytes, origin: bytes) -> None:
        """Begin with a text that is UTF-8, and an origin in wire form."""
        self.held = text
        if cython.compiled:
            self.take_text(cython.cast(cython.p_uchar, cython.cast(cython.p_char, text)), len(text))
        else:
            self.take_text(text, len(text))
        self.set_origin(origin)

    def take_text(self, text, size):
        """Begin with a text that somebody else holds; the origin is set apart."""
        self.text = text
        self.size = size
        self.begin = self.end = 0
        if size >= 3 and text[0] == 0xEF and text[1] == 0xBB and text[2] == 0xBF:  # a byte order mark
            self.begin = self.end = 3
        self.lines = self.lines_after = 0

    def take_origin(self, origin, length):
        """Set what relative names end in."""
        place: cython.int
        self.origin_length = length
        for place in range(length):
            self.origin[place] = origin[place]

    def let_go(self) -> None:
        """Forget the text."""
        self.held = b""
        self.size = 0

    def set_origin(self, origin: bytes) -> None:
        """Set what relative names end in."""
        if cython.compiled:
            self.take_origin(cython.cast(cython.p_uchar, cython.cast(cython.p_char, origin)), len(origin))
        else:
            self.take_origin(origin, len(origin))

    def origin_name(self) -> bytes:
        """Return the origin."""
        return bytes(self.origin[: self.origin_length])

    def entry_text(self) -> bytes:
        """Return the entry's text."""
        return self.held[self.begin : self.end]

    def count_lines(self):
        """Return how many line feeds the text has."""
        text = self.text
        at: cython.uint
        lines: cython.uint = 0
        for at in range(self.size):
            lines += text[at] == _LF
        return lines

    def _take(self, start, end, mark, before):
        if start == before or self.count == MOST_TOKENS:  # glued to the token before, or too many
            self.unsure = True
            return False
        self.starts[self.count] = start
        self.lengths[self.count] = end - start
        self.marks[self.count] = mark
        self.count += 1
        return True

    def cut(self):
        """Cut the next entry; tell whether there is an ENTRY, NOTHING any more, or a text that must be REFUSED."""
        text = self.text
        size: cython.uint = self.size
        at: cython.uint = self.end
        start: cython.uint
        before: cython.uint = 0xFFFFFFFF  # where the token before ended
        kind: cython.int
        mark: cython.int
        depth: cython.int = 0
        at_start: cython.bint = True
        self.lines = self.lines_after
        self.begin = at
        self.count = 0
        self.unsure = self.blank_owner = False
        while at < size:
            kind = self.kinds[text[at]]
            if kind == _BLANK:
                if at_start:
                    self.blank_owner = True
                    at_start = False
                at += 1
            elif kind == _NEWLINE:
                at += 2 if text[at] == _CR and at + 1 < size and text[at + 1] == _LF else 1
                self.lines_after += 1
                if depth == 0:
                    if self.count or self.unsure:
                        self.end = at
                        return ENTRY
                    self.begin = at
                    self.lines = self.lines_after
                    self.blank_owner = False
                    at_start = True
            elif kind == _COMMENT:
                at_start = False
                while at < size and text[at] != _LF and text[at] != _CR:
                    at += 1
            elif kind == _OPEN:
                at_start = False
                depth += 1
                at += 1
            elif kind == _CLOSE:
                at_start = False
                if depth == 0:
                    return REFUSED
                depth -= 1
                at += 1
            elif kind == _QUOTE:
                at_start = False
                mark = QUOTED
                start = at
                at += 1
                while True:
                    if at >= size:
                        return REFUSED
                    kind = self.kinds[text[at]]
                    if kind == _QUOTE:
                        break
                    if kind == _NEWLINE:
                        return REFUSED
                    if kind == _NOT_ASCII:
                        self.unsure = True
                    elif kind == _BACKSLASH:
                        mark = QUOTED | ESCAPED
                        at += 1
                        if at >= size or self.kinds[text[at]] == _NEWLINE:
                            return REFUSED
                        if text[at] & 128:
                            self.unsure = True
                    at += 1
                at += 1
                if self._take(start, at, mark, before):
                    self.starts[self.count - 1] += 1
                    self.lengths[self.count - 1] -= 2
                before = at
            else:
                at_start = False
                mark = 0
                start = at
                while at < size:
                    kind = self.kinds[text[at]]
                    if kind == _WORD:
                        at += 1
                    elif kind == _BACKSLASH:
                        mark = ESCAPED
                        at += 1
                        if at >= size or self.kinds[text[at]] == _NEWLINE:
                            return REFUSED
                        if text[at] & 128:
                            self.unsure = True
                        at += 1
                    elif kind == _NOT_ASCII:
                        self.unsure = True
                        at += 1
                    else:
                        break
                self._take(start, at, mark, before)
                before = at
        if depth:
            return REFUSED
        self.end = at
        return ENTRY if self.count or self.unsure else NOTHING
