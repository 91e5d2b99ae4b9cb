"""Runs the sources of the compiled core uncompiled, on request: ``MAILNAME_PURE=1``."""

from __future__ import annotations

import sys
from importlib.machinery import FileFinder, SourceFileLoader
from pathlib import Path


def prefer_sources() -> None:
    """Let every import below this package find the .py file, not the extension module beside it."""
    ours = Path(__file__).parent

    def hook(folder: str) -> FileFinder:
        if not Path(folder).is_relative_to(ours):
            raise ImportError(folder)
        return FileFinder(folder, (SourceFileLoader, [".py"]))

    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()
