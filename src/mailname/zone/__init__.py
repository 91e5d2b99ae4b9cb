"""What is published: an immutable zone, its serial, its text, and the difference between two of them.

Each name is imported when it is asked for: who only compares serials does not wait for the zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailname.zone.rrset import RRset
    from mailname.zone.serial import Serial
    from mailname.zone.zone import Kind, Lookup, Node, Zone, ZoneBuilder

__all__ = ["Kind", "Lookup", "Node", "RRset", "Serial", "Zone", "ZoneBuilder"]

_MODULES = {"RRset": "rrset", "Serial": "serial"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    found: object = getattr(importlib.import_module(f"{__name__}.{_MODULES.get(name, 'zone')}"), name)
    globals()[name] = found
    return found
