"""Files that are whole at any instant."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from mailname.errors import HostError
from mailname.server import atomic
from mailname.server.atomic import create_secret, remove_unfinished, write_atomic


class Killed(BaseException):
    """The process ends here."""


STEPS = ("mkstemp", "fchmod", "fsync", "replace", "sync_folder")


def cut_at(step: str, patch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let a step fail before it is done."""

    def fail(*_args: object, **_options: object) -> None:
        raise error

    match step:
        case "mkstemp":
            patch.setattr(tempfile, "mkstemp", fail)
        case "replace":
            patch.setattr(Path, "replace", fail)
        case "sync_folder":
            patch.setattr(atomic, "sync_folder", fail)
        case _:
            patch.setattr(os, step, fail)


class TestWriteAtomic:
    @pytest.mark.parametrize("step", STEPS)
    @pytest.mark.parametrize("before", [None, b"old"])
    def test_cut_at_any_step_leaves_the_old_or_the_new(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, before: bytes | None
    ) -> None:
        """Whole, never a mixture."""
        path = tmp_path / "zone"
        if before is not None:
            path.write_bytes(before)
        with monkeypatch.context() as patch:
            cut_at(step, patch, Killed())
            with pytest.raises(Killed):
                write_atomic(path, b"new" * 1000)
        found = path.read_bytes() if path.exists() else None
        assert found == (b"new" * 1000 if step == "sync_folder" else before)

    @pytest.mark.parametrize("step", STEPS)
    def test_disk_that_refuses_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
        """With the system's reason, and what is there now; nothing is left lying about."""
        path = tmp_path / "zone"
        path.write_bytes(b"old")
        with monkeypatch.context() as patch:
            cut_at(step, patch, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            with pytest.raises(HostError, match="No space left on device") as caught:
                write_atomic(path, b"new")
        assert list(tmp_path.iterdir()) == [path]
        assert ("untouched" in caught.value.remedy) is (path.read_bytes() == b"old") is (step != "sync_folder")

    def test_mode_is_as_asked(self, tmp_path: Path) -> None:
        """A zone may be read by all, a secret may not."""
        write_atomic(tmp_path / "a", b"", mode=0o640)
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640

    def test_unfinished_files_are_found(self, tmp_path: Path) -> None:
        """Theirs and no others."""
        (tmp_path / ".zone.x.new").touch()
        (tmp_path / "zone.new").touch()
        remove_unfinished(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["zone.new"]


class TestCreateSecret:
    def test_only_its_owner_can_read_it(self, tmp_path: Path) -> None:
        """From its first moment on."""
        create_secret(tmp_path / "key", b"secret")
        assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600

    def test_existing_file_is_never_overwritten(self, tmp_path: Path) -> None:
        """A key in use would be lost."""
        (tmp_path / "key").write_bytes(b"old")
        with pytest.raises(HostError, match="exists already"):
            create_secret(tmp_path / "key", b"new")
        assert (tmp_path / "key").read_bytes() == b"old"

    def test_folder_that_is_missing_is_told(self, tmp_path: Path) -> None:
        """Not made: a wrong path is more likely."""
        with pytest.raises(HostError, match="cannot create"):
            create_secret(tmp_path / "none" / "key", b"new")
