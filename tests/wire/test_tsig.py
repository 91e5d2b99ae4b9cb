"""TSIG: signing, verifying, streams, errors; and keys as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.tsig
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.wire.octets import octets as octets_of
from mailname.wire.tsig import (
    ALGORITHMS,
    FUDGE,
    UNSIGNED_IN_A_ROW,
    Key,
    Rejected,
    StreamSigner,
    StreamVerifier,
    Verified,
    find_signature,
    key_text,
    make_key,
    parse_key,
    rejection_reply,
    sign,
    signature_octets,
    verify,
    without_signature,
)

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


class TestKeys:
    @pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
    def test_written_key_is_read_again(self, algorithm: str) -> None:
        """Name, algorithm and secret, in BIND's form."""
        key = make_key(NAME, algorithm)
        assert parse_key("# comment\n" + key_text(key)) == key

    def test_secret_is_new_each_time(self) -> None:
        """And as long as the algorithm's output. RFC 8945 section 8."""
        assert make_key(NAME).secret != make_key(NAME).secret
        assert len(make_key(NAME, "hmac-sha512").secret) == 64

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "there is no clause"),
            ('key "a" { algorithm hmac-md5; secret "c2VjcmV0"; };', "hmac-md5 is not one of"),
            ('key "a" { secret "c2VjcmV0"; };', "(none) is not one of"),
            ('key "a" { algorithm hmac-sha256; secret "###c2VjcmV0"; };', "cannot be read"),
            ('key "a..b" { algorithm hmac-sha256; secret "c2VjcmV0"; };', "cannot be read"),
            ('key "a" { algorithm hmac-sha256; };', "has no secret"),
        ],
    )
    def test_what_is_no_key_is_told_without_the_secret(self, text: str, says: str) -> None:
        """A secret never stands in a message."""
        with pytest.raises(ValueError, match=says.replace("(", r"\(").replace(")", r"\)")) as caught:
            parse_key(text)
        assert "c2VjcmV0" not in str(caught.value)


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

    def test_truncated_mac_is_badsig(self) -> None:
        """Not implemented: RFC 8945 section 5.2.2.1."""
        signature = find_signature(sign(QUERY, KEY, NOW)[0])
        assert signature is not None
        assert rejected(with_signature(signature.rdata.replace(mac=signature.rdata.mac[:16]))).reason == "badsig"

    @given(at=st.integers(0, 200), octets=st.binary(min_size=1, max_size=4))
    def test_no_spoiled_message_raises_or_passes(self, at: int, octets: bytes) -> None:
        """Any change but to the id and to letters' case of names in the signature is found."""
        signed, _ = sign(QUERY, KEY, NOW)
        spoiled = signed[:at] + octets + signed[at + len(octets) :]
        verdict = verify(spoiled, KEYS, NOW)
        if isinstance(verdict, Verified):
            assert verdict.message == QUERY


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
            signer._ctx.update(REPLY)
        last = verifier.take(signer.sign(REPLY, NOW), NOW)
        assert all(not isinstance(one, Rejected) for one in verdicts) is good
        if good:
            assert last == REPLY
            assert verifier.last_was_signed

    def test_error_is_told(self) -> None:
        """The primary's BADKEY arrives as the reason."""
        request, mac = sign(QUERY, KEY, NOW)
        reply = rejection_reply(REPLY, rejected(request, keys={}), NOW)
        verdict = StreamVerifier(KEY, mac).take(reply, NOW)
        assert isinstance(verdict, Rejected)
        assert (verdict.reason, verdict.by_peer) == ("badkey", True)
