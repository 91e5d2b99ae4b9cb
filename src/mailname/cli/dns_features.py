"""dnspython asks which of its optional parts are installed, and for that has Python's packaging metadata searched at each start.

The one part that a name needs, ``idna``, is a dependency of ours: saying so spares 50 ms at each start.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_METADATA = "importlib.metadata"


class _Later(ModuleType):
    """Stands for the module that reads metadata until the first of it is asked for."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(_METADATA), name)


def tell_what_is_installed() -> None:
    """Tell dnspython that ``idna`` is there; what else it may want to know it still finds out when it is asked.

    Does nothing where the metadata has been read before, as in a program that uses this package.
    """
    if _METADATA in sys.modules or "dns.name" in sys.modules:
        return
    stand_in = _Later(_METADATA)
    sys.modules[_METADATA] = stand_in
    vars(importlib)["metadata"] = stand_in
    try:
        from dns import _features
    finally:
        del sys.modules[_METADATA]  # whoever imports it from now on has the real one
    _features.force("idna", enabled=True)
