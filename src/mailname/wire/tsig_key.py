"""TSIG keys: their algorithms, how much of a MAC they send, and their text as BIND writes it (RFC 8945 sections 6 and 8).

Of RFC 8945's algorithms those that are not weak: HMAC with SHA-256, SHA-384 and SHA-512. ``hmac-sha256-128`` in a key's text is
BIND's way to say that MACs of this key are truncated to 128 bits (section 5.2.2.1).
"""

from __future__ import annotations

import base64
import re
import secrets
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.tsig

if TYPE_CHECKING:
    from dns.name import Name

ALGORITHMS = {
    "hmac-sha256": dns.tsig.HMAC_SHA256,
    "hmac-sha384": dns.tsig.HMAC_SHA384,
    "hmac-sha512": dns.tsig.HMAC_SHA512,
}
HASHES = {
    dns.tsig.HMAC_SHA256: ("sha256", 32),
    dns.tsig.HMAC_SHA384: ("sha384", 48),
    dns.tsig.HMAC_SHA512: ("sha512", 64),
}  # the hash's name, and the octets of its output
_SHORTEST = 10  # octets of a truncated MAC, and never less than half of the whole: RFC 8945 section 5.2.2.1
_CLAUSE = re.compile(r'key\s+"?([^"\s{]+)"?\s*\{(.*?)\}\s*;', re.DOTALL)
_QUOTED_OR_COMMENT = re.compile(r'("[^"\n]*")|#[^\n]*|//[^\n]*|/\*.*?\*/', re.DOTALL)  # base64 has slashes, too


class Key(dns.tsig.Key):
    """A key's name, secret and algorithm; its text for people leaves the secret away.

    Attributes:
        mac_octets: how many octets of a MAC are sent, and at least wanted.

    """

    name: Name
    secret: bytes
    algorithm: Name

    def __init__(self, name: Name, secret: bytes, algorithm: Name = dns.tsig.HMAC_SHA256, mac_octets: int = 0) -> None:
        super().__init__(name, secret, algorithm)
        self.mac_octets = mac_octets or HASHES[algorithm][1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self._parts() == other._parts()

    def _parts(self) -> tuple[Name, bytes, Name, int]:
        return self.name, self.secret, self.algorithm, self.mac_octets

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<TSIG key {self.name} {algorithm_text(self)}>"


def shortest_mac(algorithm: Name) -> int:
    """Return the octets that a truncated MAC must have (RFC 8945 section 5.2.2.1)."""
    return max(_SHORTEST, HASHES[algorithm][1] // 2)


def make_key(name: Name, algorithm: str = "hmac-sha256") -> Key:
    """Make a new key with a random secret as long as the algorithm's output (RFC 8945 section 8)."""
    return Key(name, secrets.token_bytes(HASHES[ALGORITHMS[algorithm]][1]), ALGORITHMS[algorithm])


def algorithm_text(key: Key) -> str:
    """Write a key's algorithm as BIND does: ``hmac-sha256``, or ``hmac-sha256-128`` where its MACs are truncated."""
    plain = key.algorithm.to_text(omit_final_dot=True)
    return plain if key.mac_octets == HASHES[key.algorithm][1] else f"{plain}-{key.mac_octets * 8}"


def key_text(key: Key) -> str:
    """Write a key as BIND's ``tsig-keygen`` does, so that ``dig -k`` and ``named.conf`` can read it. This text is a secret."""
    secret = base64.b64encode(key.secret).decode()
    name = key.name.to_text(omit_final_dot=True)
    return f'key "{name}" {{\n\talgorithm {algorithm_text(key)};\n\tsecret "{secret}";\n}};\n'


def parse_keys(text: str) -> tuple[Key, ...]:
    """Read the keys that a file holds, in their order, as ``key_text`` or ``tsig-keygen`` writes them.

    Raises:
        ValueError: with a sentence without a secret in it.

    """
    keys = tuple(_key(name, body) for name, body in _CLAUSE.findall(_QUOTED_OR_COMMENT.sub(r"\1", text)))
    if not keys:
        raise ValueError('there is no clause of the form: key "NAME" { algorithm hmac-sha256; secret "..."; };')
    if len({key.name for key in keys}) < len(keys):
        raise ValueError("two of its keys have the same name")
    return keys


def parse_key(text: str) -> Key:
    """Read the one key of a text, or the first of several. Raises what ``parse_keys`` does."""
    return parse_keys(text)[0]


def _key(written: str, clause: str) -> Key:
    body = dict(re.findall(r'(algorithm|secret)\s+"?([^";\s]+)"?\s*;', clause))
    word = body.get("algorithm", "").lower().rstrip(".")
    algorithm, mac_octets = _algorithm(word)
    try:
        secret = base64.b64decode(body.get("secret", ""), validate=True)
        name = dns.name.from_text(written)
    except (ValueError, dns.exception.DNSException) as error:
        raise ValueError("the key's name or its base64 secret cannot be read") from error
    if not secret:
        raise ValueError("the key has no secret")
    return Key(name, secret, algorithm, mac_octets)


def _algorithm(word: str) -> tuple[Name, int]:
    """Return an algorithm and how many octets of its MACs are sent."""
    if word in ALGORITHMS:
        return ALGORITHMS[word], HASHES[ALGORITHMS[word]][1]
    plain, _, bits = word.rpartition("-")
    if plain not in ALGORITHMS or not bits.isdecimal():
        raise ValueError(f"the algorithm {word or '(none)'} is not one of {', '.join(ALGORITHMS)}")
    algorithm = ALGORITHMS[plain]
    low, high = shortest_mac(algorithm), HASHES[algorithm][1]
    if int(bits) % 8 or not low <= int(bits) // 8 <= high:
        raise ValueError(f"{plain} may be truncated to {low * 8} to {high * 8} bits, in steps of 8, not to {bits}")
    return algorithm, int(bits) // 8
