"""TSIG with each algorithm, whole and truncated MACs, each message of a stream: with BIND, Knot, NSD and dig."""

from __future__ import annotations

import base64
import re
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest
from tests.interop.mailname_server import Mailname
from tests.interop.programs import need
from tests.interop.real_servers import LOOPBACK, Bind, Key, Knot, Nsd, PrimaryZone, RealServer, SecondaryZone
from tests.interop.transfer_zone import zone_text
from tests.server.running import free_port

from mailname.wire.tsig import StreamVerifier, find_signature, sign
from mailname.wire.tsig_key import Key as OurKey

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONE = "example.tech."
SECRET = base64.b64encode(b"0123456789abcdef" * 4).decode()
ALGORITHMS = ["hmac-sha256", "hmac-sha384", "hmac-sha512"]
TRUNCATED = ["hmac-sha256-128", "hmac-sha384-192", "hmac-sha512-256"]


def key_of(algorithm: str) -> Key:
    return Key(f"{algorithm}.example.tech.", SECRET, algorithm)


def zone_of(algorithm: str) -> str:
    return f"{algorithm}.example."


def dig(server: RealServer, key: Key, zone: str, rdtype: str) -> str:
    """Return what dig prints; who verifies nothing would print no warning either, so the answer is looked at, too."""
    words = [*need("dig"), f"@{server.address}", "-p", str(server.port), "-y", f"{key.algorithm}:{key.name}:{key.secret}"]
    done = subprocess.run([*words, "+norec", "+tries=1", zone, rdtype], capture_output=True, text=True, check=False, timeout=30)
    return done.stdout + done.stderr


@pytest.mark.parametrize("other", [Bind, Knot, Nsd])
class TestEachAlgorithm:
    def test_from_them_to_us(self, other: type[RealServer]) -> None:
        """SOA question and transfer, signed and verified on both sides."""
        with other([PrimaryZone(zone_of(one), zone_text(1, records=200), key=key_of(one)) for one in ALGORITHMS]) as primary:
            at = (primary.address, primary.port)
            with Mailname([SecondaryZone(zone_of(one), at, key_of(one)) for one in ALGORITHMS]) as ours:
                for one in ALGORITHMS:
                    ours.wait_serial(zone_of(one), 1)

    def test_from_us_to_them(self, other: type[RealServer]) -> None:
        """NOTIFY, too."""
        port = free_port()
        zones = [PrimaryZone(zone_of(one), zone_text(1), notify=((LOOPBACK, port),), key=key_of(one)) for one in ALGORITHMS]
        with Mailname(zones) as ours:
            copies = [SecondaryZone(zone_of(one), (ours.address, ours.port), key_of(one)) for one in ALGORITHMS]
            with other(copies, port=port) as secondary:
                for one in ALGORITHMS:
                    secondary.wait_serial(zone_of(one), 1)
                for one in ALGORITHMS:
                    ours.publish(zone_of(one), zone_text(2))
                    secondary.wait_serial(zone_of(one), 2)
                    ours.wait_status(zone_of(one), lambda status: status["secondaries"][0]["state"] == "acknowledged")


@pytest.fixture(scope="class")
def ours() -> Iterator[Mailname]:
    zones = [PrimaryZone(zone_of(one), zone_text(1, records=1500), key=key_of(one)) for one in (*ALGORITHMS, *TRUNCATED)]
    with Mailname(zones) as server:
        yield server


class TestDig:
    @pytest.mark.parametrize("algorithm", [*ALGORITHMS, *TRUNCATED])
    def test_verifies_what_we_sign(self, algorithm: str, ours: Mailname) -> None:
        """One answer, and a transfer of several messages; with a truncated MAC where the key's text says so."""
        for rdtype in ("SOA", "AXFR"):
            printed = dig(ours, key_of(algorithm), zone_of(algorithm), rdtype)
            assert len(re.findall(r"\sSOA\s.*\s1 ", printed)) >= 1, printed
            assert not re.search(r"(?i)(couldn't verify|warning|failed|BADSIG|BADTRUNC|BADKEY)", printed), printed
            mac_octets = int(algorithm.split("-")[2]) // 8 if algorithm in TRUNCATED else int(algorithm[8:]) // 8
            assert re.search(rf"\sTSIG\s+\S+ \d+ 300 {mac_octets} ", printed), printed

    def test_that_truncates_more_than_the_key_allows_is_told_badtrunc(self, ours: Mailname) -> None:
        """RFC 8945 section 5.2.4."""
        whole = key_of("hmac-sha256")
        printed = dig(ours, Key(whole.name, whole.secret, "hmac-sha256-128"), zone_of("hmac-sha256"), "SOA")
        assert "BADTRUNC" in printed, printed
        assert "NOTAUTH" in printed, printed


class TestTruncated:
    @pytest.mark.parametrize("algorithm", TRUNCATED)
    def test_from_bind_and_to_bind(self, algorithm: str) -> None:
        """BIND calls it "algorithm hmac-sha256-128"."""
        key, zone, port = key_of(algorithm), zone_of(algorithm), free_port()
        for first, second in ((Bind, Mailname), (Mailname, Bind)):
            with first([PrimaryZone(zone, zone_text(1, records=1500), notify=((LOOPBACK, port),), key=key)]) as primary:
                copy = SecondaryZone(zone, (primary.address, primary.port), key)
                with second([copy], port=port) as secondary:
                    secondary.wait_serial(zone, 1)


class TwoKeys(Mailname):
    """Ours, in the middle of a rotation: it prefers a key that the other side does not know yet."""

    new = Key("k2.example.tech.", SECRET)

    def _configure(self) -> None:
        super()._configure()
        path = self.folder / "serve.toml"
        text = re.sub(r'(?m)^key = ("[^"]+")$', rf'key = ["{self.new.name}", \1]', path.read_text())
        path.write_text(f'{text}\n[[key]]\nfile = "{self.key_file(self.new).name}"\n')


@pytest.mark.parametrize("other", [Bind, Knot, Nsd])
class TestRotation:
    def test_old_key_is_used_where_the_new_one_is_not_known(self, other: type[RealServer]) -> None:
        """Their BADKEY is understood: for the question, the transfer, and NOTIFY."""
        key, port = key_of("hmac-sha256"), free_port()
        for first, second in ((other, TwoKeys), (TwoKeys, other)):
            with first([PrimaryZone(ZONE, zone_text(1), notify=((LOOPBACK, port),), key=key)]) as primary:
                copy = SecondaryZone(ZONE, (primary.address, primary.port), key)
                with second([copy], port=port) as secondary:
                    secondary.wait_serial(ZONE, 1)
                    primary.publish(ZONE, zone_text(2))
                    secondary.wait_serial(ZONE, 2)
                    if isinstance(primary, TwoKeys):
                        primary.wait_status(ZONE, lambda status: status["secondaries"][0]["state"] == "acknowledged")


class TestStream:
    @pytest.mark.parametrize("server", [Bind, Nsd, Mailname])
    def test_each_message_is_signed(self, server: type[RealServer]) -> None:
        """What RFC 8945 section 5.3.1 asks of who sends; our verifier agrees with what the others sign."""
        key = key_of("hmac-sha256")
        with server([PrimaryZone(ZONE, zone_text(1, records=4000), key=key)]) as primary:
            messages, mac = streamed(primary, key)
            assert len(messages) > 1
            assert all(find_signature(message) for message in messages)
            verifier = StreamVerifier(our(key), mac)
            assert [type(verifier.take(message, time.time())) for message in messages] == [bytes] * len(messages)


def our(key: Key) -> OurKey:
    return OurKey(dns.name.from_text(key.name), base64.b64decode(key.secret))


def streamed(primary: RealServer, key: Key) -> tuple[list[bytes], bytes]:
    """Return the messages of a transfer as they came, and the MAC of the request."""
    request, mac = sign(dns.message.make_query(ZONE, "AXFR", id=7).to_wire(), our(key), time.time())
    messages: list[bytes] = []
    with socket.create_connection((primary.address, primary.port), 20) as stream, stream.makefile("rb") as read:
        stream.sendall(len(request).to_bytes(2, "big") + request)
        soas = 0
        while soas < 2:
            messages.append(read.read(int.from_bytes(read.read(2), "big")))
            message = dns.message.from_wire(messages[-1], keyring=False, one_rr_per_rrset=True)
            assert message.rcode() == dns.rcode.NOERROR
            soas += sum(rrset.rdtype == dns.rdatatype.SOA for rrset in message.answer)
    return messages, mac
