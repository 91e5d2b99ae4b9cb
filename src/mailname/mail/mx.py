"""MX records: made, recognised, and what a second one means (RFC 5321 section 5.1, RFC 7505)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
from dns.rdataclass import IN
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.MX import MX

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata


def mx(preference: int, host: Name) -> MX:
    """Return the MX record that sends mail to a host."""
    return MX(IN, RdataType.MX, preference, host)


def is_null_mx(rdata: Rdata) -> bool:
    """Tell whether a record says that the domain takes no mail: the root as the host (RFC 7505 section 3)."""
    return isinstance(rdata, MX) and bool(rdata.exchange == dns.name.root)


def second_mx_means(first: str, second: str, *, same_preference: bool) -> str:
    """Say what happens to mail when there is a second MX, so that nobody adds one by habit."""
    if same_preference:
        return (
            f"A second MX with the same preference: every sender picks {first} or {second} at random, "
            "so half of the mail arrives at each. How will the mailboxes be kept in sync?"
        )
    return (
        f"A second MX: mail will arrive at {second} whenever {first} blinks, and some senders go there at any time. "
        "How will the mailboxes be kept in sync?"
    )
