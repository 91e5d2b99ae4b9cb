"""Transfers in both forms of the core: as it was installed, and as its sources run without a compiler; and by the reference."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.transfer.reference import Reference
from tests.transfer.zones import APEX

import mailname
from mailname.errors import TransferError
from mailname.transfer import axfr, axfr_fill
from mailname.uncompiled import prefer_sources

if TYPE_CHECKING:
    from collections.abc import Sequence
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


def outcome(taking: Any, messages: Sequence[bytes]) -> tuple[object, ...]:
    """Return what comes of a stream: a zone and its figures, an error's words, or nothing yet."""
    try:
        for wire in messages:
            taking.take(wire)
    except TransferError as error:
        return (error.reason, error.problem, error.rcode)
    if taking.zone is None:
        return ("open", taking.records)
    return (dict(taking.zone._all), taking.records, taking.messages, taking.octets)


def agreed(messages: Sequence[bytes], message_id: int = 1, forms: tuple[Any, ...] = FORMS) -> tuple[object, ...]:
    """Take a stream in every form, and with the reference; they must agree, but for when a second singleton is found."""
    reference = outcome(Reference(APEX, message_id, "ns2"), messages)
    for form in forms:
        ours = outcome(form.Incoming(APEX, message_id, "ns2"), messages)
        if "has a second" in str(reference[1]) and reference != ours:
            assert ours[0] in ("open", "malformed")
            continue
        assert ours == reference
    return reference
