"""Names as a check keeps them: written down once, and compared by what was worked out then.

A check compares the same few dozen names tens of thousands of times. A name of dnspython folds every letter's case anew each
time; it equals ours, and ours it, so both may stand in the same table.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import dns.name

if TYPE_CHECKING:
    from collections.abc import Callable


class KnownName(dns.name.Name):
    """An absolute name that remembers its labels in small letters, and its hash. Made by ``known``.

    Attributes:
        folded: the labels in small letters, in which names are compared.

    """

    __slots__ = ("_hash", "folded")
    folded: tuple[bytes, ...]
    _hash: int

    def __init__(self, labels: tuple[bytes, ...]) -> None:
        """Take the labels of an absolute name."""
        super().__init__(labels)
        object.__setattr__(self, "folded", _folded(labels))
        object.__setattr__(self, "_hash", super().__hash__())

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, KnownName):
            return self.folded == other.folded
        return isinstance(other, dns.name.Name) and self.folded == _folded(other.labels)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def is_subdomain(self, other: dns.name.Name) -> bool:
        """Tell whether this is the other name, or below it."""
        above = other.folded if isinstance(other, KnownName) else _folded(other.labels)
        return bool(above) and self.folded[-len(above) :] == above

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return known, (dns.name.Name(self.labels),)


def _folded(labels: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple([label.lower() for label in labels])


@lru_cache(maxsize=8192)
def _written_so(labels: tuple[bytes, ...]) -> KnownName:
    return KnownName(labels)


def known(name: dns.name.Name) -> dns.name.Name:
    """Return the name as it is kept; the letters stay as they are written. A relative name stays what it is."""
    if isinstance(name, KnownName) or not name.is_absolute():
        return name
    return _written_so(name.labels)
