"""Modules of the compiled core, loaded from their sources beside the ones that were installed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from mailname.uncompiled import prefer_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType


def from_sources(*wanted: str, among: Iterable[str]) -> tuple[ModuleType, ...]:
    """Import modules from their sources, and from theirs whatever they import among the others.

    What was installed is in its place again afterwards.
    """
    installed = {name: sys.modules.pop(name, None) for name in among}
    prefer_sources()
    try:
        return tuple(import_module(name) for name in wanted)
    finally:
        del sys.path_hooks[0]
        sys.path_importer_cache.clear()
        for name, module in installed.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
                package, _, last = name.rpartition(".")
                setattr(sys.modules[package], last, module)


def returned_uncompiled(function: Callable[[], str]) -> str:
    """Call a function of a test's module in a process in which the core is not compiled."""
    done = subprocess.run(
        [sys.executable, "-c", f"from {function.__module__} import {function.__name__} as asked; print(asked())"],
        env={**os.environ, "MAILNAME_PURE": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
