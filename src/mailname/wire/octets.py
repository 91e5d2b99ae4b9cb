"""Names and rdata as uncompressed octets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dns.name import Name

if TYPE_CHECKING:
    from dns.rdata import Rdata


def octets(of: Name | Rdata) -> bytes:
    """Return the wire form, uncompressed, letters' case kept."""
    if isinstance(of, Name) and of.labels and not of.labels[-1]:  # absolute: many times as fast as what can compress
        return b"".join([bytes((len(label),)) + label for label in of.labels])
    wire = of.to_wire()
    assert wire is not None  # it is None only when written into a file
    return wire
