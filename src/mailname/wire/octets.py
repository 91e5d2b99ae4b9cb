"""Names and rdata as uncompressed octets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata


def octets(of: Name | Rdata) -> bytes:
    """Return the wire form, uncompressed, letters' case kept."""
    wire = of.to_wire()
    assert wire is not None  # it is None only when written into a file
    return wire
