"""Names and rdata as uncompressed octets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata


def octets(of: Name | Rdata) -> bytes:
    """Return the wire form, uncompressed, letters' case kept.

    dnspython returns None from ``to_wire`` only when it is given a file to write to.
    """
    wire = of.to_wire()
    if wire is None:
        raise TypeError(f"{of!r} has no wire form")
    return wire
