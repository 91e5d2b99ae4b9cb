"""Transfers in both forms of the core: as it was installed, and as its sources run without a compiler; and by the reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.transfer.reference import Reference
from tests.transfer.zones import APEX
from tests.uncompiled import from_sources

import mailname
from mailname.errors import TransferError
from mailname.transfer import axfr, axfr_fill

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType


def _uncompiled() -> ModuleType:
    """Load the source of ``axfr``, and of all compiled modules that it needs, beside those that were installed."""
    folder = Path(str(mailname.__file__)).parent
    compiled = [path for part in ("transfer", "zone") for path in (folder / part).glob("*.pxd")]
    names = [f"mailname.{path.parent.name}.{path.stem}" for path in compiled] + ["mailname.zone.image", "mailname.transfer.axfr"]
    return from_sources("mailname.transfer.axfr", among=names)[0]


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
