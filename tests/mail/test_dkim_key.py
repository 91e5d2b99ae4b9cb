"""The key in a DKIM record: what receivers believe, and what is worth a word."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.mail import policy


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def rsa_key(bits: int, *, wrapped: bool = True) -> str:
    """Return a public key whose modulus has so many bits: a SubjectPublicKeyInfo, or the inner structure alone."""
    modulus = der(0x02, b"\0" + (1 << bits - 1 | 1).to_bytes((bits + 7) // 8, "big"))
    inner = der(0x30, modulus + der(0x02, b"\x01\0\x01"))
    algorithm = der(0x30, der(0x06, bytes.fromhex("2a864886f70d010101")) + b"\x05\0")
    return base64.b64encode(der(0x30, algorithm + der(0x03, b"\0" + inner)) if wrapped else inner).decode()


class TestKey:
    @pytest.mark.parametrize("wrapped", [True, False])
    def test_of_2048_bits_is_well(self, wrapped: bool) -> None:
        """In either form that is in use."""
        texts = [f"v=DKIM1; k=rsa; p={rsa_key(2048, wrapped=wrapped)}"]
        assert (policy.dkim_faults(texts), policy.dkim_notes(texts)) == ([], [])

    def test_of_1024_bits_is_worth_a_word(self) -> None:
        """RFC 8301 section 3.2."""
        texts = [f"v=DKIM1; p={rsa_key(1024)}"]
        assert policy.dkim_faults(texts) == []
        assert policy.dkim_notes(texts) == ["is an RSA key of 1024 bits, and 2048 should be used today"]

    def test_of_512_bits_is_believed_by_nobody(self) -> None:
        """RFC 8301 section 3.2."""
        texts = [f"v=DKIM1; p={rsa_key(512)}"]
        assert policy.dkim_faults(texts) == ["its key has 512 bits, and receivers believe none below 1024"]
        assert policy.dkim_notes(texts) == []

    def test_that_is_revoked_is_worth_a_word_and_no_fault(self) -> None:
        """RFC 6376 section 3.6.1: an empty p= means that."""
        assert policy.dkim_faults(["v=DKIM1; p="]) == []
        assert ["revoked" in note for note in policy.dkim_notes(["v=DKIM1; p="])] == [True]

    @pytest.mark.parametrize(("octets", "says"), [(32, []), (31, ["its key has 31 octets, and Ed25519 has 32"])])
    def test_of_ed25519_has_32_octets(self, octets: int, says: list[str]) -> None:
        """RFC 8463 section 4.2."""
        assert policy.dkim_faults([f"v=DKIM1; k=ed25519; p={base64.b64encode(bytes(octets)).decode()}"]) == says

    def test_that_was_cut_off_is_told(self) -> None:
        """Half of the record was pasted; what is left is base64 text, too."""
        half = rsa_key(2048)[:200]
        assert policy.dkim_faults([f"v=DKIM1; p={half}"]) == ["its key (p=) is no RSA key; perhaps a part is missing"]

    def test_in_two_records_is_told_as_that(self) -> None:
        """A long key is one record of several strings."""
        key = rsa_key(2048)
        (fault,) = policy.dkim_faults([f"v=DKIM1; p={key[:200]}", key[200:]])
        assert "cut into several records" in fault

    @given(st.text(max_size=60), st.sampled_from(["rsa", "ed25519", "other"]))
    def test_that_is_any_text_is_judged(self, text: str, kind: str) -> None:
        """Whatever stands there, it raises nothing."""
        for judge in (policy.dkim_faults, policy.dkim_notes):
            assert all(judge([f"k={kind}; p={text}"]))

    @given(st.binary(max_size=60))
    def test_that_is_any_octets_is_judged(self, octets: bytes) -> None:
        assert all(policy.dkim_faults([f"p={base64.b64encode(octets).decode()}"]))
