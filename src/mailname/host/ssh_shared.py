"""One SSH connection to a host for all that a command asks there: logging in costs a host more than most answers."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mailname.host.ssh import Ssh

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 10.0  # seconds


@contextlib.contextmanager
def shared_ssh(config: Path | None) -> Iterator[Ssh]:
    """Share one connection for each login, and end them all at the end.

    Where the configuration that ssh reads shares them already (ControlPath), that is left as it is.
    """
    folder = Path(tempfile.mkdtemp(prefix="mailname-"))  # nobody else may enter it
    try:
        yield Ssh(config, folder)
    finally:
        for socket in folder.iterdir():
            words = ["ssh", "-F", "none", "-o", f"ControlPath={socket}", "-O", "exit", "--", "host"]
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)
