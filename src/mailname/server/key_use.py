"""Which TSIG key each peer uses with us: what tells that a rotated key may go.

Only signatures that were verified count. It is not kept over a restart: the next question or NOTIFY tells it again.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from mailname.server.clock import iso

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dns.name import Name

    from mailname.server.network import IPAddress
    from mailname.wire.tsig_key import Key

_MOST = 4096  # pairs of key and address; the one that was used longest ago is forgotten first


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The keys of one file, the first of which signs. ``name`` is what peers call them all by; None: each by its own name."""

    path: Path
    name: Name | None
    keys: tuple[Key, ...]


class _Use(NamedTuple):
    at: float
    what: str


@dataclass(slots=True)
class KeyUse:
    """When who last used which key; times are seconds since 1970."""

    _uses: OrderedDict[tuple[Name, IPAddress, str], _Use] = field(default_factory=OrderedDict)

    def verified(self, key: Name, source: IPAddress, what: str, at: float) -> None:
        """Note that a peer's request was signed with a key."""
        self._note((key, source, "used_by"), _Use(at, what))

    def answered(self, key: Name, peer: IPAddress, what: str, at: float) -> None:
        """Note that a peer answered what we had signed with a key, signed with it as well."""
        self._note((key, peer, "answered_by"), _Use(at, what))

    def _note(self, whose: tuple[Name, IPAddress, str], use: _Use) -> None:
        self._uses[whose] = use
        self._uses.move_to_end(whose)
        if len(self._uses) > _MOST:
            self._uses.popitem(last=False)

    def last_used_by(self, source: IPAddress, keys: Sequence[Name]) -> Name | None:
        """Return with which of some keys a peer's last request was signed; None where none came."""
        found = [(use.at, key) for key in keys if (use := self._uses.get((key, source, "used_by"))) is not None]
        return max(found)[1] if found else None

    def _of(self, key: Name, side: str) -> list[dict[str, Any]]:
        return [
            {"address": str(address), "at": iso(use.at), "for": use.what}
            for (name, address, which), use in self._uses.items()
            if (name, which) == (key, side)
        ]

    def status(self, files: Sequence[KeyFile]) -> list[dict[str, Any]]:
        """Return the keys of each file and who uses them, for ``mailname status --json``; never a secret."""
        return [
            {
                "name": file.name.to_text() if file.name is not None else None,
                "file": str(file.path.absolute()),
                "keys": [
                    {
                        "name": key.name.to_text(),
                        "algorithm": key.algorithm.to_text(omit_final_dot=True),
                        "signs": key is file.keys[0],
                        "used_by": self._of(key.name, "used_by"),
                        "answered_by": self._of(key.name, "answered_by"),
                    }
                    for key in file.keys
                ],
            }
            for file in files
        ]
