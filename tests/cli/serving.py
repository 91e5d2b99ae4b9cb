"""``mailname serve`` as a child process, as an operator starts it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import dns.message
import dns.query
import dns.rcode
from tests.server.running import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAM = str(Path(sys.executable).with_name("mailname"))


def until(so: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < deadline, "this takes too long"
        time.sleep(0.01)


class Serving:
    """A running server and its log."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.log_file = folder / "serve.log"
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen([PROGRAM, "serve", *options], stderr=log, stdout=log)

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8")

    def listening(self) -> bool:
        """Tell whether it listens; its end is an error."""
        assert self.process.poll() is None, self.log
        return "listening on" in self.log


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[Serving]:
    """Run a server until it is told to stop."""
    server = Serving(folder, *options)
    try:
        until(server.listening)
        yield server
    finally:
        server.process.terminate()
        server.process.wait(PATIENCE)


def asked(port: int, name: str, rdtype: str, *, tcp: bool = False) -> str:
    """Return the first answer's rdata as text, or the rcode."""
    query = dns.message.make_query(name, rdtype)
    ask = dns.query.tcp if tcp else dns.query.udp
    try:
        answer = ask(query, "127.0.0.1", port=port, timeout=PATIENCE)
    except (OSError, EOFError) as error:
        return str(error)
    if answer.rcode() != dns.rcode.NOERROR or not answer.answer:
        return dns.rcode.to_text(answer.rcode())
    return str(answer.answer[0][0])


def refuses(port: int) -> bool:
    """Tell whether nothing listens there by TCP."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
