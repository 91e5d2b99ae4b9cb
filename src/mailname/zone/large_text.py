"""Zone-file text of large zones: for programs and for the disk, in a second where ``write`` takes minutes.

One record on a line, the SOA first, then in canonical order; each TTL is written, an owner where it is another than before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rdata
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from mailname.zone.fast_write import DONE, STOPPED, ImageWriter
from mailname.zone.image import HEADER, NODE, build_image
from mailname.zone.image_zone import ImageZone
from mailname.zone.write import rdata_to_text, write_zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.zone.zone import Zone

LARGE = 5_000  # records; more are written for programs
_MOST_ASKED = 1_000  # records of unusual types that are written as people do; each takes as long as a thousand others


def zone_text(zone: Zone, *, header: str = "") -> Iterator[bytes]:
    """Write a zone as zone-file text, piece by piece; a small one as a person would, a large one fast.

    Args:
        zone: the zone.
        header: lines for the top of the file; each becomes a comment.

    """
    if zone.record_count > LARGE:
        return write_large(zone, header=header)
    return iter((write_zone(zone, header=header).encode(),))


def write_large(zone: Zone, *, header: str = "") -> Iterator[bytes]:
    """Write a zone from its image, in pieces of about a megabyte, whatever its size."""
    image = zone.image if isinstance(zone, ImageZone) else memoryview(build_image(zone))
    _, _, nodes, _, _, _, nodes_at, rrsets_at, _, blob_at, *_ = HEADER.unpack_from(image)
    _, spelled, length, *_ = NODE.unpack_from(image, nodes_at)
    apex_wire = bytes(image[blob_at + spelled : blob_at + spelled + length])
    apex = dns.name.from_wire(apex_wire, 0)[0]
    comment = "".join(f"; {line}".rstrip() + "\n" for line in header.splitlines())
    yield f"{comment}$ORIGIN {apex}\n".encode()
    writer = ImageWriter(image, apex_wire, (nodes, nodes_at, rrsets_at, blob_at))
    asked = 0
    while (found := writer.run()) != DONE:
        if found == STOPPED:
            asked += 1
            writer.unknown = asked >= _MOST_ASKED
            rdtype, wire = writer.stopped_at()
            writer.put_rdata(_unusual(rdtype, wire, apex).rstrip().encode())
        else:
            yield writer.take()
    yield writer.take()


def _unusual(rdtype: int, wire: bytes, apex: Name) -> str:
    try:
        return rdata_to_text(dns.rdata.from_wire(RdataClass.IN, RdataType.make(rdtype), wire, 0, len(wire)), apex)
    except dns.exception.DNSException:
        return f"\\# {len(wire)} {wire.hex()}".rstrip()
