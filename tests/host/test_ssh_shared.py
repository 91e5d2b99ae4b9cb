"""Connections that are shared: asked of a program that stands in for ``ssh``, and writes down how it was called."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mailname.host.ssh import ALONE
from mailname.host.ssh_shared import shared_ssh

if TYPE_CHECKING:
    import pytest

_SSH = """#!/bin/sh
echo "$*" >>{log}
for word in "$@"; do
  case $word in -G) echo 'controlpath {own}'; exit;; ControlPath=/*) touch "${{word#ControlPath=}}";; esac
done
"""


def ran(folder: Path, monkeypatch: pytest.MonkeyPatch, own: str) -> list[str]:
    """Ask a host twice, and once more alone; return how ssh was called, but for what it reads of its configuration."""
    log, program = folder / "log", folder / "ssh"
    program.write_text(_SSH.format(log=log, own=own))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    async def ask() -> None:
        with shared_ssh(None) as ssh:
            await ssh.run("root@ns1", "first")
            await ssh.run("root@ns1", "second")
            await ssh.run("root@ns1", "third", options=ALONE)

    asyncio.run(ask())
    return [line for line in log.read_text().splitlines() if " -G " not in line]


class TestSharedSsh:
    def test_one_connection_for_all_but_who_is_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It ends when the command does, and its folder goes."""
        first, second, third, last = ran(tmp_path, monkeypatch, "none")
        (place,) = {word for line in (first, second, last) for word in line.split() if word.startswith("ControlPath=")}
        assert place not in third
        assert "ControlPath=none" in third
        assert "-O exit" in last
        assert not Path(place.partition("=")[2]).parent.exists()

    def test_configuration_that_shares_is_left_as_it_is(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who has logged in by a password of one time shares that connection, and no other would be let in."""
        first, second, _ = ran(tmp_path, monkeypatch, "/somewhere/of/his/own/%C")
        assert "ControlPath" not in first + second
