"""DNAME: a whole subtree elsewhere, told to every resolver by a CNAME made for the name asked (RFC 6672)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dns.name import Name, NameTooLong
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.CNAME import CNAME

from mailname.zone import RRset

if TYPE_CHECKING:
    from dns.rdtypes.ANY.DNAME import DNAME


def synthesise_cname(dname: RRset, name: Name) -> RRset | None:
    """Return the CNAME from ``name`` to its place below the DNAME's target, with the DNAME's TTL (RFC 6672 section 3.1).

    Returns:
        None when the new name is longer than 255 octets: YXDOMAIN (RFC 6672 section 2.2).

    """
    target = cast("DNAME", dname.rdatas[0]).target
    prefix = name.labels[: len(name) - len(dname.owner)]
    try:
        redirected = Name(prefix + target.labels)
    except NameTooLong:
        return None
    return RRset(name, RdataType.CNAME, dname.ttl, (CNAME(RdataClass.IN, RdataType.CNAME, redirected),))
