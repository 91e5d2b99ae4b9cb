"""A rehearsal with its page, in a process of its own, and the browser that looks at it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright
from tests.interop.programs import need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

_MAILNAME = [sys.executable, "-W", "always", "-c", "from mailname.cli.main import main; main()"]

_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@dataclass(frozen=True, slots=True)
class Shown:
    """Where a page is, the link that lets in once, and of a rehearsal its plan and network file."""

    base: str
    link: str
    plan: Path = Path()
    network: Path = Path()


@contextlib.contextmanager
def running(folder: Path, until: str, *words: str) -> Iterator[str]:
    """Run a command until it says something, give that line, and end it; what it says on standard error is a failure."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "TMPDIR": str(folder)}
    with (folder / "said.txt").open("w+", encoding="utf-8") as said:
        process = subprocess.Popen([*_MAILNAME, *words], stdout=subprocess.PIPE, stderr=said, text=True, env=environment)
        try:
            assert process.stdout is not None
            found = next((line for line in process.stdout if until in line), None)
            if found is not None:
                yield found
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        said.seek(0)
        told = said.read()
        assert (told, process.returncode) == ("", 0)
        assert found is not None


def typed(*words: str) -> None:
    """Run a command that ends by itself, and well."""
    subprocess.run([*_MAILNAME, *words], check=True, capture_output=True, timeout=60)


@contextlib.contextmanager
def shown(folder: Path, *words: str) -> Iterator[Shown]:
    """Run a command that serves a page, on a port of its own."""
    with running(folder, "/enter/", *words) as line:
        link = re.search(r"(http://[^/]+)/enter/\S+", line)
        assert link is not None
        yield Shown(link.group(1), link.group(0))


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Run the distribution's Chromium."""
    (program,) = need("chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=_OPTIONS)
        yield running
        running.close()
