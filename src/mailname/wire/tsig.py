"""TSIG: who signed a message, is it true, and how to sign (RFC 8945), with the time passed in.

Over ``dns.tsig.sign`` and ``dns.tsig.validate``; dnspython's message-level TSIG reads the clock itself.
Not implemented: truncated MACs (RFC 8945 section 5.2.2.1); they are answered with BADSIG. GSS-TSIG.
"""

from __future__ import annotations

import base64
import re
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.tsig
import dns.wire
from dns.rcode import Rcode

from mailname.wire.last_record import last_record
from mailname.wire.octets import octets

if TYPE_CHECKING:
    from dns.name import Name

Key = dns.tsig.Key
Keyring = Mapping["Name", dns.tsig.Key]

ALGORITHMS = {
    "hmac-sha256": dns.tsig.HMAC_SHA256,
    "hmac-sha384": dns.tsig.HMAC_SHA384,
    "hmac-sha512": dns.tsig.HMAC_SHA512,
}
_SECRET_OCTETS = {"hmac-sha256": 32, "hmac-sha384": 48, "hmac-sha512": 64}
FUDGE = 300  # seconds that two clocks may differ: RFC 8945 section 10
UNSIGNED_IN_A_ROW = 99  # RFC 8945 section 5.3.1: at most 99 unsigned messages between two signed ones
_RECORD = struct.Struct("!HHIH")


@dataclass(frozen=True, slots=True)
class Signature:
    """The TSIG record of a message, and the octet at which it begins."""

    start: int
    owner: Name
    rdata: dns.rdtypes.ANY.TSIG.TSIG


@dataclass(frozen=True, slots=True)
class Verified:
    """A message whose signature is good."""

    key: Key
    mac: bytes
    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message whose signature is not good.

    Attributes:
        reason: ``badkey``, ``badsig``, ``badtime``, ``unsigned`` or ``malformed``.
        says: one sentence for a person.
        signature: what was found, if it could be read.
        by_peer: the peer said so of ours; otherwise we say so of the peer's.

    """

    reason: str
    says: str
    signature: Signature | None = None
    key: Key | None = None
    by_peer: bool = False


def make_key(name: Name, algorithm: str = "hmac-sha256") -> Key:
    """Make a new key with a random secret as long as the algorithm's output (RFC 8945 section 8)."""
    return Key(name, secrets.token_bytes(_SECRET_OCTETS[algorithm]), ALGORITHMS[algorithm])


def key_text(key: Key) -> str:
    """Write a key as BIND's ``tsig-keygen`` does, so that ``dig -k`` and ``named.conf`` can read it. This text is a secret."""
    algorithm = key.algorithm.to_text(omit_final_dot=True)
    secret = base64.b64encode(key.secret).decode()
    name = key.name.to_text(omit_final_dot=True)
    return f'key "{name}" {{\n\talgorithm {algorithm};\n\tsecret "{secret}";\n}};\n'


def parse_key(text: str) -> Key:
    """Read a key as ``key_text`` or ``tsig-keygen`` writes it. Raises ValueError with a sentence without the secret in it."""
    found = re.search(r'key\s+"?([^"\s{]+)"?\s*\{(.*?)\}\s*;', text, re.DOTALL)
    if not found:
        raise ValueError('there is no clause of the form: key "NAME" { algorithm hmac-sha256; secret "..."; };')
    body = dict(re.findall(r'(algorithm|secret)\s+"?([^";\s]+)"?\s*;', found[2]))
    algorithm = body.get("algorithm", "").lower().rstrip(".")
    if algorithm not in ALGORITHMS:
        raise ValueError(f"the algorithm {algorithm or '(none)'} is not one of {', '.join(ALGORITHMS)}")
    try:
        secret = base64.b64decode(body.get("secret", ""), validate=True)
        name = dns.name.from_text(found[1])
    except (ValueError, dns.exception.DNSException) as error:
        raise ValueError("the key's name or its base64 secret cannot be read") from error
    if not secret:
        raise ValueError("the key has no secret")
    return Key(name, secret, ALGORITHMS[algorithm])


def find_signature(wire: bytes) -> Signature | None:
    """Return the TSIG record that ends a message, or None where there is none that can be read. Raises nothing."""
    start = last_record(wire)
    if start < 0 or wire[10:12] == b"\0\0":
        return None
    try:
        parser = dns.wire.Parser(wire, start)
        owner = parser.get_name(decompress=True)
        rdtype, _rdclass, _ttl, length = parser.get_struct("!HHIH")
        if rdtype != dns.rdatatype.TSIG:
            return None
        with parser.restrict_to(length):
            rdata = dns.rdtypes.ANY.TSIG.TSIG.from_wire_parser(dns.rdataclass.ANY, dns.rdatatype.TSIG, parser)
    except (dns.exception.DNSException, ValueError):
        return None
    return Signature(start, owner, rdata)


def without_signature(wire: bytes, signature: Signature) -> bytes:
    """Return the message as it was before it was signed (RFC 8945 section 4.3.1), its original id restored."""
    additional = struct.unpack_from("!H", wire, 10)[0] - 1
    original_id = signature.rdata.original_id
    return struct.pack("!H", original_id) + wire[2:10] + struct.pack("!H", additional) + wire[12 : signature.start]


def _append(wire: bytes, key: Key, rdata: dns.rdtypes.ANY.TSIG.TSIG) -> bytes:
    body = octets(rdata)
    additional = struct.unpack_from("!H", wire, 10)[0] + 1
    record = octets(key.name) + _RECORD.pack(dns.rdatatype.TSIG, dns.rdataclass.ANY, 0, len(body)) + body
    return wire[:10] + struct.pack("!H", additional) + wire[12:] + record


def _blank(key: Key, wire: bytes, now: int, error: int = 0, other: bytes = b"") -> dns.rdtypes.ANY.TSIG.TSIG:
    message_id = struct.unpack_from("!H", wire)[0]
    return dns.rdtypes.ANY.TSIG.TSIG(
        dns.rdataclass.ANY, dns.rdatatype.TSIG, key.algorithm, now, FUDGE, b"", message_id, error, other
    )


def signature_octets(key: Key) -> int:
    """Return how many octets signing adds to a message."""
    mac = dns.tsig.mac_sizes[key.algorithm]
    return len(octets(key.name)) + _RECORD.size + len(octets(key.algorithm)) + 16 + mac


def sign(wire: bytes, key: Key, now: float, request_mac: bytes = b"") -> tuple[bytes, bytes]:
    """Sign one message.

    Args:
        wire: the message, unsigned.
        key: the key to sign with.
        now: seconds since 1970.
        request_mac: the MAC of the request that this message answers; empty for a request.

    Returns:
        The signed message and its MAC.

    """
    rdata, _ = dns.tsig.sign(wire, key, _blank(key, wire, int(now)), int(now), request_mac)
    return _append(wire, key, rdata), rdata.mac


def verify(wire: bytes, keys: Keyring, now: float, request_mac: bytes = b"") -> Verified | Rejected:
    """Judge the signature of one message. Raises nothing, whatever the bytes are."""
    signature = find_signature(wire)
    if signature is None:
        return Rejected("unsigned", "the message carries no TSIG record that can be read")
    key = keys.get(signature.owner)
    if key is None or key.algorithm != signature.rdata.algorithm:
        return Rejected("badkey", f"no key {signature.owner} with {signature.rdata.algorithm} is known here", signature)
    _, rejected = _validate(wire, key, signature, now, request_mac, None, multi=False)
    if rejected:
        return rejected
    return Verified(key, signature.rdata.mac, without_signature(wire, signature))


def _validate(
    wire: bytes, key: Key, signature: Signature, now: float, request_mac: bytes, ctx: Any, *, multi: bool
) -> tuple[Any, Rejected | None]:
    rdata = signature.rdata
    try:
        after = dns.tsig.validate(wire, key, signature.owner, rdata, int(now), request_mac, signature.start, ctx, multi)
    except dns.tsig.PeerBadTime:
        theirs = int.from_bytes(rdata.other, "big") if len(rdata.other) == 6 else rdata.time_signed
        says = f"the peer says that our clocks differ by {abs(theirs - int(now))} seconds (BADTIME)"
        return None, Rejected("badtime", says, signature, key, by_peer=True)
    except dns.tsig.PeerError:
        reason = {Rcode.BADSIG: "badsig", Rcode.BADKEY: "badkey"}.get(rdata.error, "badsig")
        word = dns.rcode.to_text(rdata.error, tsig=True)
        return None, Rejected(
            reason, f"the peer rejects our signature with the key {key.name} ({word})", signature, key, by_peer=True
        )
    except dns.tsig.BadTime:
        apart = abs(rdata.time_signed - int(now))
        says = f"signed {apart} seconds away from our time; {rdata.fudge} are allowed (BADTIME)"
        return None, Rejected("badtime", says, signature, key)
    except (dns.exception.DNSException, ValueError):
        return None, Rejected("badsig", f"the signature with the key {key.name} does not verify (BADSIG)", signature, key)
    return after, None


def rejection_reply(reply: bytes, rejected: Rejected, now: float) -> bytes:
    """Turn a reply with rcode NOTAUTH into the TSIG error reply of RFC 8945 section 5.2.

    BADKEY and BADSIG are told unsigned (section 5.3.2); BADTIME is signed, carries the client's time and ours in "other data". A
    request that itself carries a TSIG error proves nothing, so it gets nothing signed.
    """
    signature = rejected.signature
    if signature is None:
        return reply
    if rejected.reason == "badtime" and rejected.key is not None and not rejected.by_peer:
        ours = int(now).to_bytes(6, "big")
        blank = _blank(rejected.key, reply, signature.rdata.time_signed, Rcode.BADTIME, ours)
        rdata, _ = dns.tsig.sign(reply, rejected.key, blank, signature.rdata.time_signed, signature.rdata.mac)
        return _append(reply, rejected.key, rdata)
    error = Rcode.BADKEY if rejected.reason == "badkey" else Rcode.BADSIG
    named = Key(signature.owner, b"", signature.rdata.algorithm)
    return _append(reply, named, _blank(named, reply, signature.rdata.time_signed, error))


@dataclass(slots=True)
class StreamSigner:
    """Signs each message of a multi-message answer (RFC 8945 section 5.3.1)."""

    key: Key
    request_mac: bytes
    _ctx: Any = None

    def sign(self, wire: bytes, now: float) -> bytes:
        """Sign the next message."""
        blank = _blank(self.key, wire, int(now))
        rdata, self._ctx = dns.tsig.sign(wire, self.key, blank, int(now), self.request_mac, self._ctx, multi=True)
        return _append(wire, self.key, rdata)


@dataclass(slots=True)
class StreamVerifier:
    """Verifies a multi-message answer: the first and the last message are signed, and at least each hundredth."""

    key: Key
    request_mac: bytes
    last_was_signed: bool = False
    _ctx: Any = None
    _unsigned: int = 0

    def take(self, wire: bytes, now: float) -> bytes | Rejected:
        """Judge the next message; return it without its signature."""
        signature = find_signature(wire)
        if signature is None:
            if self._ctx is None:
                return Rejected("unsigned", f"the answer is not signed, though we signed with the key {self.key.name}")
            self._unsigned += 1
            if self._unsigned > UNSIGNED_IN_A_ROW:
                return Rejected("unsigned", f"more than {UNSIGNED_IN_A_ROW} messages in a row are not signed")
            self._ctx.update(wire)
            self.last_was_signed = False
            return wire
        ctx, rejected = _validate(wire, self.key, signature, now, self.request_mac, self._ctx, multi=True)
        if rejected:
            return rejected
        self._ctx, self._unsigned, self.last_was_signed = ctx, 0, True
        return without_signature(wire, signature)
