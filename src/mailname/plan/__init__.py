"""What the owner wants: a plan read with every mistake told, expanded to zones, guarded, and put into the registrar's words.

These names are imported when the first of them is asked for: who only reads a domain's name does not wait for the plan's model.
Inside this package the modules import each other directly, and none but this file imports ``load`` and ``expand``, which name
a module and a function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailname.plan.decoding import decode
    from mailname.plan.expand import expand, expand_all
    from mailname.plan.load import Loaded, load
    from mailname.plan.model import MailHost, NameServer, Plan, Record, ReverseZone, Soa, TransferKey

__all__ = [
    "Loaded",
    "MailHost",
    "NameServer",
    "Plan",
    "Record",
    "ReverseZone",
    "Soa",
    "TransferKey",
    "decode",
    "expand",
    "expand_all",
    "load",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    # All at once: importing the module "load" or "expand" has set that name to the module.
    found: dict[str, object] = {}
    for module in ("decoding", "expand", "load", "model"):
        found |= vars(importlib.import_module(f"{__name__}.{module}"))
    globals().update({one: found[one] for one in __all__})
    return globals()[name]
