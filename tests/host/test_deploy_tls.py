"""The certificate of a primary that transfers over TLS, from beside the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.server.tls_certificates import Certificates

from mailname.engines.units import TLS_CERTIFICATE, TLS_KEY
from mailname.errors import HostError
from mailname.host.deploy_tls import tls_files

if TYPE_CHECKING:
    from pathlib import Path

THERE = (TLS_CERTIFICATE, TLS_KEY)


class TestTlsFiles:
    def test_go_to_the_host_and_the_key_is_a_secret(self, tmp_path: Path) -> None:
        made = Certificates(tmp_path)
        made.make("ns1")
        files = tls_files("ns1", made.pin("ns1"), tmp_path, THERE, ())
        assert [(one.mode, one.owner, one.secret) for one in files.values()] == [
            (0o644, "root:root", False),
            (0o600, "mailname:mailname", True),
        ]

    def test_that_lie_nowhere_are_missed(self, tmp_path: Path) -> None:
        """Before anything changes: the server would not start."""
        with pytest.raises(HostError, match=r"ns1\.crt cannot be read: No such file"):
            tls_files("ns1", "", tmp_path, THERE, (str(TLS_KEY),))
        assert tls_files("ns1", "", tmp_path, THERE, tuple(map(str, THERE))) == {}

    def test_with_another_key_than_the_plan_says_or_open_to_others_are_refused(self, tmp_path: Path) -> None:
        made = Certificates(tmp_path)
        made.make("ns1")
        with pytest.raises(HostError, match="another key than the plan's tls_pin"):
            tls_files("ns1", "x", tmp_path, THERE, ())
        (tmp_path / "ns1.key").chmod(0o640)
        with pytest.raises(HostError, match="may be read by others"):
            tls_files("ns1", made.pin("ns1"), tmp_path, THERE, ())
