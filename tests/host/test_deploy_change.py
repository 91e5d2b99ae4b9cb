"""What would change on a host, and the scripts that do it."""

from __future__ import annotations

import subprocess
from pathlib import PurePosixPath as Path

import pytest
from tests.host.standing import standing

from mailname.host.deploy_change import Wanted, change
from mailname.host.deploy_facts import Kept
from mailname.host.deploy_script import COMMIT, INSTALL_PYTHON, UNDO, apply, remove, unpack

PLACE, SECRET = Path("/etc/mailname/server.toml"), Path("/etc/mailname/keys/k.key")
TEXT = b"listen = []\n"


class TestChange:
    def test_all_as_it_should_be(self) -> None:
        found = standing(files={str(PLACE): Kept(0o644, "root:root", TEXT)})
        what = change(found, "abc", {PLACE: Wanted(TEXT)}, None)
        assert not what
        assert what.diff() == ""

    @pytest.mark.parametrize(
        "kept", [None, Kept(0o600, "root:root", TEXT), Kept(0o644, "mailname:mailname", TEXT), Kept(0o644, "root:root", b"")]
    )
    def test_file_that_differs(self, kept: Kept | None) -> None:
        """In its text, its mode or its owner."""
        found = standing(files={str(PLACE): kept} if kept else {})
        assert list(change(found, "abc", {PLACE: Wanted(TEXT)}, None).files or ()) == [PLACE]

    def test_secret_is_never_shown(self) -> None:
        what = change(standing(), "abc", {SECRET: Wanted(b"hunter2", 0o600, secret=True)}, None)
        assert "hunter2" not in what.diff() + str(what.to_json())
        assert "+ /etc/mailname/keys/k.key (a secret, mode 600 root:root)" in what.diff()

    def test_release(self) -> None:
        """One that is in use already is not brought again."""
        assert change(standing(), "abc", {}, None).release == ""
        assert change(standing(), "new", {}, None).diff().splitlines()[:2] == ["- release abc", "+ release new"]

    def test_only_a_new_address_closes_the_port(self) -> None:
        socket, service = Wanted(TEXT, restarts="socket"), Wanted(TEXT, restarts="service")
        assert change(standing(), "abc", {PLACE: socket}, None).restarts_socket
        assert not change(standing(), "abc", {PLACE: service}, None).restarts_socket
        assert change(standing(), "abc", {PLACE: service}, None).restarts_service

    def test_stopped_service_is_started(self) -> None:
        assert change(standing({"active": "active\ninactive"}), "abc", {}, None).units

    def test_who_logs_in_joins_the_group(self) -> None:
        """Root need not."""
        assert change(standing({"login": "admin", "member": "admin sudo"}), "abc", {}, None).joins == "admin"
        assert change(standing({"login": "admin", "member": "admin sudo mailname"}), "abc", {}, None).joins == ""


class TestScripts:
    def test_shell_takes_them(self) -> None:
        """All of them are read to the end before anything of them is run."""
        what = change(
            standing(), "new", {PLACE: Wanted(TEXT, restarts="socket"), SECRET: Wanted(b"hunter2", 0o600, secret=True)}, None
        )
        changing = apply(what, [PLACE, SECRET])
        for script in (changing, UNDO, COMMIT, INSTALL_PYTHON, remove(purge=True), remove(purge=False), unpack("new", 5)):
            done = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")
        assert "hunter2" not in changing

    def test_half_a_script_does_nothing(self) -> None:
        """Whatever the place at which the connection broke, but for the last line."""
        what = change(standing(), "new", {PLACE: Wanted(TEXT, restarts="socket")}, None)
        whole = apply(what, [PLACE]).replace("main() {", "main() { echo called; exit", 1)

        def called(script: str) -> bytes:
            return subprocess.run(["sh", "-s"], input=script.encode(), capture_output=True, check=False).stdout

        assert called(whole) == b"called\n"
        assert {called(whole[:end]) for end in range(0, len(whole) - len("main\n"), 61)} == {b""}


class TestStanding:
    def test_reads_what_was_told(self) -> None:
        found = standing()
        assert (found.release, found.systemd, found.runs, found.addresses) == ("abc", 252, True, ("192.0.2.11",))
        assert str(found.interpreter) == "Python 3.11 on x86_64"

    def test_no_python_yet(self) -> None:
        found = standing({"python": "sh: python3: not found"}, failing=("python",))
        assert found.interpreter is None
        assert str(found.offered) == "Python 3.11 on x86_64"
