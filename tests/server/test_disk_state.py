"""What is wrong with the folders that a server writes in, before it next has to."""

from __future__ import annotations

import errno
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
        assert f"may not write in {tmp_path}: give it back: chmod u+rwX {tmp_path}" in str(trouble([tmp_path]))
        me = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: me + 1)
        assert f"user {me + 1}, which the server runs as, may not write in {tmp_path}" in str(trouble([tmp_path]))
        assert f"give it back: chown -R {me + 1} {tmp_path}" in str(trouble([tmp_path]))

    def test_names_a_folder_that_is_gone(self, tmp_path: Path) -> None:
        assert "cannot be used: No such file or directory" in str(trouble([tmp_path, tmp_path / "gone"]))

    def test_names_a_disk_that_takes_nothing_though_it_looks_well(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """After a fault, a kernel writes to a disk no more, and statvfs tells nothing of it; nor of a quota that is used up."""
        said = errno.EROFS

        def refuse(*_: object) -> int:
            raise OSError(said, os.strerror(said))

        monkeypatch.setattr(os, "open", refuse)
        assert f"the disk of {tmp_path} is read-only" in str(trouble([tmp_path]))
        said = errno.EMFILE
        assert f"nothing can be written in {tmp_path}: Too many open files" in str(trouble([tmp_path]))
        said = errno.EOPNOTSUPP  # a file system that cannot be tried in this way
        assert trouble([tmp_path]) is None
        monkeypatch.undo()
        said = errno.EDQUOT
        monkeypatch.setattr(os, "write", refuse)
        assert f"Make room: df {tmp_path}" in str(trouble([tmp_path]))

    def test_names_a_file_that_the_next_start_cannot_read(
        self, tmp_path: Path, lock: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody has run the server as root, once; or a zone file was put there with another owner, or is gone."""
        closed, zone_file = tmp_path / "example.tech.journal", tmp_path / "example.tech.zone"
        closed.touch()
        zone_file.touch()
        may = os.access
        forbidden = closed
        monkeypatch.setattr(
            os, "access", lambda path, how: may(path, how) and (how == os.F_OK or os.fspath(path) != str(forbidden))
        )
        monkeypatch.setattr(os, "geteuid", lambda: 1234)
        says = str(trouble([tmp_path], tmp_path, lock, [zone_file]))
        assert f"may not read and write {closed}" in says
        assert f"chown 1234 {closed}" in says
        forbidden = zone_file
        says = str(trouble([], None, None, [zone_file]))
        assert f"may not read the zone file {zone_file}: what was loaded is served on" in says
        assert f"chown 1234 {zone_file}" in says
        zone_file.unlink()
        assert f"the zone file {zone_file} is gone" in str(trouble([], None, None, [zone_file]))

    def test_does_not_take_a_closed_state_folder_for_another_one(
        self, tmp_path: Path, lock: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> os.stat_result:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(type(tmp_path), "stat", refuse)
        assert trouble([], tmp_path, lock) is None
        monkeypatch.setattr(os, "access", lambda *_: False)
        assert f"may not write in {tmp_path}" in str(trouble([tmp_path], tmp_path, lock))

    def test_tells_that_the_state_folder_is_another_one(self, tmp_path: Path, lock: int) -> None:
        """Yesterday's was put in its place while the server ran: what the server writes goes nowhere."""
        (tmp_path / "lock").unlink()
        assert "was replaced or emptied under the running server: start it again" in str(trouble([], tmp_path, lock))
        (tmp_path / "lock").touch()
        assert "was replaced" in str(trouble([], tmp_path, lock))
