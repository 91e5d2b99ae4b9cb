"""What the command line does whatever the command is: exit codes, Ctrl-C, and readers that read no further."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.lab import plan_texts

from mailname.cli.main import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

MAILNAME = [sys.executable, "-W", "always", "-c", "from mailname.cli.main import main; main()"]


def mailname(*argv: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    line = [*MAILNAME, *map(str, argv)]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False, cwd=cwd, stdin=subprocess.DEVNULL)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "example.tech.toml"
    file.write_text(plan_texts.ORDINARY)
    return file


class TestUsage:
    @pytest.mark.parametrize(
        ("argv", "says"),
        [
            (("shw",), "Did you mean 'show'?"),
            (("show",), "Missing argument 'PLAN'"),
            (("show", "--zon", "x"), "--zone"),
            (("show", "nowhere.toml"), "mailname init DOMAIN"),
            (("show", "."), "is a directory"),
            (("check", "nowhere.toml"), "mailname init DOMAIN"),
            (("publish", "nowhere.toml"), "mailname init DOMAIN"),
            (("rehearse", "nowhere.toml"), "mailname init DOMAIN"),
        ],
    )
    def test_mistake_on_the_command_line_is_2(self, argv: tuple[str, ...], says: str, tmp_path: Path) -> None:
        """With what was meant, on standard error alone."""
        done = mailname(*argv, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert says in done.stderr

    def test_mistake_in_the_plan_is_2(self, plan: Path) -> None:
        """One line for each mistake, as editors read them."""
        plan.write_text(plan.read_text().replace("secondary", "slave"))
        done = mailname("show", plan)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"{plan}:8:8: error: ")

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command_has_help(self, name: str) -> None:
        """Exit code 0."""
        assert mailname(name, "--help").returncode == 0


class TestFailure:
    @pytest.mark.parametrize("argv", [("status",), ("notify",), ("retransfer",), ("reload",)])
    def test_without_a_server_is_4(self, argv: tuple[str, ...], tmp_path: Path) -> None:
        """And says how to begin one."""
        done = mailname(*argv, "--control", tmp_path / "none.sock")
        assert (done.returncode, done.stdout) == (4, "")
        assert "mailname serve" in done.stderr
        assert "Traceback" not in done.stderr


class TestInterrupt:
    def test_is_130(self, tmp_path: Path) -> None:
        """As shells tell it; no traceback, and not click's word for it."""
        path = tmp_path / "mute.sock"
        with socket.socket(socket.AF_UNIX) as mute:
            mute.bind(str(path))
            mute.listen()
            argv = [*MAILNAME, "status", "--control", str(path)]
            with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                connection, _ = mute.accept()
                with connection:
                    connection.recv(1)  # it has asked, so it waits for the answer
                    process.send_signal(signal.SIGINT)
                    out, errors = process.communicate(timeout=60)
        assert (process.returncode, out, errors.strip()) == (130, "", "")


class TestPipe:
    @pytest.mark.parametrize(
        "argv", [("show", "PLAN"), ("show", "PLAN", "--json"), ("schema",), ("rehearse", "PLAN"), ("rehearse", "--list-faults")]
    )
    def test_that_nobody_reads_ends_quietly(self, argv: tuple[str, ...], plan: Path) -> None:
        """As after ``mailname show PLAN | head``: no traceback, and the exit code that shells give for SIGPIPE."""
        line = [*MAILNAME, *(str(plan) if word == "PLAN" else word for word in argv)]
        reading, writing = os.pipe()
        os.close(reading)
        try:
            done = subprocess.run(line, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        finally:
            os.close(writing)
        assert (done.returncode, done.stderr) == (141, "")


class TestStart:
    @pytest.mark.parametrize(
        "module", ["mailname.cli.main", "mailname.cli.serve", "mailname.cli.version", "mailname.server.service"]
    )
    def test_imports_nothing_that_only_others_need(self, module: str) -> None:
        """A server with --zones reads no plan, prints no table and makes no signature."""
        line = (
            f"import sys, {module}; print(*sorted({{'pydantic', 'rich', 'cryptography', 'mailname.plan'}} & sys.modules.keys()))"
        )
        done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, timeout=120, check=True)
        assert done.stdout == "\n"
