"""TSIG: who signed a message, is it true, and how to sign (RFC 8945), with the time passed in.

dnspython's own reads the clock, and knows no truncated MACs (section 5.2.2.1). We take those that the key's text allows.
Not implemented: GSS-TSIG; section 5.2.3's advice to refuse a message that was signed earlier than one seen before: by UDP, and
with several questions under way, messages overtake each other.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.exception
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.wire
from dns.rcode import Rcode

from mailname.wire.last_record import last_record
from mailname.wire.octets import octets
from mailname.wire.tsig_key import HASHES, Key, shortest_mac

if TYPE_CHECKING:
    from dns.name import Name

__all__ = ["Key"]  # what signs is made and read in tsig_key

Keyring = Mapping["Name", Key]

FUDGE = 300  # seconds that two clocks may differ: RFC 8945 section 10
UNSIGNED_IN_A_ROW = 99  # RFC 8945 section 5.3.1: at most 99 unsigned messages between two signed ones
_RECORD = struct.Struct("!HHIH")
_VARIABLES = struct.pack("!HI", dns.rdataclass.ANY, 0)  # class and TTL of every TSIG record


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
        reason: ``badkey``, ``badsig``, ``badtime``, ``badtrunc``, ``unsigned`` or ``malformed``.
        says: one sentence for a person.
        signature: what was found, if it could be read.
        by_peer: the peer said so of ours; otherwise we say so of the peer's.

    """

    reason: str
    says: str
    signature: Signature | None = None
    key: Key | None = None
    by_peer: bool = False


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


def _id(wire: bytes) -> int:
    return int.from_bytes(wire[:2], "big")


def _append_record(wire: bytes, owner: Name, rdata: dns.rdtypes.ANY.TSIG.TSIG) -> bytes:
    body = octets(rdata)
    additional = struct.unpack_from("!H", wire, 10)[0] + 1
    record = octets(owner) + _RECORD.pack(dns.rdatatype.TSIG, dns.rdataclass.ANY, 0, len(body)) + body
    return wire[:10] + struct.pack("!H", additional) + wire[12:] + record


def _blank(key: Key, wire: bytes, now: int, error: int = 0, other: bytes = b"") -> dns.rdtypes.ANY.TSIG.TSIG:
    return dns.rdtypes.ANY.TSIG.TSIG(
        dns.rdataclass.ANY, dns.rdatatype.TSIG, key.algorithm, now, FUDGE, b"", _id(wire), error, other
    )


def signature_octets(key: Key) -> int:
    """Return how many octets signing adds to a message."""
    return len(octets(key.name)) + _RECORD.size + len(octets(key.algorithm)) + 16 + key.mac_octets


def _context(key: Key, prior_mac: bytes) -> hmac.HMAC:
    """Begin a digest: with the MAC of the request, or of the message before (RFC 8945 sections 4.3 and 5.3)."""
    context = hmac.new(key.secret, digestmod=HASHES[key.algorithm][0])
    if prior_mac:
        context.update(struct.pack("!H", len(prior_mac)) + prior_mac)
    return context


def _digest(context: hmac.HMAC, message: bytes, key: Key, rdata: dns.rdtypes.ANY.TSIG.TSIG, *, timers_only: bool) -> bytes:
    """End a digest with a message and its TSIG variables, or only the timers of these (RFC 8945 sections 4.3.2, 4.3.3, 5.3.1)."""
    timers = rdata.time_signed.to_bytes(6, "big") + struct.pack("!H", rdata.fudge)
    context.update(message)
    if timers_only:
        context.update(timers)
    else:
        names = key.name.to_digestable(), key.algorithm.to_digestable()
        error = struct.pack("!HH", rdata.error, len(rdata.other)) + rdata.other
        context.update(names[0] + _VARIABLES + names[1] + timers + error)
    return context.digest()


def _with_mac(
    wire: bytes, key: Key, blank: dns.rdtypes.ANY.TSIG.TSIG, context: hmac.HMAC, *, timers_only: bool = False
) -> tuple[bytes, bytes]:
    mac = _digest(context, wire, key, blank, timers_only=timers_only)[: key.mac_octets]
    signed = blank.replace(mac=mac)
    assert isinstance(signed, dns.rdtypes.ANY.TSIG.TSIG)
    return _append_record(wire, key.name, signed), mac


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
    return _with_mac(wire, key, _blank(key, wire, int(now)), _context(key, request_mac))


def verify(wire: bytes, keys: Keyring, now: float, request_mac: bytes = b"") -> Verified | Rejected:
    """Judge the signature of one message. Raises nothing, whatever the bytes are."""
    signature = find_signature(wire)
    if signature is None:
        return Rejected("unsigned", "the message carries no TSIG record that can be read")
    key = keys.get(signature.owner)
    if key is None or key.algorithm != signature.rdata.algorithm:
        return Rejected("badkey", f"no key {signature.owner} with {signature.rdata.algorithm} is known here", signature)
    rejected = _judge(wire, key, signature, now, _context(key, request_mac))
    if rejected:
        return rejected
    return Verified(key, signature.rdata.mac, without_signature(wire, signature))


def _judge(
    wire: bytes, key: Key, signature: Signature, now: float, context: hmac.HMAC, *, timers_only: bool = False
) -> Rejected | None:
    """Say what is wrong with a signature, in the order of RFC 8945 section 5.2: key, MAC, time, truncation."""
    rdata = signature.rdata
    if rdata.error:
        return _told_by_peer(key, signature, now)
    if signature.owner != key.name or rdata.algorithm != key.algorithm:
        return Rejected(
            "badkey", f"signed with {signature.owner} ({rdata.algorithm}), not with the key {key.name}", signature, key
        )
    size = len(rdata.mac)
    if not shortest_mac(key.algorithm) <= size <= HASHES[key.algorithm][1]:
        return Rejected(
            "malformed", f"a MAC of {size} octets is none of {key.algorithm} (RFC 8945 section 5.2.2.1)", signature, key
        )
    mac = _digest(context, without_signature(wire, signature), key, rdata, timers_only=timers_only)
    if not hmac.compare_digest(mac[:size], rdata.mac):
        return Rejected("badsig", f"the signature with the key {key.name} does not verify (BADSIG)", signature, key)
    apart = abs(rdata.time_signed - int(now))
    if apart > rdata.fudge:
        says = f"signed {apart} seconds away from our time; {rdata.fudge} are allowed (BADTIME)"
        return Rejected("badtime", says, signature, key)
    if size < key.mac_octets:
        says = f"the MAC is truncated to {size} octets; the key {key.name} wants {key.mac_octets} (BADTRUNC)"
        return Rejected("badtrunc", says, signature, key)
    return None


def _told_by_peer(key: Key, signature: Signature, now: float) -> Rejected:
    """Read what the peer says of our signature (RFC 8945 section 5.4.1)."""
    rdata = signature.rdata
    if rdata.error == Rcode.BADTIME:
        theirs = int.from_bytes(rdata.other, "big") if len(rdata.other) == 6 else rdata.time_signed
        says = f"the peer says that our clocks differ by {abs(theirs - int(now))} seconds (BADTIME)"
        return Rejected("badtime", says, signature, key, by_peer=True)
    reason = {Rcode.BADKEY: "badkey", Rcode.BADTRUNC: "badtrunc"}.get(rdata.error, "badsig")
    word = dns.rcode.to_text(rdata.error, tsig=True)
    return Rejected(reason, f"the peer rejects our signature with the key {key.name} ({word})", signature, key, by_peer=True)


def rejection_reply(reply: bytes, rejected: Rejected, now: float) -> bytes:
    """Turn a reply with rcode NOTAUTH into the TSIG error reply of RFC 8945 section 5.2.

    BADKEY and BADSIG are told unsigned (section 5.3.2). BADTIME and BADTRUNC are signed, the MAC was good; BADTIME carries
    the client's time, and ours in "other data". A request that itself carries a TSIG error proves nothing, so it gets nothing
    signed.
    """
    signature = rejected.signature
    if signature is None:
        return reply
    asked = signature.rdata
    if rejected.reason in {"badtime", "badtrunc"} and rejected.key is not None and not rejected.by_peer:
        if rejected.reason == "badtime":
            blank = _blank(rejected.key, reply, asked.time_signed, Rcode.BADTIME, int(now).to_bytes(6, "big"))
        else:
            blank = _blank(rejected.key, reply, int(now), Rcode.BADTRUNC)
        return _with_mac(reply, rejected.key, blank, _context(rejected.key, asked.mac))[0]
    error = Rcode.BADKEY if rejected.reason == "badkey" else Rcode.BADSIG
    unsigned = dns.rdtypes.ANY.TSIG.TSIG(
        dns.rdataclass.ANY, dns.rdatatype.TSIG, asked.algorithm, asked.time_signed, FUDGE, b"", _id(reply), error, b""
    )
    return _append_record(reply, signature.owner, unsigned)


@dataclass(slots=True)
class StreamSigner:
    """Signs each message of a multi-message answer, as RFC 8945 section 5.3.1 asks of who sends."""

    key: Key
    request_mac: bytes
    _ctx: hmac.HMAC | None = None

    def sign(self, wire: bytes, now: float) -> bytes:
        """Sign the next message."""
        first = self._ctx is None
        context = self._ctx or _context(self.key, self.request_mac)
        signed, mac = _with_mac(wire, self.key, _blank(self.key, wire, int(now)), context, timers_only=not first)
        self._ctx = _context(self.key, mac)
        return signed


@dataclass(slots=True)
class StreamVerifier:
    """Verifies a multi-message answer: the first and the last message are signed, and at least each hundredth."""

    key: Key
    request_mac: bytes
    last_was_signed: bool = False
    _ctx: hmac.HMAC | None = None
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
        first = self._ctx is None
        context = self._ctx or _context(self.key, self.request_mac)
        if rejected := _judge(wire, self.key, signature, now, context, timers_only=not first):
            return rejected
        self._ctx, self._unsigned, self.last_was_signed = _context(self.key, signature.rdata.mac), 0, True
        return without_signature(wire, signature)
