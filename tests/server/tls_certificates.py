"""Certificates for tests, made with openssl: a CA, servers that it has signed, self-signed ones, and one that has expired."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.interop.programs import need

from mailname.server.tls import TlsFiles, certificate_in

if TYPE_CHECKING:
    from pathlib import Path


def openssl(folder: Path, *words: str) -> str:
    """Run openssl in a folder; return what it prints."""
    (program,) = need("openssl")
    done = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True, slots=True)
class Certificates:
    """A folder of certificates and keys."""

    folder: Path

    def make(self, name: str, *, days: int = 30, names: str = "DNS:ns.example.tech") -> TlsFiles:
        """Make a self-signed certificate, as docs/commands.md has it."""
        words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(days)]
        openssl(
            self.folder,
            *words,
            "-subj",
            "/CN=ns.example.tech",
            "-addext",
            f"subjectAltName={names}",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.crt",
        )
        (self.folder / f"{name}.key").chmod(0o600)
        return self.files(name)

    def sign(self, name: str, *, days: str = "30", names: str = "DNS:ns.example.tech") -> TlsFiles:
        """Make a certificate signed by the CA, which is made if it is not there."""
        if not (self.folder / "ca.crt").exists():
            openssl(
                self.folder,
                *["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"],
                "-subj",
                "/CN=CA",
                "-keyout",
                "ca.key",
                "-out",
                "ca.crt",
            )
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        openssl(
            self.folder,
            *["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
            "-subj",
            "/CN=ns.example.tech",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
        )
        words = [
            "x509",
            "-req",
            "-in",
            f"{name}.csr",
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-extfile",
            f"{name}.ext",
        ]
        openssl(self.folder, *words, "-days", days, "-out", f"{name}.crt")
        (self.folder / f"{name}.key").chmod(0o600)
        return self.files(name)

    def files(self, name: str) -> TlsFiles:
        return TlsFiles(self.folder / f"{name}.crt", self.folder / f"{name}.key")

    def pin(self, name: str) -> str:
        return certificate_in(self.folder / f"{name}.crt").pin

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"
