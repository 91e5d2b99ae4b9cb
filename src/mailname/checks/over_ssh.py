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


async def status_over_ssh(
    target: str, config: Path | None = None, administrator: str = ""
) -> tuple[Mapping[str, Any] | None, str]:
    """Return a host's status, or None and why there is none.

    Args:
        target: as the plan's ``ssh`` says.
        config: what ssh's option -F takes.
        administrator: who is tried where the target is not let in: a prepared host lets in him alone.

    """
    status, says = await told_over_ssh(target, "status", member="zones", config=config)
    place = target.rpartition("@")[2]
    if status is None and "Permission denied" in says and administrator and target != f"{administrator}@{place}":
        status, again = await told_over_ssh(f"{administrator}@{place}", "status", member="zones", config=config)
        if "Permission denied" not in again:
            return status, again
    return status, says


async def told_over_ssh(
    target: str, *words: str, member: str, config: Path | None = None
) -> tuple[Mapping[str, Any] | None, str]:
    """Return what a command of mailname tells on a host as JSON, or None and why there is nothing.

    Args:
        target: the host, as ``ssh`` takes it.
        words: the command, which is given ``--json``.
        member: a list that the answer must have, so that it is one.
        config: what ssh's option -F takes.

    """
    program, *options = _SSH
    ssh = (program, *(("-F", str(config)) if config is not None else ()), *options)
    try:
        ran = await run_program(*ssh, target, "mailname", *words, "--json", seconds=SSH_TIMEOUT)
    except TimeoutError:
        return None, f"no answer over SSH within {SSH_TIMEOUT:.0f} seconds"
    except OSError as error:
        return None, f"ssh cannot be started: {error.strerror}"
    try:
        told = json.loads(ran.output)
    except ValueError:
        told = None
    if isinstance(told, dict) and isinstance(told.get(member), list):
        return told, ""
    return None, f"no {words[0]} over SSH (exit code {ran.code}): {ran.last_words or 'no output'}"
