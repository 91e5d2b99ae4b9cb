"""NOTIFYs that came while the event loop was behind: one for each zone and sender waits, where other questions are dropped.

Whoever asks a dropped question asks again, for as long as it wants the answer. A primary does not: BIND sends a NOTIFY a few
times within a minute, and a zone of which all were dropped stays behind until its refresh, hours later. So a primary that changes
ten thousand zones at once finds room for each of them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from mailname.wire.message import is_notify

if TYPE_CHECKING:
    import socket

_HEADER = 12  # octets before the question
_MOST = 100_000  # zones; a flood of forged ones must not take the memory
_LONGEST = 512  # octets; a NOTIFY holds a question, a SOA and a signature

#: A message as a worker hands it on: the socket; the octets, the sender's sockaddr, ancillary octets.
Handed = tuple["socket.socket", tuple[bytes, bytes, bytes]]


@dataclass(slots=True)
class WaitingNotifies:
    """The line. Workers' threads add to it, the event loop takes from it."""

    _line: dict[tuple[str, bytes], Handed] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, sender: str, handed: Handed) -> bool:
        """Keep a message if it is a NOTIFY; the newest of a zone and a sender stands in the place of the one before.

        Args:
            sender: its address, without the port: a primary may send again from another one.
            handed: what ``take`` returns for it.

        Returns:
            Whether it is the first in the line: somebody has to take from it.

        """
        wire = handed[1][0]
        if not is_notify(wire) or len(wire) > _LONGEST:
            return False
        key = (sender, wire[_HEADER : wire.find(0, _HEADER) + 1].lower())
        with self._lock:
            was_empty = not self._line
            if key in self._line or len(self._line) < _MOST:
                self._line[key] = handed
            return was_empty

    def take(self, most: int) -> tuple[list[Handed], bool]:
        """Return the first of the line, which leave it, and whether others still wait."""
        with self._lock:
            taken = [self._line.pop(key) for key in tuple(islice(self._line, most))]
            return taken, bool(self._line)
