"""How a command ends: the exit codes, and what is done when nobody reads on."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

EXIT_WELL = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_UNKNOWN = 3
EXIT_FAILED = 4
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells tell it
EXIT_BROKEN_PIPE = 141  # 128 + SIGPIPE
EXITS = {"well": EXIT_WELL, "fragile": EXIT_FINDINGS, "broken": EXIT_FINDINGS, "unknown": EXIT_UNKNOWN}  # by verdict


def end_quietly() -> NoReturn:
    """End because nobody reads on, as after ``mailname show PLAN | head``; what is still to be written goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(EXIT_BROKEN_PIPE)
