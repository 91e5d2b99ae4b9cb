"""Which certificates fit a TLSA record."""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING

import dns.name
import pytest
from dns.rdataclass import IN
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.TLSA import TLSA
from tests.server.tls_certificates import Certificates

from mailname.mail.tlsa import fits, is_usable, prints_of, tlsa_owner
from mailname.wire.certificate import read_certificate

if TYPE_CHECKING:
    from pathlib import Path


def tlsa(usage: int, selector: int, kind: int, octets: bytes) -> TLSA:
    return TLSA(IN, RdataType.TLSA, usage, selector, kind, octets)


@pytest.fixture(scope="module")
def der(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder: Path = tmp_path_factory.mktemp("certificate")
    file = Certificates(folder).make("mail", names="DNS:mail.example.tech", days=30).certificate
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    text = file.read_text().partition(begin)[2].partition(end)[0]
    return ssl.PEM_cert_to_DER_cert(f"{begin}{text}{end}\n")


def octets_for(der: bytes, selector: int, kind: int) -> bytes:
    part = der if selector == 0 else read_certificate(der).public_key
    return {0: part, 1: hashlib.sha256(part).digest(), 2: hashlib.sha512(part).digest()}[kind]


class TestRecord:
    @pytest.mark.parametrize("selector", [0, 1])
    @pytest.mark.parametrize("kind", [0, 1, 2])
    def test_fits_its_certificate_and_no_other(self, der: bytes, selector: int, kind: int) -> None:
        """All selectors and matching types (RFC 6698 sections 2.1.2 and 2.1.3)."""
        right = octets_for(der, selector, kind)
        wrong = right[:-1] + bytes([right[-1] ^ 1])
        for usage in (2, 3):
            assert fits(tlsa(usage, selector, kind, right), prints_of(der), ()) is True
            assert fits(tlsa(usage, selector, kind, wrong), prints_of(der), ()) is False

    def test_of_usage_2_may_name_a_certificate_above(self, der: bytes) -> None:
        """Where these are not known, nobody can say."""
        record = tlsa(2, 1, 1, octets_for(der, 1, 1))
        assert fits(record, (), prints_of(der)) is True
        assert fits(record, (), None) is None
        assert fits(tlsa(3, 1, 1, octets_for(der, 1, 1)), (), prints_of(der)) is False

    @pytest.mark.parametrize(
        ("usage", "selector", "kind", "octets", "usable"),
        [
            (3, 1, 1, 32, True),
            (2, 0, 2, 64, True),
            (3, 0, 0, 9, True),
            (0, 1, 1, 32, False),
            (1, 1, 1, 32, False),
            (3, 2, 1, 32, False),
            (3, 1, 7, 32, False),
        ],
    )
    def test_counts_where_a_sender_can_use_it(self, usage: int, selector: int, kind: int, octets: int, usable: bool) -> None:
        """RFC 7672 section 3.1.3: usages 0 and 1 are not for mail."""
        assert is_usable(tlsa(usage, selector, kind, bytes(octets))) is usable


class TestOwner:
    def test_is_below_port_and_transport(self) -> None:
        assert tlsa_owner(dns.name.from_text("mail.example.tech")) == dns.name.from_text("_25._tcp.mail.example.tech")
