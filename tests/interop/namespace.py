"""A network namespace with nothing in it but loopback: packet filters there harm nobody else."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING

from tests.interop.programs import go_without, need

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def namespace() -> Iterator[tuple[str, ...]]:
    """Make one, give the words that run a command in it, and remove it."""
    (ip,) = need("ip")
    if os.geteuid() != 0:
        go_without("a network namespace needs root")
    name = f"status-{os.getpid()}"
    made = subprocess.run([ip, "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        go_without(f"no network namespace can be made here: {made.stderr.strip()}")
    try:
        subprocess.run([ip, "-n", name, "link", "set", "lo", "up"], check=True)
        yield (ip, "netns", "exec", name)
    finally:
        subprocess.run([ip, "netns", "del", name], check=True)
