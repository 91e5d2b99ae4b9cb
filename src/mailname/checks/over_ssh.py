"""A server's own status, told by its host over SSH: without passwords, with known host keys only, and never waited for long."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mailname.server.program import run_program

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SSH_TIMEOUT = 20.0  # seconds for everything that goes over SSH to one host
_SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=8", "-o", "StrictHostKeyChecking=yes", "-T", "--")
_ORDER = ("mailname", "status", "--json")


async def status_over_ssh(target: str, config: Path | None = None) -> tuple[Mapping[str, Any] | None, str]:
    """Return a host's status, or None and why there is none; ``config`` is what ssh's option -F takes."""
    program, *options = _SSH
    words = (program, *(("-F", str(config)) if config is not None else ()), *options)
    try:
        ran = await run_program(*words, target, *_ORDER, seconds=SSH_TIMEOUT)
    except TimeoutError:
        return None, f"no answer over SSH within {SSH_TIMEOUT:.0f} seconds"
    except OSError as error:
        return None, f"ssh cannot be started: {error.strerror}"
    try:
        status = json.loads(ran.output)
    except ValueError:
        status = None
    if isinstance(status, dict) and isinstance(status.get("zones"), list):
        return status, ""
    return None, f"no status over SSH (exit code {ran.code}): {ran.last_words or 'no output'}"
