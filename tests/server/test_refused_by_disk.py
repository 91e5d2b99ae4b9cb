"""What the system says when it refuses a file, in words with the line to type."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from mailname.server.refused_by_disk import culprit, refused

if TYPE_CHECKING:
    from pathlib import Path


def said(number: int) -> OSError:
    return OSError(number, os.strerror(number))


class TestRefused:
    @pytest.mark.parametrize(
        ("number", "type_it"),
        [
            (errno.ENOSPC, "Make room: df "),
            (errno.EDQUOT, "Make room: df "),
            (errno.EROFS, "mount -o remount,rw"),
            (errno.EACCES, "Give it back: chmod u+rwX "),
            (errno.EMFILE, "LimitNOFILE"),
            (errno.EIO, "The disk is failing: look at dmesg"),
            (errno.ELOOP, "its space (df) and its owner (ls -ld)"),
        ],
    )
    def test_names_file_reason_and_what_to_type(self, tmp_path: Path, number: int, type_it: str) -> None:
        error = refused("write", tmp_path / "a.journal", said(number), left="the old version is untouched")
        assert error.problem == f"cannot write {tmp_path}/a.journal: {os.strerror(number)}"
        assert type_it in error.remedy
        assert error.remedy.endswith("; the old version is untouched.")

    def test_names_a_folder_that_is_gone(self, tmp_path: Path) -> None:
        assert f"mkdir {tmp_path}/gone" in refused("write", tmp_path / "gone" / "a", said(errno.ENOENT)).remedy

    def test_gives_back_to_the_user_of_the_server(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A whole folder where the folder is not his, one file where only that is not."""
        (tmp_path / "a").touch()
        me = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: me + 1)
        monkeypatch.setattr(os, "access", lambda *_: True)
        assert f"chown {me + 1} {tmp_path}/a." in refused("write", tmp_path / "a", said(errno.EACCES)).remedy
        monkeypatch.setattr(os, "access", lambda path, how: how != os.W_OK)
        assert f"chown -R {me + 1} {tmp_path}." in refused("write", tmp_path / "a", said(errno.EACCES)).remedy


class TestCulprit:
    def test_is_the_first_folder_that_may_not_be_entered(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        closed = tmp_path / "closed"
        monkeypatch.setattr(os, "access", lambda path, how: path != closed)
        assert culprit(closed / "state" / "a") == closed
