"""Pins and last moments of certificates, as openssl has them; whatever the octets are, a ValueError at most."""

from __future__ import annotations

import base64
import hashlib
import ssl
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.interop.programs import need
from tests.server.tls_certificates import Certificates, openssl

from mailname.wire.certificate import read_certificate, read_pin

if TYPE_CHECKING:
    from pathlib import Path

# A self-signed certificate of one day, its key forgotten.
DER = base64.b64decode(
    "MIIBiTCCAS+gAwIBAgIUaOxrmcYqn0VF7yi1nJEjsnYSIPMwCgYIKoZIzj0EAwIwGjEYMBYGA1UEAwwPbnMuZXhhbXBsZS50ZWNoMB4XDTI2MT"
    "EyMjE4MjcyN1oXDTI2MTEyMzE4MjcyN1owGjEYMBYGA1UEAwwPbnMuZXhhbXBsZS50ZWNoMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmWGx"
    "K0lJr+DzKOUrpYeQ9HxYQ+3TQC8A29R2QKcXZtoiSiB6Z4Xc83Ms3Hn0VZ+39G/tm5p1c99IY4SQybEtH6NTMFEwHQYDVR0OBBYEFE0BWWhk1C"
    "RJaaXEHFx4J1Skgg5cMB8GA1UdIwQYMBaAFE0BWWhk1CRJaaXEHFx4J1Skgg5cMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIg"
    "FIrxQjnT5qA6a9NSa1ySNDoLiIIZlrPLICMSftjtct4CIQCBXQI3mVL9HCN7os7oOASdT7/EP2ifQZw8WWTFizw68A=="
)


class TestReadCertificate:
    @pytest.mark.parametrize("days", [1, 36500])
    def test_agrees_with_openssl(self, tmp_path: Path, days: int) -> None:
        """The pin, and the last moment, before 2050 and after: two forms of time (RFC 5280 section 4.1.2.5)."""
        files = Certificates(tmp_path).make("one", days=days)
        found = read_certificate(ssl.PEM_cert_to_DER_cert(files.certificate.read_text()))
        public = openssl(tmp_path, "x509", "-in", "one.crt", "-noout", "-pubkey")
        (program,) = need("openssl")
        spki = subprocess.run(
            [program, *["pkey", "-pubin", "-outform", "der"]], input=public.encode(), capture_output=True, check=True
        ).stdout
        assert found.pin == base64.b64encode(hashlib.sha256(spki).digest()).decode()
        told = openssl(tmp_path, "x509", "-in", "one.crt", "-noout", "-enddate").strip().removeprefix("notAfter=")
        assert found.not_after == datetime.strptime(told, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)

    @given(at=st.integers(0, len(DER) - 1), octets=st.binary(min_size=1, max_size=3))
    def test_spoiled_raises_nothing_else(self, at: int, octets: bytes) -> None:
        """It comes from the network."""
        for spoiled in (DER[:at], DER[:at] + octets + DER[at + len(octets) :], octets):
            try:
                found = read_certificate(spoiled)
            except ValueError:
                continue
            assert len(found.pin) == 44


class TestReadPin:
    def test_is_a_sha256_in_base64(self) -> None:
        """As it is printed."""
        pin = read_certificate(DER).pin
        assert read_pin(pin) == pin

    @pytest.mark.parametrize(("text", "says"), [("$", "is not base64"), ("AAAA", "has 3 octets, a SHA-256 has 32")])
    def test_another_is_told(self, text: str, says: str) -> None:
        """With the command that prints one."""
        with pytest.raises(ValueError, match=says) as caught:
            read_pin(text)
        assert "mailname key pin" in str(caught.value)
