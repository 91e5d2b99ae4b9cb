"""Numbers and octets of a zone image. For compiled modules ``plain_octets.pxd`` says the same, so that it costs them no call."""

from __future__ import annotations


def u16(image: bytes, at: int) -> int:
    """Return a number of two octets, the lowest first."""
    return image[at] | (image[at + 1] << 8)


def u32(image: bytes, at: int) -> int:
    """Return a number of four octets, the lowest first."""
    return image[at] | (image[at + 1] << 8) | (image[at + 2] << 16) | (image[at + 3] << 24)


def copy(out: bytearray, at: int, source: bytes, start: int, count: int) -> None:
    """Copy some octets."""
    out[at : at + count] = source[start : start + count]


def same(one: bytes, at: int, other: bytes, start: int, count: int) -> bool:
    """Tell whether some octets are the same."""
    return one[at : at + count] == other[start : start + count]


def first_difference(one: bytes, at: int, other: bytes, start: int, count: int) -> int:
    """Return a number below, at or above zero where ``one`` sorts before, as or behind ``other``."""
    left, right = one[at : at + count], other[start : start + count]
    return (left > right) - (left < right)
