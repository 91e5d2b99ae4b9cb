"""Scripts of others are what their packages published: each has its line with name, licence and sum."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

import mailname.web

_LINE = re.compile(r"^\| `(\S+)` \|.*?\| [^|`]+, `(\S+?)`.*\| `([0-9a-f]{64})` \|$", re.MULTILINE)
_FOLDERS = [Path(mailname.web.__file__).parent / "static/vendored", Path(__file__).parent / "vendored"]


@pytest.mark.parametrize("folder", _FOLDERS, ids=["page", "tests"])
class TestVendored:
    def test_each_file_has_its_sum_and_licence(self, folder: Path) -> None:
        """No file is without a line, no line without a file, and nothing was changed."""
        told = {name: (licence, digest) for name, licence, digest in _LINE.findall((folder / "README.md").read_text())}
        files = {path.name: path for path in folder.iterdir() if path.suffix in (".js", ".css")}
        assert files.keys() == told.keys()
        for name, path in files.items():
            licence, digest = told[name]
            assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
            assert (folder / licence).is_file()
