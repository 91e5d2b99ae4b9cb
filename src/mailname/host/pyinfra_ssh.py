"""pyinfra's way to a host: the program ``ssh``, with the same configuration, keys and known hosts as everywhere else.

pyinfra's own way is paramiko, which reads a part of ssh_config and knows no hardware keys; two ways in would also mean two
places to be refused. Commands are given on standard input, so no process list shows them.
"""

from __future__ import annotations

import shlex
import subprocess
from typing import IO, TYPE_CHECKING, Any, cast

from pyinfra.api.exceptions import ConnectError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.util import get_file_io
from pyinfra.connectors.base import BaseConnector
from pyinfra.connectors.util import CommandOutput, OutputLine, make_unix_command_for_host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import IOBase

    from pyinfra.api.command import StringCommand

PATIENCE = 900.0  # seconds: a slow mirror
LOST = "lost"  # in a host's connector data: ssh itself failed
_FAILED = 255  # ssh's own exit status
_CONTROL = ("_success_exit_codes", "_timeout", "_get_pty", "_stdin")
# The environment that every command has, whatever the login's shell sets.
_BEFORE = "export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive\n"


class OverSsh(BaseConnector):
    """One host.

    Its data: ``ssh_words``, the command line up to the order; ``with_sudo``, whether rights have to be had first; ``seen_from``,
    the address that the host sees us come from.
    """

    handles_execution = True

    @staticmethod
    def make_names_data(name: str) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
        """Yield the host alone."""
        yield name, {}, []

    def _order(self) -> str:
        return "exec sudo -n sh -s" if self.host.data.with_sudo else "exec sh -s"

    def _run(self, order: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
        words = [*self.host.data.ssh_words, order]
        done = subprocess.run(words, input=given, capture_output=True, check=False, timeout=PATIENCE)
        if done.returncode == _FAILED:
            self.host.connector_data[LOST] = True
            raise ConnectError(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2] or "the connection was lost")
        return done

    def connect(self) -> None:
        """Do nothing: whoever starts this has just come in, and each command comes in by itself."""

    def run_shell_command(
        self, command: StringCommand, print_output: bool = False, print_input: bool = False, **arguments: Any
    ) -> tuple[bool, CommandOutput]:
        """Run a command there with all rights."""
        del print_output, print_input
        codes = arguments.get("_success_exit_codes") or [0]
        rest = {key: value for key, value in arguments.items() if key not in _CONTROL}
        seen_from = shlex.quote(self.host.data.seen_from)
        typed = make_unix_command_for_host(self.state, self.host, command, **rest).get_raw_value()
        done = self._run(self._order(), f"{_BEFORE}export MAILNAME_FROM={seen_from}\n{typed} </dev/null\n".encode())
        lines = [OutputLine("stdout", line) for line in done.stdout.decode("utf-8", "replace").splitlines()]
        lines += [OutputLine("stderr", line) for line in done.stderr.decode("utf-8", "replace").splitlines()]
        return done.returncode in codes, CommandOutput(lines)

    def put_file(
        self,
        filename_or_io: str | IOBase,
        remote_filename: str,
        remote_temp_filename: str | None = None,
        print_output: bool = False,
        print_input: bool = False,
        **arguments: Any,
    ) -> bool:
        """Write a file there."""
        del remote_temp_filename, print_output, print_input, arguments
        with get_file_io(cast("str | IO[Any]", filename_or_io)) as opened:
            text = opened.read()
        write = f"cat >{shlex.quote(remote_filename)}"
        before = "exec sudo -n " if self.host.data.with_sudo else "exec "
        done = self._run(f"{before}sh -c {shlex.quote(write)}", text.encode() if isinstance(text, str) else text)
        if done.returncode:
            raise OSError(done.stderr.decode("utf-8", "replace").strip())
        return True

    def get_file(
        self,
        remote_filename: str,
        filename_or_io: str | IOBase,
        remote_temp_filename: str | None = None,
        print_output: bool = False,
        print_input: bool = False,
        **arguments: Any,
    ) -> bool:
        """Read a file there."""
        del remote_temp_filename, print_output, print_input, arguments
        done = self._run(self._order(), f"cat {shlex.quote(remote_filename)}\n".encode())
        if done.returncode:
            raise OSError(done.stderr.decode("utf-8", "replace").strip())
        with get_file_io(cast("str | IO[Any]", filename_or_io), "wb") as opened:
            opened.write(done.stdout)
        return True


class OneHost(Inventory):
    """The one host of a child process."""

    def __init__(self, name: str, ssh_words: list[str], seen_from: str, *, with_sudo: bool) -> None:
        self._name = name
        make: Any = super().__init__  # it has no types
        make(([name], {"ssh_words": ssh_words, "seen_from": seen_from, "with_sudo": with_sudo}))

    def make_hosts_and_groups(self, names: object, groups: object) -> None:
        """Make it."""
        del names, groups
        self.hosts = {self._name: Host(self._name, inventory=self, groups=[], connector_cls=OverSsh)}
