"""The way into a host: who is tried, and what is told where nobody may do anything there."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest
from tests.host.told import facts, host, wanted

from mailname.errors import HostError
from mailname.host import reboot as reboot_module
from mailname.host.reboot import reboot
from mailname.host.ssh import Login, Ssh

if TYPE_CHECKING:
    from pathlib import Path

    from mailname.host.facts import Facts

#: Stands in for ``ssh``: the last word but one is whom it logs in as. Who is not named is denied.
_SSH = """#!/bin/sh
while [ $# -gt 2 ]; do shift; done
echo "$1" >>{log}
case $1 in {cases}
*) echo "$1: Permission denied (publickey)." >&2; exit 255;; esac
"""


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which a program ``ssh`` may be put."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def logged_in(folder: Path, cases: str) -> tuple[Login | HostError, list[str]]:
    """Return the way in, or why there is none, and who was tried."""
    program = folder / "ssh"
    program.write_text(_SSH.format(log=folder / "log", cases=cases))
    program.chmod(0o755)
    try:
        found: Login | HostError = asyncio.run(Ssh().log_in(host(), "anna"))
    except HostError as error:
        found = error
    return found, (folder / "log").read_text().split()


class TestLogIn:
    def test_administrator_then_you_then_root(self, ssh: Path) -> None:
        """A fresh host knows root alone."""
        found, tried = logged_in(ssh, "root@*) echo 0; echo 0;;")
        place = host().ssh
        assert tried == [f"anna@{place}", place, f"root@{place}"]
        assert found == Login(f"root@{place}", is_root=True)

    def test_machine_that_goes_away_meanwhile_is_told_and_no_denial(self, ssh: Path) -> None:
        found, tried = logged_in(ssh, "ns1*|192*) echo 'Connection timed out' >&2; exit 255;;")
        assert len(tried) == 2
        assert isinstance(found, HostError)
        assert "timed out" in found.problem

    def test_sudo_that_asks_for_a_password_is_told_with_what_to_do(self, ssh: Path) -> None:
        """Nothing is typed for anybody: nothing of ours may wait for a question, and no password is kept anywhere."""
        found, _ = logged_in(ssh, "anna@*) echo 1000; echo 'sudo: a password is required' >&2; exit 1;;")
        assert isinstance(found, HostError)
        assert "gets in, but may not use sudo without a password" in found.problem
        assert f"ssh -t anna@{host().ssh} sudo visudo -f /etc/sudoers.d/zz-anna" in found.remedy

    def test_words_of_the_order_are_not_taken_for_those_of_ssh(self, ssh: Path) -> None:
        """The network went away while it ran."""
        found, _ = logged_in(ssh, "anna@*) echo 'Creating user x' >&2; exit 255;;")
        assert isinstance(found, HostError)
        assert found.problem.endswith("cannot be reached by SSH: the connection ended")

    def test_without_sudo_is_told_as_that(self, ssh: Path) -> None:
        found, _ = logged_in(ssh, "anna@*) echo 1000; echo 'sh: 1: sudo: not found' >&2; exit 127;;")
        assert isinstance(found, HostError)
        assert "sudo is not installed there" in found.problem


class TestReboot:
    def test_not_while_a_guard_is_armed(self, ssh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It lives through a restart, and would put back what was before when all was already found well."""

        async def looked(*_words: object, **_options: object) -> Facts:
            return facts(guard="/var/lib/mailname-guard/list")

        monkeypatch.setattr(reboot_module, "look", looked)
        (ssh / "ssh").write_text(_SSH.format(log=ssh / "log", cases="anna@*) echo 1000; echo 0;;"))
        (ssh / "ssh").chmod(0o755)
        with pytest.raises(HostError, match="a guard of a preparation is still armed"):
            asyncio.run(reboot(host(), wanted(), Ssh(), print))
        assert len((ssh / "log").read_text().split()) == 1, "something else was asked of the host"
