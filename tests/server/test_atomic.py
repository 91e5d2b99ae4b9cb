"""Files that are whole at any instant."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from mailname.errors import HostError
from mailname.server import atomic, durable
from mailname.server.atomic import NewVersion, create_secret, remove_unfinished, write_atomic, write_together


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


def cut_after(step: str, times: int, patch: pytest.MonkeyPatch, error: BaseException, *, once: bool = False) -> None:
    """Let a step fail that was done so many times."""
    where, name = {"mkstemp": (tempfile, "mkstemp"), "replace": (Path, "replace"), "sync_folder": (atomic, "sync_folder")}.get(
        step, (os, step)
    )
    really, done = getattr(where, name), 0

    def counted(*args: Any, **options: Any) -> Any:
        nonlocal done
        done += 1
        if done == times + 1 or (done > times and not once):
            raise error
        return really(*args, **options)

    patch.setattr(where, name, counted)


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


class TestWriteTogether:
    """Files of several zones, each with its text and its record."""

    @staticmethod
    def groups(folder: Path) -> list[list[NewVersion]]:
        return [
            [NewVersion(folder / f"{name}.zone", iter([b"text of ", name.encode()])), NewVersion(folder / f"{name}.json", b"{}")]
            for name in ("one", "two", "three")
        ]

    def test_all_are_there(self, tmp_path: Path) -> None:
        """Nothing else is."""
        (tmp_path / "two.zone").write_bytes(b"old")
        assert write_together(self.groups(tmp_path)) == [None, None, None]
        found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert found == {
            f"{name}.{kind}": octets
            for name in ("one", "two", "three")
            for kind, octets in (("zone", b"text of " + name.encode()), ("json", b"{}"))
        }
        assert (tmp_path / "two.zone").stat().st_mode & 0o777 == 0o644

    def test_a_disk_that_takes_a_few_octets_at_a_time_gets_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write = os.write
        monkeypatch.setattr(os, "write", lambda handle, octets: write(handle, octets[:3]))
        assert write_together([[NewVersion(tmp_path / "one.json", b"0123456789")]]) == [None]
        assert (tmp_path / "one.json").read_bytes() == b"0123456789"

    @pytest.mark.parametrize("step", STEPS)
    @pytest.mark.parametrize("after", range(3))
    def test_cut_at_any_step_leaves_each_file_old_or_new(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: int
    ) -> None:
        """A record is never new beside an old text."""
        for name in ("one", "two", "three"):
            (tmp_path / f"{name}.zone").write_bytes(b"old")
            (tmp_path / f"{name}.json").write_bytes(b"old")
        monkeypatch.setattr(durable, "_durable", durable.Durable(durable._fsync, lambda handle: False))
        with monkeypatch.context() as patch:
            patch.setattr(atomic, "sync_each", durable._durable.sync_each)
            cut_after(step, after, patch, Killed())
            with contextlib.suppress(Killed):
                write_together(self.groups(tmp_path))
        for name in ("one", "two", "three"):
            text, record = (tmp_path / f"{name}.zone").read_bytes(), (tmp_path / f"{name}.json").read_bytes()
            assert (text, record) in {
                (b"old", b"old"),
                (b"text of " + name.encode(), b"old"),
                (b"text of " + name.encode(), b"{}"),
            }

    @pytest.mark.parametrize("step", ["mkstemp", "fchmod", "fsync", "replace"])
    def test_fault_of_one_is_told_of_it_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
        """The others are kept, and nothing is left lying about."""
        monkeypatch.setattr(durable, "_durable", durable.Durable(durable._fsync, lambda handle: False))
        with monkeypatch.context() as patch:
            patch.setattr(atomic, "sync_each", durable._durable.sync_each)
            cut_after(step, 2, patch, OSError(errno.ENOSPC, "No space left on device"), once=True)
            first, second, third = write_together(self.groups(tmp_path))
        assert (first, third) == (None, None)
        assert second is not None
        assert second.errno == errno.ENOSPC
        assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
        assert (tmp_path / "three.json").read_bytes() == b"{}"

    def test_folder_that_cannot_be_synced_is_told_of_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """They are there, and may not survive a power cut."""
        cut_at("sync_folder", monkeypatch, OSError(errno.EIO, "Input/output error"))
        assert [one and one.errno for one in write_together(self.groups(tmp_path))] == [errno.EIO] * 3
