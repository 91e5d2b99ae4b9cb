"""How every command reads its plan: warnings told on standard error, mistakes raised all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from mailname.plan import Loaded, Plan


def read_plan(path: Path, *, quiet: bool = False) -> Plan:
    """Read a plan from disk and tell its warnings, unless ``quiet``. Raises what ``load_plan`` does."""
    loaded = load_plan(path)
    if loaded.warnings and not quiet:
        from mailname.cli.console import print_mistake

        for mistake in loaded.warnings:
            print_mistake(mistake)
    return loaded.plan


def load_plan(path: Path) -> Loaded:
    """Read a plan from disk, its warnings not told yet.

    Raises:
        PlanError: with every mistake.
        UsageError: the file cannot be read.

    """
    from mailname.plan import decode, load

    try:
        octets = path.read_bytes()
    except OSError as error:
        raise click.UsageError(f"cannot read the plan {path}: {error.strerror}. Write one: mailname init DOMAIN") from error
    return load(decode(octets, str(path)), str(path))
