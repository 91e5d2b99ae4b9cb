"""Packs: many images in one block, found again by apex; a block that is damaged or of another layout is refused."""

from __future__ import annotations

import struct
from hashlib import sha256

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.wire.octets import octets
from mailname.zone.image import build_image
from mailname.zone.pack import ENTRY, HEADER_SIZE, NO_STAMP, PackWriter, check_pack, entries_of
from mailname.zone.text import read_zone

TEXT = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n A 192.0.2.1\n"


def image_of(apex: str) -> bytes:
    """Return the image of a small zone."""
    return build_image(read_zone(TEXT, "zone", dns.name.from_text(apex)).zone)


def pack_of(zones: dict[bytes, bytes]) -> bytes:
    """Pack images with their stamps."""
    writer = PackWriter()
    for image, stamp in zones.items():
        writer.add(image, stamp)
    return b"".join(writer.finish())


PACK = pack_of({image_of("example.tech."): b"1" * 16, image_of("."): NO_STAMP, image_of("Sub.example.tech."): b"2" * 16})


def resealed(block: bytes) -> bytes:
    """Put a checksum that matches into a block."""
    digest = sha256(block[HEADER_SIZE:])
    digest.update(block[:32])
    return block[:32] + digest.digest() + block[HEADER_SIZE:]


class TestPack:
    def test_gives_back_what_was_packed(self) -> None:
        """Each zone under its apex in lower case, octet for octet, with its stamp, at a multiple of eight."""
        found = {apex: (PACK[at : at + length], stamp, at % 8) for apex, at, length, stamp in entries_of(PACK)}
        assert found == {
            octets(dns.name.from_text("example.tech.")): (image_of("example.tech."), b"1" * 16, 0),
            b"\0": (image_of("."), NO_STAMP, 0),
            octets(dns.name.from_text("sub.example.tech.")): (image_of("Sub.example.tech."), b"2" * 16, 0),
        }

    def test_may_begin_with_what_is_packed_already(self) -> None:
        """As threads that read a folder lay it out."""
        image = image_of("example.tech.")
        packed = PackWriter()
        packed.add(image)
        images = b"".join(packed.finish()[1:-1])
        tail = bytes(packed.finish()[-1])
        writer = PackWriter()
        writer.begin_with(1, images, tail[: ENTRY.size], tail[ENTRY.size :])
        writer.add(image_of("."))
        whole = b"".join(writer.finish())
        check_pack(whole)
        assert [whole[at : at + length] for _, at, length, _ in entries_of(whole)] == [image, image_of(".")]

    def test_may_be_empty(self) -> None:
        """A pack without zones is a pack."""
        empty = pack_of({})
        check_pack(empty)
        assert list(entries_of(empty)) == []

    def test_is_good_when_it_is_whole(self) -> None:
        """What was written is taken, from memory or mapped."""
        check_pack(PACK)
        check_pack(memoryview(PACK))

    @given(st.integers(0, len(PACK) - 1), st.integers(1, 255))
    def test_is_refused_when_an_octet_changed(self, at: int, by: int) -> None:
        """Wherever it is."""
        damaged = bytearray(PACK)
        damaged[at] ^= by
        with pytest.raises(ValueError, match=r"pack|layout|octets|checksum"):
            check_pack(bytes(damaged))

    @given(st.integers(0, len(PACK) - 1))
    def test_is_refused_when_it_is_cut(self, length: int) -> None:
        """As a full disk leaves it."""
        with pytest.raises(ValueError, match=r"pack|octets"):
            check_pack(PACK[:length])

    def test_of_another_layout_of_images_is_refused(self) -> None:
        """An older mailname's images are made anew."""
        with pytest.raises(ValueError, match="layout 1 instead of"):
            check_pack(resealed(PACK[:20] + struct.pack("<I", 1) + PACK[24:]))

    def test_whose_entries_lead_out_of_it_is_refused(self) -> None:
        """The number of zones and the place of the entries are looked at before they are used."""
        for at, value in ((16, struct.pack("<I", 1 << 31)), (24, struct.pack("<Q", 1 << 60)), (24, struct.pack("<Q", 0))):
            with pytest.raises(ValueError, match="octets long"):
                check_pack(resealed(PACK[:at] + value + PACK[at + len(value) :]))
