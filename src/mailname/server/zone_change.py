"""A zone changed without a file: the changes merged into the version that is served, under a higher serial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.errors import ZoneError
from mailname.wire.octets import octets
from mailname.zone.image_changes import difference
from mailname.zone.image_merge import Changes, merged
from mailname.zone.image_zone import ImageZone

if TYPE_CHECKING:
    from mailname.zone import Serial


def changed_zone(zone: ImageZone, changes: Changes, announced: Serial, *, always: bool = False) -> ImageZone | None:
    """Return the changed zone; None where the changes come to nothing.

    Args:
        zone: what is served.
        changes: without a SOA among them, the serial is raised to the one behind ``announced``.
        announced: the highest serial that anybody has heard of.
        always: raise the serial even where nothing else changes.

    Raises:
        ZoneError: the changes cannot be made.

    """
    numbers = range(changes.packed.count)
    if any(changes.packed.fields(number)[1] == RdataType.SOA for number in numbers):
        changed = ImageZone(merged(zone.image, changes))
        if changed.serial != zone.serial and not changed.serial.is_newer_than(announced):
            raise ZoneError(
                f"the changes bring serial {changed.serial}, which is not newer than {announced} (RFC 1982)",
                remedy=f"Raise the serial above {announced}, or leave the SOA as it is: then it is raised.",
            )
        if changed.serial != zone.serial:
            return changed
    whole = raised(zone, announced)
    whole.packed.join(changes.packed)
    changed = ImageZone(merged(zone.image, whole))
    if always:
        return changed
    found = difference(zone.image, changed.image, among=changes)
    # The names of the apex, and the SOAs before and afterwards: nothing but the serial is another.
    return changed if found is None or found.packed.count > 3 else None


def raised(zone: ImageZone, announced: Serial) -> Changes:
    """Return the changes that raise a zone's serial above what was announced, and nothing else."""
    apex = octets(zone.apex)
    before = octets(zone.soa_rdata)
    after = octets(zone.soa_rdata.replace(serial=announced.plus(1).value))
    changes = Changes(apex)
    changes.remove(apex, RdataType.SOA, before)
    changes.add(apex, zone.soa.ttl, RdataType.SOA, after)
    return changes
