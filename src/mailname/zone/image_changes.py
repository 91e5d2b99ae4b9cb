"""The changes from one version of a zone to another, found between their images without an object per record."""

from __future__ import annotations

from mailname.errors import ZoneError
from mailname.zone.image import HEADER, NODE
from mailname.zone.image_diff import COMPARED, TOO_MUCH, ImageDiff
from mailname.zone.image_merge import Changes
from mailname.zone.image_merge_view import ImageView

_MOST = 0x7FFFFFFF  # octets; no zone has more


def difference(
    old: bytes | memoryview, new: bytes | memoryview, *, among: Changes | None = None, most: int = _MOST
) -> Changes | None:
    """Return what has to be removed from, and then added to, one version to make the other: the SOA first on both sides.

    An owner that is only spelled otherwise is no difference. Two versions of one large RRset may have records among the changes
    that go and come again.

    Args:
        old: the image of the version before; built by this process, or of a pack that ``check_pack`` found good.
        new: that of the other version.
        among: only these changes' owners, and the SOA, are looked at: whatever differs is known to be there.
        most: octets of names and records; if it takes more, the answer is None.

    Raises:
        ZoneError: there is no memory for it.

    """
    apex = apex_of(new)
    diff = ImageDiff(ImageView(old), ImageView(new), most)
    found = diff.all() if among is None else diff.some(among.packed, apex)
    if found == TOO_MUCH:
        return None
    if found != COMPARED:
        raise ZoneError("two versions of a zone cannot be compared: memory ends", remedy="Give this process more memory.")
    changes = Changes(apex)
    changes.packed.join(diff.removed)
    changes.packed.join(diff.added)
    return changes


def apex_of(image: bytes | memoryview) -> bytes:
    """Return the apex of an image, as spelled, in wire form."""
    fields = HEADER.unpack_from(image)
    _, spelled, length, *_ = NODE.unpack_from(image, fields[6])
    at = fields[9] + spelled
    return bytes(image[at : at + length])
