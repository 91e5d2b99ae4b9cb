"""What is wrong with the folders that a server writes in, before it next has to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mailname.server.disk_state import trouble

if TYPE_CHECKING:
    from pathlib import Path


def disk(*, free: int = 1000, files: int = 1000, flags: int = 0) -> os.statvfs_result:
    """Return what the system says of a disk with blocks of 4096 octets."""
    return os.statvfs_result((4096, 4096, 1000, free, free, 1000, files, files, flags, 255))


@pytest.fixture
def lock(tmp_path: Path) -> int:
    return os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)


class TestTrouble:
    def test_is_none_where_all_is_well(self, tmp_path: Path, lock: int) -> None:
        assert trouble([tmp_path], tmp_path, lock) is None

    @pytest.mark.parametrize(
        ("found", "says"),
        [
            (disk(free=3), "is full, 12 KiB are left: make room; look with: df "),
            (disk(files=0), "takes no more files: make room; look with: df -i "),
            (disk(flags=os.ST_RDONLY), "is read-only: nothing new is kept."),
        ],
    )
    def test_names_the_disk_and_what_to_type(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: os.statvfs_result, says: str
    ) -> None:
        monkeypatch.setattr(os, "statvfs", lambda _: found)
        assert f"the disk of {tmp_path} {says}" in str(trouble([tmp_path]))

    def test_names_who_may_not_write(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)
        assert f"may not write in {tmp_path}: give it back: chown {os.geteuid()} {tmp_path}" in str(trouble([tmp_path]))

    def test_names_a_folder_that_is_gone(self, tmp_path: Path) -> None:
        assert "cannot be used: No such file or directory" in str(trouble([tmp_path, tmp_path / "gone"]))

    def test_tells_that_the_state_folder_is_another_one(self, tmp_path: Path, lock: int) -> None:
        """Yesterday's was put in its place while the server ran: what the server writes goes nowhere."""
        (tmp_path / "lock").unlink()
        assert "was replaced or emptied under the running server: start it again" in str(trouble([], tmp_path, lock))
        (tmp_path / "lock").touch()
        assert "was replaced" in str(trouble([], tmp_path, lock))
