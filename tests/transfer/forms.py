"""Transfers in both forms of the core: as it was installed, and as its sources run without a compiler."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mailname
from mailname.transfer import axfr, axfr_fill
from mailname.uncompiled import prefer_sources

if TYPE_CHECKING:
    from types import ModuleType


def _uncompiled() -> ModuleType:
    """Load the source of ``axfr``, and of all compiled modules that it needs, beside those that were installed."""
    folder = Path(str(mailname.__file__)).parent
    compiled = [path for part in ("transfer", "zone") for path in (folder / part).glob("*.pxd")]
    names = [f"mailname.{path.parent.name}.{path.stem}" for path in compiled] + ["mailname.zone.image", "mailname.transfer.axfr"]
    installed = {name: sys.modules.pop(name, None) for name in names}
    prefer_sources()
    try:
        return import_module("mailname.transfer.axfr")
    finally:
        del sys.path_hooks[0]
        sys.path_importer_cache.clear()
        for name, module in installed.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
                package, _, last = name.rpartition(".")
                setattr(sys.modules[package], last, module)


SOURCE: Any = _uncompiled()
FORMS: tuple[Any, ...] = (axfr, SOURCE) if not str(axfr_fill.__file__).endswith(".py") else (SOURCE,)
