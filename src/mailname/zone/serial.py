"""SOA serials: compared by RFC 1982, raised in the date form YYYYMMDDnn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

_MODULUS = 1 << 32
_HALF = 1 << 31


class Serial:
    """A 32-bit SOA serial with RFC 1982 comparison.

    Two serials exactly 2**31 apart have no order (RFC 1982 section 3.2): neither is newer than the other.
    """

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        if not 0 <= value < _MODULUS:
            raise ValueError(f"a serial is a number from 0 to 4294967295, not {value}")
        self.value = value

    def is_newer_than(self, other: Serial) -> bool:
        """Tell whether a secondary that holds ``other`` would take this one (RFC 1982 section 3.2)."""
        return 0 < (self.value - other.value) % _MODULUS < _HALF

    def plus(self, increment: int) -> Serial:
        """Add, wrapping at 2**32. The increment is at most 2**31 - 1 (RFC 1982 section 3.1)."""
        if not 0 <= increment < _HALF:
            raise ValueError(f"a serial may be raised by 0 to 2147483647 at once, not {increment}")
        return Serial((self.value + increment) % _MODULUS)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Serial) and self.value == other.value

    def __lt__(self, other: Serial) -> bool:
        return other.is_newer_than(self)

    def __gt__(self, other: Serial) -> bool:
        return self.is_newer_than(other)

    def __le__(self, other: Serial) -> bool:
        return self == other or self < other

    def __ge__(self, other: Serial) -> bool:
        return self == other or self > other

    def __hash__(self) -> int:
        return hash(self.value)

    def __int__(self) -> int:
        return self.value

    def __str__(self) -> str:
        return str(self.value)

    def __repr__(self) -> str:
        return f"Serial({self.value})"


def highest(serials: Iterable[Serial]) -> Serial | None:
    """Return the newest of several serials, or None of none.

    RFC 1982 orders pairs, not sets; serials further apart than 2**31 make a ring. The one that is newer than most wins, so that
    the answer does not depend on the order of the arguments.
    """
    distinct = sorted(set(serials), key=int)
    return max(distinct, key=lambda one: sum(one.is_newer_than(other) for other in distinct), default=None)


def next_serial(today: date, known: Iterable[Serial]) -> Serial:
    """Return the serial for the next version: today's YYYYMMDDnn, or one above the highest known where that is not newer.

    So the hundredth change of a day borrows from tomorrow, and a serial that lies in the future keeps rising by one.

    Args:
        today: the date in UTC.
        known: every serial that any server holds or has announced.

    """
    held = set(known)
    top = highest(held)
    dated = Serial((today.year * 10000 + today.month * 100 + today.day) * 100 % _MODULUS)
    # Date form starts at 00, as the recipe has it. It must be newer than all, not only than the highest: far from them, it may be
    # newer than one and older than another.
    return dated if top is None or all(dated.is_newer_than(one) for one in held) else top.plus(1)
