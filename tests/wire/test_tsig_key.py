"""Keys as text: BIND's clause, one or several, with truncation; never the secret in a message."""

from __future__ import annotations

import re

import dns.name
import pytest

from mailname.wire.tsig_key import ALGORITHMS, HASHES, Key, key_text, make_key, parse_key, parse_keys, shortest_mac

NAME = dns.name.from_text("transfer.example.tech.")


class TestKeys:
    @pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
    def test_written_key_is_read_again(self, algorithm: str) -> None:
        """Name, algorithm and secret, in BIND's form."""
        key = make_key(NAME, algorithm)
        assert parse_key("# comment\n" + key_text(key)) == key

    @pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
    def test_truncation_is_written_and_read_again(self, algorithm: str) -> None:
        """As BIND writes it: hmac-sha256-128."""
        plain = ALGORITHMS[algorithm]
        key = Key(NAME, b"secret", plain, shortest_mac(plain))
        assert f"algorithm {algorithm}-{shortest_mac(plain) * 8};" in key_text(key)
        assert parse_key(key_text(key)) == key != Key(NAME, b"secret", plain)

    def test_secret_is_new_each_time(self) -> None:
        """And as long as the algorithm's output. RFC 8945 section 8."""
        assert make_key(NAME).secret != make_key(NAME).secret
        assert len(make_key(NAME, "hmac-sha512").secret) == HASHES[ALGORITHMS["hmac-sha512"]][1] == 64

    def test_several_keep_their_order(self) -> None:
        """What stands in a comment is no key."""
        keys = tuple(make_key(dns.name.from_text(name)) for name in ("new.", "old.", "older."))
        commented = "".join(f"// {line}\n" for line in key_text(make_key(NAME)).splitlines())
        assert parse_keys("\n".join(map(key_text, keys)) + commented + "/* " + key_text(make_key(NAME)) + "*/") == keys

    def test_secret_with_slashes_is_no_comment(self) -> None:
        """Base64 has them."""
        key = Key(NAME, b"\xff" * 32)
        assert "//" in key_text(key)
        assert parse_key(key_text(key)) == key

    def test_text_for_people_has_no_secret(self) -> None:
        """It may end in a log."""
        assert repr(Key(NAME, b"secret")) == "<TSIG key transfer.example.tech. hmac-sha256>"

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "there is no clause"),
            ('key "a" { algorithm hmac-md5; secret "c2VjcmV0"; };', "hmac-md5 is not one of"),
            ('key "a" { secret "c2VjcmV0"; };', "(none) is not one of"),
            ('key "a" { algorithm hmac-sha256; secret "$$$c2VjcmV0"; };', "cannot be read"),
            ('key "a..b" { algorithm hmac-sha256; secret "c2VjcmV0"; };', "cannot be read"),
            ('key "a" { algorithm hmac-sha256; };', "has no secret"),
            ('key "a" { algorithm hmac-sha256-120; secret "c2VjcmV0"; };', "128 to 256 bits, in steps of 8, not to 120"),
            ('key "a" { algorithm hmac-sha512-257; secret "c2VjcmV0"; };', "256 to 512 bits, in steps of 8, not to 257"),
            ('key "a" { algorithm hmac-sha256-x; secret "c2VjcmV0"; };', "hmac-sha256-x is not one of"),
            ('key "a" { algorithm hmac-sha256; secret "c2VjcmV0"; };' * 2, "the same name"),
        ],
    )
    def test_what_is_no_key_is_told_without_the_secret(self, text: str, says: str) -> None:
        """A secret never stands in a message."""
        with pytest.raises(ValueError, match=re.escape(says)) as caught:
            parse_keys(text)
        assert "c2VjcmV0" not in str(caught.value)
