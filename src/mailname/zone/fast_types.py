"""The names of record types, looked up without a Python object. The same source runs compiled and uncompiled."""

# No `from __future__ import annotations` here: the annotations are C types.
import cython
import dns.rdatatype

if not cython.compiled:
    PLACES = 512
    NO_TYPE = 0

_LONGEST = cython.declare(cython.uint, 12)


class TypeNames:
    """The types of at most twelve letters and digits that a zone may hold."""

    def __init__(self) -> None:
        if not cython.compiled:
            self.keys = [0] * (3 * PLACES)
            self.numbers = [0] * PLACES
        place: cython.uint
        for rdtype in dns.rdatatype.RdataType:
            name = rdtype.name
            if not name.isalnum() or len(name) > _LONGEST or dns.rdatatype.is_metatype(rdtype) or rdtype == 0:
                continue
            padded = name.encode().ljust(_LONGEST, b"\0")
            words = [int.from_bytes(padded[i : i + 4], "big") for i in (0, 4, 8)]
            place = _place(words[0], words[1], words[2])
            while self.numbers[place]:
                place = (place + 1) & (PLACES - 1)
            self.numbers[place] = rdtype
            for i, word in enumerate(words):
                self.keys[3 * place + i] = word

    def of(self, text, start, length):
        """Return the number of the type with this name, NO_TYPE for a name that is not known here."""
        if length == 0 or length > _LONGEST:
            return NO_TYPE
        first: cython.uint = 0
        second: cython.uint = 0
        third: cython.uint = 0
        character: cython.uint
        i: cython.uint
        for i in range(12):
            character = 0
            if i < length:
                character = text[start + i]
                if 97 <= character <= 122:
                    character -= 32
            if i < 4:
                first = (first << 8) | character
            elif i < 8:
                second = (second << 8) | character
            else:
                third = (third << 8) | character
        place: cython.uint = _place(first, second, third)
        while self.numbers[place]:
            if self.keys[3 * place] == first and self.keys[3 * place + 1] == second and self.keys[3 * place + 2] == third:
                return self.numbers[place]
            place = (place + 1) & (PLACES - 1)
        return NO_TYPE


def _place(first, second, third):
    mixed: cython.uint = (first ^ (second << 3) ^ (third << 5)) & 0x7FFFFFFF
    mixed ^= (mixed >> 9) ^ (mixed >> 18)
    return mixed & 511
