"""The key in a DKIM record: whether it can be read, and is long enough (RFC 6376 section 3.6.1, RFC 8301, RFC 8463)."""

from __future__ import annotations

import base64
import binascii

from mailname.wire.der import BIT_STRING, INTEGER, SEQUENCE, DerReader

LEAST_BITS = 1024  # RFC 8301 section 3.2: receivers do not believe a shorter key
ENOUGH_BITS = 2048  # the same section: signers should not use a shorter one
_ED25519_OCTETS = 32


def key_octets(text: str) -> bytes | None:
    """Return what ``p=`` holds; None where it is no base64 text."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def rsa_bits(octets: bytes) -> int:
    """Return the length of an RSA key, given as SubjectPublicKeyInfo or RSAPublicKey. Raises ValueError when it is neither."""
    outer = DerReader(octets)
    inner = DerReader(outer.take(SEQUENCE))
    if not outer.done():
        raise ValueError("something follows the key")
    if inner.tag() == SEQUENCE:
        inner.skip()  # the algorithm
        bits = inner.take(BIT_STRING)
        inner = DerReader(DerReader(bits[1:]).take(SEQUENCE))
    modulus = inner.take(INTEGER)
    inner.take(INTEGER)
    return int.from_bytes(modulus, "big").bit_length()


def key_faults(tags: dict[str, str]) -> list[str]:
    """Return why no receiver verifies a signature by this key; nothing for a key that was revoked on purpose (p= is empty)."""
    octets = key_octets(tags["p"])
    if octets is None:
        return ["its key (p=) is no base64 text; perhaps a part is missing or doubled"]
    kind = tags.get("k", "rsa").lower()
    if not octets:
        return []
    if kind == "ed25519":
        return [] if len(octets) == _ED25519_OCTETS else [f"its key has {len(octets)} octets, and Ed25519 has {_ED25519_OCTETS}"]
    if kind != "rsa":
        return [f"k={tags['k']} is no kind of key"]
    try:
        bits = rsa_bits(octets)
    except ValueError:
        return ["its key (p=) is no RSA key; perhaps a part is missing"]
    return [f"its key has {bits} bits, and receivers believe none below {LEAST_BITS}"] if bits < LEAST_BITS else []


def key_notes(tags: dict[str, str]) -> list[str]:
    """Return what is worth a word about a key that can be read."""
    octets = key_octets(tags.get("p", "-"))
    if octets is None or key_faults(tags):
        return []
    if not octets:
        return ["is revoked (p= is empty): a letter that is signed with it fails"]
    if tags.get("k", "rsa").lower() == "rsa" and (bits := rsa_bits(octets)) < ENOUGH_BITS:
        return [f"is an RSA key of {bits} bits, and {ENOUGH_BITS} should be used today"]
    return []
