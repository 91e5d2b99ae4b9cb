"""TSIG: signing, verifying, truncation, streams, errors (RFC 8945), beside dnspython's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rcode
import dns.rdtypes.ANY.TSIG
import dns.tsig
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.wire.octets import octets as octets_of
from mailname.wire.tsig import (
    FUDGE,
    UNSIGNED_IN_A_ROW,
    Rejected,
    StreamSigner,
    StreamVerifier,
    Verified,
    find_signature,
    rejection_reply,
    sign,
    signature_octets,
    verify,
    without_signature,
)
from mailname.wire.tsig_key import ALGORITHMS, HASHES, Key, make_key, shortest_mac

if TYPE_CHECKING:
    from dns.rcode import Rcode
    from dns.rdata import Rdata

NOW = 1_800_000_000
NAME = dns.name.from_text("transfer.example.tech.")
KEY = Key(NAME, b"k" * 32, dns.tsig.HMAC_SHA256)
OTHER_SECRET = Key(NAME, b"x" * 32, dns.tsig.HMAC_SHA256)
KEYS = {NAME: KEY}
QUERY = dns.message.make_query("example.tech.", "SOA", id=4711).to_wire()
REPLY = dns.message.make_response(dns.message.from_wire(QUERY)).to_wire()


def rejected(wire: bytes, now: float = NOW, request_mac: bytes = b"", keys: dict[dns.name.Name, Key] = KEYS) -> Rejected:
    verdict = verify(wire, keys, now, request_mac)
    assert isinstance(verdict, Rejected)
    return verdict


def error_of(wire: bytes) -> tuple[Rcode, bytes]:
    signature = find_signature(wire)
    assert signature is not None
    return dns.rcode.Rcode(signature.rdata.error), signature.rdata.mac


def with_signature(rdata: Rdata) -> bytes:
    """Put a TSIG record under the query, true or not."""
    body = octets_of(rdata)
    record = octets_of(NAME) + b"\x00\xfa\x00\xff" + bytes(4) + len(body).to_bytes(2, "big") + body
    return QUERY[:10] + b"\x00\x01" + QUERY[12:] + record


class TestFindSignature:
    @pytest.mark.parametrize(
        "wire",
        [
            b"",
            b"\x00" * 12,
            QUERY,
            QUERY[:10] + b"\x00\x01" + QUERY[12:],
            dns.message.make_query("example.tech.", "SOA", use_edns=True, id=1).to_wire(),
        ],
        ids=["nothing", "an empty header", "no record", "a record that is not there", "another record last"],
    )
    def test_without_is_none(self, wire: bytes) -> None:
        """Nor does looking for it raise."""
        assert find_signature(wire) is None

    def test_is_where_the_last_record_begins(self) -> None:
        """What stands before it is the message."""
        signed, mac = sign(QUERY, KEY, NOW)
        found = find_signature(signed)
        assert found is not None
        assert (found.start, found.owner, found.rdata.mac) == (len(QUERY), NAME, mac)
        assert without_signature(signed, found) == QUERY

    @given(st.binary(max_size=200))
    def test_no_octets_raise(self, octets: bytes) -> None:
        """Alone, after a header, or after a whole message."""
        for wire in (octets, QUERY[:10] + b"\x00\x01" + octets, QUERY[:10] + b"\x00\x01" + QUERY[12:] + octets):
            find_signature(wire)
            verify(wire, KEYS, NOW)


class TestVerify:
    @pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
    def test_signed_message_is_verified(self, algorithm: str) -> None:
        """And comes back as it was."""
        key = make_key(NAME, algorithm)
        signed, mac = sign(QUERY, key, NOW)
        assert len(signed) == len(QUERY) + signature_octets(key)
        assert verify(signed, {NAME: key}, NOW + 0.9) == Verified(key, mac, QUERY)

    def test_dnspython_agrees(self) -> None:
        """In both directions, request and answer."""
        query = dns.message.make_query("example.tech.", "SOA", id=4711)
        query.use_tsig(KEY)
        wire = query.to_wire()
        found = find_signature(wire)
        assert found is not None
        verdict = verify(wire, KEYS, found.rdata.time_signed)
        assert isinstance(verdict, Verified)
        reply, _ = sign(REPLY, KEY, found.rdata.time_signed, verdict.mac)
        assert dns.message.from_wire(reply, keyring=KEYS, request_mac=query.mac).had_tsig

    def test_message_id_is_restored(self) -> None:
        """A forwarder may change the id under way. RFC 8945 section 4.3.1."""
        signed, _ = sign(QUERY, KEY, NOW)
        verdict = verify(b"\x00\x00" + signed[2:], KEYS, NOW)
        assert isinstance(verdict, Verified)
        assert verdict.message == QUERY

    def test_answer_is_bound_to_its_question(self) -> None:
        """The request's MAC is part of what is signed."""
        _, mac = sign(QUERY, KEY, NOW)
        answer, _ = sign(REPLY, KEY, NOW, mac)
        assert isinstance(verify(answer, KEYS, NOW, mac), Verified)
        assert rejected(answer).reason == "badsig"

    @pytest.mark.parametrize(
        ("wire", "reason", "says"),
        [
            (QUERY, "unsigned", "no TSIG record"),
            (sign(QUERY, make_key(dns.name.from_text("other.")), NOW)[0], "badkey", "no key other. with hmac-sha256. is known"),
            (sign(QUERY, make_key(NAME, "hmac-sha512"), NOW)[0], "badkey", "with hmac-sha512. is known here"),
            (sign(QUERY, OTHER_SECRET, NOW)[0], "badsig", "does not verify (BADSIG)"),
            (sign(QUERY, KEY, NOW - FUDGE - 1)[0], "badtime", f"signed {FUDGE + 1} seconds away from our time"),
            (sign(QUERY, KEY, NOW + 86400)[0], "badtime", "signed 86400 seconds away"),
            (sign(QUERY, KEY, NOW)[0].replace(b"tech", b"TECH", 1), "badsig", "(BADSIG)"),
        ],
        ids=["unsigned", "another name", "another algorithm", "another secret", "too old", "from tomorrow", "changed"],
    )
    def test_bad_signature_is_told_by_its_reason(self, wire: bytes, reason: str, says: str) -> None:
        """With the numbers that help to repair it."""
        verdict = rejected(wire)
        assert (verdict.reason, verdict.by_peer) == (reason, False)
        assert says in verdict.says

    @given(at=st.integers(0, 200), octets=st.binary(min_size=1, max_size=4))
    def test_no_spoiled_message_raises_or_passes(self, at: int, octets: bytes) -> None:
        """Any change but to the id and to letters' case of names in the signature is found."""
        signed, _ = sign(QUERY, KEY, NOW)
        spoiled = signed[:at] + octets + signed[at + len(octets) :]
        verdict = verify(spoiled, KEYS, NOW)
        if isinstance(verdict, Verified):
            assert verdict.message == QUERY


class TestTruncation:
    """RFC 8945 section 5.2.2.1."""

    @staticmethod
    def shortened(key: Key, size: int) -> bytes:
        whole, mac = sign(QUERY, Key(key.name, key.secret, key.algorithm), NOW)
        signature = find_signature(whole)
        assert signature is not None
        return with_signature(signature.rdata.replace(mac=(mac + bytes(size))[:size]))

    @pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
    def test_mac_of_no_length_that_there_is_is_malformed(self, algorithm: str) -> None:
        """Longer than the hash, below half of it: FORMERR, whatever its octets are."""
        key = Key(NAME, b"k" * 32, ALGORITHMS[algorithm])
        low, high = shortest_mac(key.algorithm), HASHES[key.algorithm][1]
        for size in (0, 9, low - 1, high + 1):
            assert rejected(self.shortened(key, size), keys={NAME: key}).reason == "malformed"

    @pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
    def test_shorter_than_the_key_wants_is_badtrunc(self, algorithm: str) -> None:
        """A good MAC, too short for our policy: section 5.2.4. A key's text may allow it."""
        whole = Key(NAME, b"k" * 32, ALGORITHMS[algorithm])
        low = shortest_mac(whole.algorithm)
        for size in (low, HASHES[whole.algorithm][1] - 1):
            wire = self.shortened(whole, size)
            assert rejected(wire, keys={NAME: whole}).reason == "badtrunc"
            assert isinstance(verify(wire, {NAME: Key(NAME, whole.secret, whole.algorithm, low)}, NOW), Verified)

    def test_order_of_judgement(self) -> None:
        """MAC before time, time before truncation: sections 5.2.2 to 5.2.4."""
        wire = self.shortened(KEY, 16)
        assert rejected(wire, keys={NAME: OTHER_SECRET}, now=NOW + 9999).reason == "badsig"
        assert rejected(wire, now=NOW + 9999).reason == "badtime"
        assert rejected(wire).reason == "badtrunc"

    def test_what_we_truncate_is_verified(self) -> None:
        """An answer's MAC covers the truncated MAC of its request."""
        key = Key(NAME, b"k" * 32, dns.tsig.HMAC_SHA512, 40)
        request, mac = sign(QUERY, key, NOW)
        assert (len(mac), len(request)) == (40, len(QUERY) + signature_octets(key))
        answer, _ = sign(REPLY, key, NOW, mac)
        assert isinstance(verify(answer, {NAME: key}, NOW, mac), Verified)
        assert rejected(answer, keys={NAME: key}, request_mac=mac + b"x").reason == "badsig"


class TestRejectionReply:
    def test_unsigned_stays_as_it_is(self) -> None:
        """Without a TSIG there is nothing to answer to."""
        assert rejection_reply(REPLY, rejected(QUERY), NOW) == REPLY

    @pytest.mark.parametrize(
        ("key", "error"),
        [(make_key(dns.name.from_text("other.")), dns.rcode.BADKEY), (OTHER_SECRET, dns.rcode.BADSIG)],
    )
    def test_badkey_and_badsig_are_told_unsigned(self, key: Key, error: Rcode) -> None:
        """There is no key that both know. RFC 8945 section 5.3.2."""
        request, mac = sign(QUERY, key, NOW)
        reply = rejection_reply(REPLY, rejected(request), NOW)
        assert error_of(reply) == (error, b"")
        told = verify(reply, {key.name: key}, NOW, mac)
        assert isinstance(told, Rejected)
        assert (told.reason, told.by_peer) == (dns.rcode.to_text(error, tsig=True).lower(), True)

    @pytest.mark.parametrize("apart", [-90000, 90000])
    def test_badtime_is_signed_and_tells_our_time(self, apart: int) -> None:
        """So that the client can tell by how much the clocks differ. RFC 8945 section 5.2.3."""
        request, mac = sign(QUERY, KEY, NOW + apart)
        reply = rejection_reply(REPLY, rejected(request), NOW)
        told = verify(reply, KEYS, NOW + apart, mac)
        assert isinstance(told, Rejected)
        assert (told.reason, told.by_peer) == ("badtime", True)
        assert "clocks differ by 90000 seconds" in told.says
        assert error_of(reply)[1]

    def test_badtrunc_is_signed(self) -> None:
        """With the whole MAC; the client then knows what to change. RFC 8945 section 5.3.2."""
        short = Key(NAME, KEY.secret, KEY.algorithm, 16)
        request, mac = sign(QUERY, short, NOW)
        reply = rejection_reply(REPLY, rejected(request), NOW)
        assert (error_of(reply)[0], len(error_of(reply)[1])) == (dns.rcode.BADTRUNC, 32)
        told = verify(reply, {NAME: short}, NOW, mac)
        assert isinstance(told, Rejected)
        assert (told.reason, told.by_peer) == ("badtrunc", True)

    @pytest.mark.parametrize("error", [dns.rcode.BADTIME, dns.rcode.BADSIG, dns.rcode.BADKEY, dns.rcode.BADTRUNC, 3000])
    def test_request_that_says_error_gets_nothing_signed(self, error: int) -> None:
        """Otherwise anybody could have us sign, without knowing a key."""
        signature = find_signature(sign(QUERY, KEY, NOW)[0])
        assert signature is not None
        forged = with_signature(signature.rdata.replace(error=error, mac=b""))
        verdict = rejected(forged)
        assert verdict.by_peer
        assert error_of(rejection_reply(REPLY, verdict, NOW))[1] == b""


class TestStream:
    def messages(self, count: int) -> list[bytes]:
        return [REPLY[:2] + REPLY[2:] for _ in range(count)]

    def test_each_message_is_signed_over_the_one_before(self) -> None:
        """RFC 8945 section 5.3.1."""
        _, mac = sign(QUERY, KEY, NOW)
        signer, verifier = StreamSigner(KEY, mac), StreamVerifier(KEY, mac)
        for wire in self.messages(5):
            assert verifier.take(signer.sign(wire, NOW), NOW) == wire
        assert verifier.last_was_signed

    def test_order_matters(self) -> None:
        """A message that is left out, doubled or moved breaks the chain."""
        _, mac = sign(QUERY, KEY, NOW)
        signer, verifier = StreamSigner(KEY, mac), StreamVerifier(KEY, mac)
        signed = [signer.sign(wire, NOW) for wire in self.messages(3)]
        verifier.take(signed[0], NOW)
        verdict = verifier.take(signed[2], NOW)
        assert isinstance(verdict, Rejected)
        assert verdict.reason == "badsig"

    def test_first_must_be_signed(self) -> None:
        """An unsigned first message is a peer without the key."""
        verdict = StreamVerifier(KEY, b"").take(REPLY, NOW)
        assert isinstance(verdict, Rejected)
        assert verdict.reason == "unsigned"

    @pytest.mark.parametrize(("between", "good"), [(0, True), (UNSIGNED_IN_A_ROW, True), (UNSIGNED_IN_A_ROW + 1, False)])
    def test_up_to_99_in_a_row_may_be_unsigned(self, between: int, good: bool) -> None:
        """They are covered by the next signature."""
        _, mac = sign(QUERY, KEY, NOW)
        verifier = StreamVerifier(KEY, mac)
        signer = StreamSigner(KEY, mac)
        verifier.take(signer.sign(REPLY, NOW), NOW)
        verdicts = []
        for _ in range(between):
            verdicts.append(verifier.take(REPLY, NOW))
            assert not verifier.last_was_signed
            assert signer._ctx is not None
            signer._ctx.update(REPLY)
        last = verifier.take(signer.sign(REPLY, NOW), NOW)
        assert all(not isinstance(one, Rejected) for one in verdicts) is good
        if good:
            assert last == REPLY
            assert verifier.last_was_signed

    @pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
    def test_dnspython_agrees(self, algorithm: str) -> None:
        """What we send, it verifies; what it sends with each third message signed, we do."""
        key = make_key(NAME, algorithm)
        _, mac = sign(QUERY, key, NOW)
        signer, theirs = StreamSigner(key, mac), None
        for wire in self.messages(4):
            signed = signer.sign(wire, NOW)
            found = find_signature(signed)
            assert found is not None
            theirs = dns.tsig.validate(signed, key, NAME, found.rdata, NOW, mac, found.start, theirs, True)
        verifier, context = StreamVerifier(key, mac), None
        for number, wire in enumerate(self.messages(7)):
            if number % 3:
                assert context is not None
                context.update(wire)
                assert verifier.take(wire, NOW) == wire
                continue
            blank = dns.rdtypes.ANY.TSIG.TSIG(255, 250, key.algorithm, NOW, FUDGE, b"", 4711, 0, b"")
            rdata, context = dns.tsig.sign(wire, key, blank, NOW, mac, context, multi=True)
            body = octets_of(rdata)
            record = octets_of(NAME) + b"\x00\xfa\x00\xff" + bytes(4) + len(body).to_bytes(2, "big") + body
            assert verifier.take(wire[:10] + b"\x00\x01" + wire[12:] + record, NOW) == wire
        assert verifier.last_was_signed

    def test_time_of_each_message_counts(self) -> None:
        """A stream that is kept back for longer than the clocks may differ is not taken on."""
        _, mac = sign(QUERY, KEY, NOW)
        signer, verifier = StreamSigner(KEY, mac), StreamVerifier(KEY, mac)
        verifier.take(signer.sign(REPLY, NOW), NOW)
        verdict = verifier.take(signer.sign(REPLY, NOW), NOW + FUDGE + 1)
        assert isinstance(verdict, Rejected)
        assert verdict.reason == "badtime"

    def test_another_key_in_the_middle_is_badkey(self) -> None:
        """One stream, one key."""
        _, mac = sign(QUERY, KEY, NOW)
        verifier = StreamVerifier(KEY, mac)
        verifier.take(StreamSigner(KEY, mac).sign(REPLY, NOW), NOW)
        verdict = verifier.take(StreamSigner(make_key(dns.name.from_text("other.")), mac).sign(REPLY, NOW), NOW)
        assert isinstance(verdict, Rejected)
        assert verdict.reason == "badkey"

    def test_error_is_told(self) -> None:
        """The primary's BADKEY arrives as the reason."""
        request, mac = sign(QUERY, KEY, NOW)
        reply = rejection_reply(REPLY, rejected(request, keys={}), NOW)
        verdict = StreamVerifier(KEY, mac).take(reply, NOW)
        assert isinstance(verdict, Rejected)
        assert (verdict.reason, verdict.by_peer) == ("badkey", True)
