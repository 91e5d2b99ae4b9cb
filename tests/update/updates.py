"""Updates written as dnspython writes them, and zones as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
import dns.update

from mailname.update.message import Update, read_update
from mailname.wire.message import Request, read_request
from mailname.zone.image_zone import ImageZone
from mailname.zone.load import Loader

if TYPE_CHECKING:
    from collections.abc import Callable

APEX = dns.name.from_text("example.tech.")
TEXT = """\
$TTL 3600
@ SOA ns1 hostmaster 7 3600 900 86400 60
@ NS ns1
@ NS ns2
@ MX 10 mail
@ TXT "v=spf1 mx -all"
ns1 A 192.0.2.1
ns2 A 192.0.2.2
mail A 192.0.2.25
mail A 192.0.2.26
www CNAME mail
a.b TXT "below an empty non-terminal"
"""


def zone(more: str = "") -> ImageZone:
    return ImageZone(Loader().load((TEXT + more).encode(), "example.tech.zone", APEX).image)


def request(wire: bytes) -> Request:
    read = read_request(wire)
    assert isinstance(read, Request)
    return read


def update(*steps: Callable[[dns.update.UpdateMessage], None], apex: dns.name.Name = APEX) -> Update:
    """Return what is read of an update of these steps."""
    made = dns.update.UpdateMessage(apex)
    for step in steps:
        step(made)
    return read_update(request(made.to_wire()))
