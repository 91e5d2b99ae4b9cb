"""A changed zone's image made from the image before: one record changed in a million costs a copy, not a rebuild (decision 0018).

The records of the touched owners, and of all owners above them, become a small image, as any zone does; that is merged into the
large one. Where that is too intricate, and where a quarter of the names and records would be dead octets, the whole zone is built
anew from the image's own records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
import dns.rdatatype
from dns.rdatatype import RdataType

from mailname.errors import ZoneError
from mailname.zone import record_groups
from mailname.zone.image import HEADER, lay_out
from mailname.zone.image_build import ImageBuilder
from mailname.zone.image_merge_records import ADD, GATHERED, NOT_THERE, OUTSIDE, REMOVE, THERE, TouchedRecords
from mailname.zone.image_merge_view import ImageView
from mailname.zone.image_merge_write import ImageMerge
from mailname.zone.packed import PackedRecords
from mailname.zone.ttl import limited

if TYPE_CHECKING:
    from dns.name import Name

_MOST_TOUCHED = 8  # a zone of which more than one eighth is touched is built anew
_MOST_DEAD = 4  # so is one of which more than a quarter is dead octets

_REFUSED = {
    record_groups.NO_SOA: ("there is no SOA record at the apex", "A zone has one SOA record."),
    record_groups.NO_NS: ("there is no NS record at the apex", "Keep the zone's NS records."),
    record_groups.SOA_BELOW_APEX: ("there is a SOA record below the apex", "Keep the one SOA record at the apex."),
    record_groups.SECOND_SINGLETON: ("there is a second SOA, CNAME or DNAME record at one owner", "Keep one of them."),
    record_groups.CNAME_AND_OTHER_DATA: ("there is a CNAME record and other data at one owner", "Remove one of them."),
}


class Changes:
    """Records to be removed and added, in order: what an incremental transfer carries (RFC 1995), or a plan that changed."""

    def __init__(self, apex: bytes) -> None:
        """Begin with none.

        Args:
            apex: the zone's, in wire form.

        """
        self.apex = apex
        self.packed = PackedRecords()
        self.packed.add(self.packed.put(apex), 0, 0, b"", REMOVE)

    def remove(self, owner: bytes, rdtype: int, rdata: bytes) -> None:
        """Remove a record, which must be there; its TTL does not matter.

        Args:
            owner: in wire form.
            rdtype: its number.
            rdata: in wire form, uncompressed.

        """
        self.packed.add(self.packed.put(owner), 0, rdtype, rdata, REMOVE)

    def add(self, owner: bytes, ttl: int, rdtype: int, rdata: bytes) -> None:
        """Add a record, unless it is there; of an RRset that has records left, it gets the TTL (RFC 2181 section 5.2)."""
        self.packed.add(self.packed.put(owner), limited(ttl), rdtype, rdata, ADD)


def merged(image: bytes | memoryview, changes: Changes, *, strict: bool = False) -> bytes:
    """Return the image of the changed zone. It answers as one built from the whole zone does; its octets may be others.

    Args:
        image: built by this process, or of a pack that ``check_pack`` found good.
        changes: what is different; it is left as it is.
        strict: refuse to add a record that is there.

    Raises:
        ZoneError: a record to be removed is not there, or what comes of it is no zone.

    """
    view, records, builder = _touched(image, changes, strict=strict)
    nodes = HEADER.unpack_from(image)[2]
    if builder.index.count > 1000 + nodes // _MOST_TOUCHED:
        return _built_anew(records, changes.apex)
    merge = ImageMerge(view, ImageView(lay_out(builder, _name(changes.apex))))
    result: bytes | None = merge.merge()
    if result is None or merge.dead > len(result) // _MOST_DEAD:
        return _built_anew(records, changes.apex)
    return result


def rebuilt(image: bytes | memoryview, changes: Changes) -> bytes:
    """Return what ``merged`` does, built anew from the records of the image, with nothing left over. Raises what that raises."""
    _, records, _ = _touched(image, changes)
    return _built_anew(records, changes.apex)


def _touched(
    image: bytes | memoryview, changes: Changes, *, strict: bool = False
) -> tuple[ImageView, TouchedRecords, ImageBuilder]:
    """Apply the changes to the records of the owners that they touch, and see whether these can be a zone's."""
    view = ImageView(image)
    records = TouchedRecords(view, changes.packed, changes.apex)
    records.strict = strict
    found = records.gather()
    if found != GATHERED:
        raise _cannot_apply(found, records.wrong, changes)
    builder = ImageBuilder()
    _check(builder.prepare(records.packed, changes.apex, trusted=True), changes.apex)
    return view, records, builder


def _built_anew(records: TouchedRecords, apex: bytes) -> bytes:
    whole = records.whole()
    builder = ImageBuilder()
    _check(record_groups.TOO_LARGE if whole is None else builder.prepare(whole, apex, trusted=True), apex)
    return lay_out(builder, _name(apex))


def _check(result: int, apex: bytes) -> None:
    if result == record_groups.GOOD:
        return
    problem, remedy = _REFUSED.get(result, ("it is too large", "An RRset holds at most 65535 records, a zone 2 GB."))
    raise ZoneError(f"the changed zone {_name(apex)} cannot be served: {problem}", remedy=remedy)


def _cannot_apply(found: int, change: int, changes: Changes) -> ZoneError:
    if found not in (NOT_THERE, OUTSIDE, THERE):
        return ZoneError(f"the changed zone {_name(changes.apex)} is too large", remedy="A zone has at most 2 GB.")
    owner = str(_name(changes.packed.owner_of(change)))
    rdtype = dns.rdatatype.to_text(RdataType.make(changes.packed.fields(change)[1]))
    problem = {
        NOT_THERE: "is to be removed, but is not there",
        OUTSIDE: "is not in the zone",
        THERE: "is to be added, but is there",
    }[found]
    remedy = "The changes are not those of this version: transfer the whole zone."
    return ZoneError(f"a record {owner} {rdtype} {problem}", remedy=remedy, owner=owner, rdtype=rdtype)


def _name(wire: bytes) -> Name:
    return dns.name.from_wire(wire, 0)[0]
