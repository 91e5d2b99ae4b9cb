"""The programs of others that interop tests start."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

# Debian puts daemons where an ordinary user's PATH does not look.
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"])


def find(name: str) -> str | None:
    """Return the path of a program, looked for where daemons live too; None when it is not installed."""
    return shutil.which(name, path=_PATH)


def go_without(reason: str) -> NoReturn:
    """Skip the test for want of something that this machine does not have; in continuous integration that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def need(*names: str) -> tuple[str, ...]:
    """Return the programs' paths. Skips the test when one is not installed; fails it where CI is set."""
    found = {name: find(name) for name in names}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        go_without(f"not installed: {', '.join(missing)}")
    return tuple(path for path in found.values() if path is not None)
