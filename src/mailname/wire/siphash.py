"""SipHash-2-4: a keyed hash of short messages (Aumasson and Bernstein, 2012), which RFC 9018 section 4.4 wants for DNS cookies.

All servers behind one address must compute the same cookie, so this is no matter of taste; Python's own hash has no key of ours.
"""

from __future__ import annotations

import struct

_MASK = (1 << 64) - 1
_TWO_WORDS = struct.Struct("<QQ")
_WORD = struct.Struct("<Q")


def siphash24(key: bytes, message: bytes) -> bytes:
    """Return the 8 octets of SipHash-2-4, the least first.

    Args:
        key: 16 octets.
        message: what is hashed.

    """
    k0, k1 = _TWO_WORDS.unpack(key)
    state = (k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573)
    whole = len(message) - len(message) % 8
    last = message[whole:] + bytes(7 - len(message) % 8) + bytes([len(message) & 0xFF])
    for (word,) in _WORD.iter_unpack(message[:whole] + last):
        v0, v1, v2, v3 = state
        v0, v1, v2, v3 = _round(*_round(v0, v1, v2, v3 ^ word))
        state = (v0 ^ word, v1, v2, v3)
    v0, v1, v2, v3 = state
    v2 ^= 0xFF
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return _WORD.pack(v0 ^ v1 ^ v2 ^ v3)


def _round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    v0 = v0 + v1 & _MASK
    v1 = (v1 << 13 & _MASK | v1 >> 51) ^ v0
    v0 = v0 << 32 & _MASK | v0 >> 32
    v2 = v2 + v3 & _MASK
    v3 = (v3 << 16 & _MASK | v3 >> 48) ^ v2
    v0 = v0 + v3 & _MASK
    v3 = (v3 << 21 & _MASK | v3 >> 43) ^ v0
    v2 = v2 + v1 & _MASK
    v1 = (v1 << 17 & _MASK | v1 >> 47) ^ v2
    v2 = v2 << 32 & _MASK | v2 >> 32
    return v0, v1, v2, v3
