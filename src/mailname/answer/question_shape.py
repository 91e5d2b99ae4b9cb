"""What a question's header and OPT record mean for its answer: two questions of one shape that ask the same get the same."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from mailname.wire.edns import CLASSIC_PAYLOAD, PAYLOAD, OptionCode

if TYPE_CHECKING:
    from mailname.answer.settings import Settings

_MOST_KNOWN = 1000  # shapes
_OPT_SIZE = 11
_HEAD = struct.Struct("!6H")
_OPT = struct.Struct("!BHHBBBBH")
_OPTION = struct.Struct("!HH")
_SHORTEST = 17  # octets up to the end of a question
_NOT_QUERY = 0xF800  # QR and opcode
_RD = 0x0100
_SOA = b"\0\6"


class Shape(NamedTuple):
    """One shape.

    Attributes:
        key: RD, whether there is an OPT record, DO, and the class that the limit falls into.
        limit: octets that the answer may have.

    """

    key: bytes
    limit: int


class Shapes:
    """Reads shapes.

    Attributes:
        known: those that have been met, by the octets around the question's name and type.

    """

    __slots__ = ("_spoken", "known")

    def __init__(self, settings: Settings) -> None:
        self.known: dict[bytes, Shape] = {}
        #: Options whose answer is not the question's alone.
        self._spoken = {
            *((OptionCode.NSID,) if settings.nsid is not None else ()),
            *((OptionCode.COOKIE,) if settings.cookie_secrets else ()),
        }

    def of(self, wire: bytes, question_ends: int) -> Shape | None:
        """Return the shape of a message whose question ends there; None for what is no ordinary question.

        Ordinary is: QUERY, one question, of class IN, at most an OPT record of version 0 whose options may all be ignored.
        """
        around = wire[2:12] + wire[question_ends - 2 :]
        known = self.known.get(around)
        if known is not None:
            return known
        return self._read(around, wire[question_ends - 4 : question_ends - 2]) if question_ends >= _SHORTEST else None

    def _read(self, around: bytes, rdtype: bytes) -> Shape | None:
        if len(around) < _HEAD.size:
            return None
        flags, questions, answers, authority, additional, rdclass = _HEAD.unpack_from(around)
        if flags & _NOT_QUERY or questions != 1 or answers or authority or additional > 1 or rdclass != 1:
            return None
        recursion = bool(flags & _RD)
        if not additional:
            return self._remembered(around, Shape(bytes([recursion]), CLASSIC_PAYLOAD)) if len(around) == _HEAD.size else None
        if len(around) < _HEAD.size + _OPT_SIZE:
            return None
        root, kind, payload, _, version, high, _, size = _OPT.unpack_from(around, _HEAD.size)
        if root or kind != 41 or version or len(around) != _HEAD.size + _OPT_SIZE + size:
            return None
        if size and not self._may_be_ignored(around[-size:], rdtype):
            return None
        limit = min(max(payload, CLASSIC_PAYLOAD), PAYLOAD)
        class_of_limit = (limit > CLASSIC_PAYLOAD) + (limit == PAYLOAD)
        shape = Shape(bytes([recursion | 2 | (high >> 7) << 2 | class_of_limit << 3]), limit)
        return shape if size else self._remembered(around, shape)

    def _remembered(self, around: bytes, shape: Shape) -> Shape:
        if len(self.known) >= _MOST_KNOWN:
            self.known.clear()
        self.known[around] = shape
        return shape

    def _may_be_ignored(self, rdata: bytes, rdtype: bytes) -> bool:
        at = 0
        while at + _OPTION.size <= len(rdata):
            code, length = _OPTION.unpack_from(rdata, at)
            # EXPIRE is about the SOA alone (RFC 7314 section 3).
            if code in self._spoken or (code == OptionCode.EXPIRE and rdtype == _SOA):
                return False
            at += _OPTION.size + length
        return at == len(rdata)
