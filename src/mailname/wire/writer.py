"""A message, written record by record into a bounded space, names compressed (RFC 1035 section 4.1.4).

Names are compressed in owners and in the rdata of RFC 1035's own types, nowhere else (RFC 3597 section 4). Compression
compares names without case, so a name that the client spelled in its own way may come back that way in rdata too.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

from mailname.wire.message import HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.wire.message import Question

_FIXED = struct.Struct("!HHIH")
_TYPE_AND_CLASS = struct.Struct("!HH")

ANSWER, AUTHORITY, ADDITIONAL = 1, 2, 3


class MessageWriter:
    """Writes one message of at most ``limit`` octets: the question, then RRsets in the order of the sections."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._out = io.BytesIO()
        self._out.write(bytes(HEADER.size))
        self._names: dict[Name, int] = {}
        self._counts = [0, 0, 0, 0]

    def __len__(self) -> int:
        return self._out.tell()

    def add_question(self, question: Question) -> None:
        """Write the question, spelled as it came."""
        question.name.to_wire(self._out, self._names)
        self._out.write(_TYPE_AND_CLASS.pack(question.rdtype, question.rdclass))
        self._counts[0] += 1

    def add(self, section: int, owner: Name, ttl: int, rdatas: Iterable[Rdata]) -> bool:
        """Write records of one owner, all or none.

        Returns:
            False when they do not fit; the message is then as it was before.

        """
        before = len(self)
        written = 0
        for rdata in rdatas:
            owner.to_wire(self._out, self._names)
            fixed = len(self)
            self._out.write(_FIXED.pack(rdata.rdtype, rdata.rdclass, ttl, 0))
            rdata.to_wire(self._out, self._names)
            end = len(self)
            if end > self.limit:
                self._undo(before)
                return False
            self._out.seek(fixed + _FIXED.size - 2)
            self._out.write((end - fixed - _FIXED.size).to_bytes(2, "big"))
            self._out.seek(end)
            written += 1
        self._counts[section] += written
        return True

    def add_together(self, section: int, rrsets: Iterable[tuple[Name, int, Iterable[Rdata]]]) -> bool:
        """Write several RRsets (owner, TTL, rdatas), all or none; as ``add`` otherwise."""
        before, count = len(self), self._counts[section]
        if all(self.add(section, *rrset) for rrset in rrsets):
            return True
        self._undo(before)
        self._counts[section] = count
        return False

    def finish(self, message_id: int, flags: int, *, last: bytes = b"") -> bytes:
        """Return the message. ``last`` is one more additional record, ready made (OPT), beyond the limit."""
        counts = self._counts if not last else [*self._counts[:3], self._counts[3] + 1]
        return HEADER.pack(message_id, flags, *counts) + self._out.getvalue()[HEADER.size :] + last

    def _undo(self, to: int) -> None:
        self._out.seek(to)
        self._out.truncate()
        self._names = {name: at for name, at in self._names.items() if at < to}
