"""The archive that goes to a host: the same for the same installation, and runs there by itself."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from mailname.host.archive import Interpreter, build_archive

if TYPE_CHECKING:
    from pathlib import Path


class TestInterpreter:
    HERE = Interpreter((3, 11), "x86_64", (2, 36))

    @pytest.mark.parametrize(
        ("there", "fits"),
        [
            (Interpreter((3, 11), "x86_64", (2, 36)), True),
            (Interpreter((3, 11), "x86_64", (2, 41)), True),
            (Interpreter((3, 11), "x86_64", (2, 31)), False),
            (Interpreter((3, 13), "x86_64", (2, 41)), False),
            (Interpreter((3, 11), "aarch64", (2, 36)), False),
            (Interpreter((3, 11), "x86_64", ()), False),
        ],
    )
    def test_fits(self, there: Interpreter, fits: bool) -> None:
        """Compiled modules are for one Python, one processor, and no older C library."""
        assert self.HERE.fits(there) is fits


class TestArchive:
    def test_runs_by_itself(self, tmp_path: Path) -> None:
        """By a Python that knows nothing but itself; the digest is that of the content."""
        first = build_archive(compiled=False)
        assert build_archive(compiled=False).digest == first.digest
        assert not first.is_compiled
        with tarfile.open(fileobj=io.BytesIO(first.octets)) as tar:
            names = tar.getnames()
            tar.extractall(tmp_path, filter="data")
        assert not [name for name in names if name.startswith("mailname/") and name.endswith((".so", ".pyc", ".pyx"))]
        environment = {"PATH": "/usr/bin:/bin"}
        run = "import runpy, sys; sys.path[:] = [one for one in sys.path if 'packages' not in one]; sys.argv = sys.argv[1:]"
        argv = [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"{run}; runpy.run_path(sys.argv[0], run_name='__main__')",
            str(tmp_path),
            "version",
        ]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        assert "core       uncompiled" in done.stdout
