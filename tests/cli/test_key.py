"""``mailname key make``: a secret in a file, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
import pytest
from click.testing import CliRunner
from tests.server.tls_certificates import Certificates

from mailname.cli.key import command
from mailname.errors import HostError
from mailname.server.keyfile import load_key_file

if TYPE_CHECKING:
    from pathlib import Path


class TestPin:
    def test_is_that_of_the_first_certificate(self, tmp_path: Path) -> None:
        """A line that can be copied."""
        files = Certificates(tmp_path).sign("one")
        whole = tmp_path / "chain.crt"
        whole.write_text(files.certificate.read_text() + (tmp_path / "ca.crt").read_text())
        done = CliRunner().invoke(command, ["pin", str(whole)])
        assert done.output == Certificates(tmp_path).pin("one") + "\n"

    def test_file_without_a_certificate_is_told(self, tmp_path: Path) -> None:
        """A key, for example."""
        files = Certificates(tmp_path).make("one")
        done = CliRunner().invoke(command, ["pin", str(files.key)])
        assert isinstance(done.exception, HostError)
        assert "there is no certificate in" in done.exception.problem


class TestMake:
    @pytest.mark.parametrize("algorithm", ["hmac-sha256", "hmac-sha384", "hmac-sha512"])
    def test_writes_a_key_that_only_its_owner_can_read(self, tmp_path: Path, algorithm: str) -> None:
        """The secret is never printed."""
        path = tmp_path / "transfer.key"
        done = CliRunner().invoke(command, ["make", "transfer.example.tech", "-o", str(path), "--algorithm", algorithm])
        assert done.exit_code == 0, done.output
        key = load_key_file(path)
        assert key.name == dns.name.from_text("transfer.example.tech")
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text(encoding="utf-8").split('secret "')[1].split('"')[0] not in done.output

    def test_never_overwrites(self, tmp_path: Path) -> None:
        """A key in use would be lost."""
        path = tmp_path / "transfer.key"
        path.write_text("old", encoding="utf-8")
        done = CliRunner().invoke(command, ["make", "transfer.example.tech", "-o", str(path)])
        assert isinstance(done.exception, HostError)
        assert path.read_text(encoding="utf-8") == "old"

    def test_name_that_is_none_is_told(self, tmp_path: Path) -> None:
        """Key names are domain names."""
        done = CliRunner().invoke(command, ["make", "a..b", "-o", str(tmp_path / "k")])
        assert done.exit_code == 2
        assert "not a domain name" in done.output
