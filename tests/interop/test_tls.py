"""Transfers over TLS (RFC 9103) between us and BIND, in both directions; our port as kdig and openssl see it; Knot has none."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.interop.mailname_server import Mailname
from tests.interop.programs import need
from tests.interop.real_servers import LOOPBACK, Bind, Key, PrimaryZone, SecondaryZone
from tests.interop.transfer_zone import transfer, zone_text
from tests.server.running import free_port
from tests.server.tls_certificates import Certificates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.interop.real_servers import Zone

    from mailname.server.tls import TlsFiles

ZONE = "example.tech."
KEY = Key("transfer.example.", "c2VjcmV0IHNoYXJlZCBieSBib3RoIG5hbWUgc2VydmVycyE=")
MANY = 3000


class BindOverTls(Bind):
    """BIND with a port for TLS, or asking its primary over TLS.

    Args:
        zones: what it serves.
        ours: its own certificate.
        port: for DNS without TLS.
        tls_port: where it listens for TLS; 0: nowhere.
        proof: what a secondary wants to see of its primary, in BIND's words.

    """

    def __init__(self, zones: Sequence[Zone], ours: TlsFiles, *, port: int = 0, tls_port: int = 0, proof: str = "") -> None:
        listen = f"listen-on port {tls_port} tls ours {{ {LOOPBACK}; }};" if tls_port else ""
        super().__init__(zones, options=listen, port=port)
        self.ours = ours
        self.tls_port = tls_port
        self.proof = proof

    def _configure(self) -> None:
        super()._configure()
        path = self.folder / "named.conf"
        certificate = f'cert-file "{self.ours.certificate}"; key-file "{self.ours.key}"; protocols {{ TLSv1.3; }};'
        path.write_text(f"tls ours {{ {certificate} }};\ntls theirs {{ {certificate} {self.proof} }};\n{path.read_text()}")

    def _zone(self, zone: Zone) -> str:
        text = super()._zone(zone)
        if isinstance(zone, SecondaryZone):
            return text.replace(f'key "{KEY.name}"; }}; allow', f'key "{KEY.name}" tls theirs; }}; allow', 1)
        return text.replace("allow-transfer {", f"allow-transfer port {self.tls_port} transport tls {{", 1)


class MailnameOverTls(Mailname):
    """Ours with a port for TLS, or asking its primary over TLS.

    Args:
        zones: what it serves.
        options: lines of the configuration's top level.
        peer: lines for each primary or secondary.

    """

    def __init__(self, zones: Sequence[Zone], *, options: str = "", peer: str = "", port: int = 0) -> None:
        super().__init__(zones, options=options, port=port)
        self.peer = peer

    def _zone(self, zone: Zone) -> list[str]:
        return [*super()._zone(zone), self.peer]


def tls_options(files: TlsFiles, port: int = 0) -> str:
    """Return our certificate and our port for TLS, as the configuration has them; a table, so the last of the top level."""
    client_ca = f"client_ca = {json.dumps(str(files.client_ca))}\n" if files.client_ca else ""
    listen = f'tls_listen = ["{LOOPBACK}:{port}"]\n' if port else ""
    return f"{listen}[tls]\ncertificate = {json.dumps(str(files.certificate))}\nkey = {json.dumps(str(files.key))}\n{client_ca}"


@pytest.fixture(scope="class")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = Certificates(tmp_path_factory.mktemp("tls"))
    made.sign("one", names=f"DNS:ns.example.tech,IP:{LOOPBACK}")
    made.sign("two", names="DNS:ns2.example.tech")
    made.make("alone")
    return made


class TestBind:
    @pytest.mark.parametrize("proof", ["pin", "name"])
    def test_is_our_primary(self, certificates: Certificates, proof: str) -> None:
        """The whole zone and the next version; BIND gives it over TLS only, so that nothing else can have brought it."""
        ours, tls_port = free_port(), free_port()
        zone = PrimaryZone(ZONE, zone_text(1, records=MANY), notify=((LOOPBACK, ours),), key=KEY)
        lines = {
            "pin": f'tls_pin = "{certificates.pin("one")}"',
            "name": f'tls_name = "ns.example.tech"\ntls_ca = {json.dumps(str(certificates.ca))}',
        }
        with BindOverTls([zone], certificates.files("one"), tls_port=tls_port) as primary:
            copy = SecondaryZone(ZONE, (LOOPBACK, tls_port), key=KEY)
            with MailnameOverTls([copy], peer=lines[proof], port=ours) as secondary:
                secondary.wait_serial(ZONE, 1)
                primary.publish(ZONE, zone_text(2, records=MANY))
                secondary.wait_serial(ZONE, 2)
                assert len(transfer(secondary, ZONE, KEY)) > MANY

    def test_as_primary_with_another_key_is_refused(self, certificates: Certificates) -> None:
        """The pin is another one's: no zone, and the cause is told."""
        tls_port = free_port()
        zone = PrimaryZone(ZONE, zone_text(1), key=KEY)
        with BindOverTls([zone], certificates.files("one"), tls_port=tls_port):
            copy = SecondaryZone(ZONE, (LOOPBACK, tls_port), key=KEY)
            with MailnameOverTls([copy], peer=f'tls_pin = "{certificates.pin("alone")}"') as secondary:
                status = secondary.wait_status(ZONE, lambda status: status["last_failure"])
                assert status["last_failure"]["reason"] == "tls-pin"
                assert certificates.pin("one") in status["last_failure"]["says"]

    @pytest.mark.parametrize("mutual", [False, True])
    def test_is_our_secondary(self, certificates: Certificates, mutual: bool) -> None:
        """It verifies our certificate, and with client_ca we verify its own."""
        theirs, tls_port = free_port(), free_port()
        zone = PrimaryZone(ZONE, zone_text(1, records=MANY), notify=((LOOPBACK, theirs),), key=KEY)
        files = certificates.files("one")
        if mutual:
            files = type(files)(files.certificate, files.key, certificates.ca)
        proof = f'ca-file "{certificates.ca}"; remote-hostname "ns.example.tech";'
        with MailnameOverTls([zone], options=tls_options(files, tls_port), peer="tls = true") as primary:
            copy = SecondaryZone(ZONE, (LOOPBACK, tls_port), key=KEY)
            with BindOverTls([copy], certificates.files("two"), port=theirs, proof=proof) as secondary:
                secondary.wait_serial(ZONE, 1)
                primary.publish(ZONE, zone_text(2, records=MANY))
                secondary.wait_serial(ZONE, 2)
                assert len(transfer(secondary, ZONE, KEY)) > MANY

    def test_as_secondary_that_expects_another_name_gets_nothing(self, certificates: Certificates) -> None:
        """It ends the connection; ours stays well."""
        tls_port = free_port()
        zone = PrimaryZone(ZONE, zone_text(1), key=KEY)
        proof = f'ca-file "{certificates.ca}"; remote-hostname "ns9.example.tech";'
        options = tls_options(certificates.files("one"), tls_port)
        with MailnameOverTls([zone], options=options) as primary:
            copy = SecondaryZone(ZONE, (LOOPBACK, tls_port), key=KEY)
            with BindOverTls([copy], certificates.files("two"), proof=proof) as secondary:
                primary.wait_log(f"TLS with {LOOPBACK}")
                assert secondary.serial(ZONE) is None
                assert primary.serial(ZONE) == 1


class TestOurs:
    def test_to_ours_arrives_whole(self, certificates: Certificates) -> None:
        """Self-signed, pinned on both sides, over TLS only."""
        theirs, tls_port = free_port(), free_port()
        alone = certificates.files("alone")
        files = type(alone)(alone.certificate, alone.key, alone.certificate)
        zone = PrimaryZone(ZONE, zone_text(1, records=MANY), notify=((LOOPBACK, theirs),), key=KEY)
        pin = f'tls_pin = "{certificates.pin("alone")}"'
        with MailnameOverTls([zone], options=tls_options(files, tls_port), peer=f"tls = true\n{pin}") as primary:
            copy = SecondaryZone(ZONE, (LOOPBACK, tls_port), key=KEY)
            with MailnameOverTls([copy], options=tls_options(alone), peer=pin, port=theirs) as secondary:
                secondary.wait_serial(ZONE, 1)
                primary.publish(ZONE, zone_text(2, records=MANY))
                secondary.wait_serial(ZONE, 2)
                assert len(transfer(secondary, ZONE, None)) > MANY

    def test_port_seen_by_kdig(self, certificates: Certificates) -> None:
        """With the pin: the SOA, and a transfer; without "dot" agreed on, nothing."""
        (kdig,) = need("kdig")
        tls_port = free_port()
        with MailnameOverTls(
            [PrimaryZone(ZONE, zone_text(1), key=KEY)], options=tls_options(certificates.files("alone"), tls_port)
        ):
            key = f"{KEY.algorithm}:{KEY.name}:{KEY.secret}"
            words = [kdig, f"@{LOOPBACK}", "-p", str(tls_port), f"+tls-pin={certificates.pin('alone')}", "-y", key, ZONE]
            for rdtype in ("SOA", "AXFR"):
                done = subprocess.run([*words, rdtype], capture_output=True, text=True, check=False, timeout=30)
                assert "SOA" in done.stdout, done.stdout + done.stderr
                assert "NOTAUTH" not in done.stdout

    def test_port_speaks_nothing_older_than_tls_1_3(self, certificates: Certificates) -> None:
        """As openssl sees it."""
        (openssl,) = need("openssl")
        tls_port = free_port()
        with MailnameOverTls([PrimaryZone(ZONE, zone_text(1))], options=tls_options(certificates.files("alone"), tls_port)):
            words = [openssl, "s_client", "-connect", f"{LOOPBACK}:{tls_port}", "-alpn", "dot"]
            for option, agreed in (("-tls1_3", True), ("-tls1_2", False)):
                done = subprocess.run([*words, option], input="", capture_output=True, text=True, check=False, timeout=30)
                assert ("ALPN protocol: dot" in done.stdout) is agreed, done.stdout


class TestKnot:
    @pytest.mark.parametrize(
        ("text", "known"),
        [
            ("xdp:\n    listen: 127.0.0.1@8853\n    quic: on\n", True),
            ("server:\n    listen-tls: 127.0.0.1@8853\n", False),
            ("remote:\n  - id: peer\n    address: 127.0.0.1\n    tls: on\n", False),
        ],
        ids=["QUIC for questions", "a port for TLS", "a primary asked over TLS"],
    )
    def test_of_debian_12_has_no_word_for_tls(self, tmp_path: Path, text: str, known: bool) -> None:
        """Knot 3.2 knows QUIC for questions, on a special kind of socket, and no transfers over TLS on either side."""
        (knotc,) = need("knotc")
        (tmp_path / "knot.conf").write_text(text)
        done = subprocess.run([knotc, "-c", "knot.conf", "conf-check"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is known, done.stdout + done.stderr
