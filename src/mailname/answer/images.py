"""The zone images that UDP workers answer from: found by apex, one replaced by one pointer while others read.

The same source runs compiled, where the images are pointers, and uncompiled, where they are ``bytes``.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.image import name_hash

if cython.compiled:
    from cython.cimports.libc.stdlib import calloc, free

GRACE = 10.0  # seconds for which a replaced image stays; a reader holds on to one for some microseconds


class Images:
    """The zone images that a set of workers answers from.

    A zone without image (expired, not loaded) is there too: questions about it are not plain. The set of zones is fixed; one
    zone's image is replaced by one pointer, and the former image is kept for as long as a reader may still look at it.
    """

    def __cinit__(self) -> None:
        if cython.compiled:
            self.blocks = cython.NULL
            self.slots = cython.NULL

    def __init__(self, zones: dict, options: "tuple[int, ...]" = ()) -> None:
        """Take what to answer from.

        Args:
            zones: apex in lower-case wire form -> image, or None for a zone that cannot be served now.
            options: the EDNS options, below 32, that the server answers; questions with them are not plain.

        """
        self.speaks = 0
        for code in options:
            self.speaks |= 1 << code
        size: cython.uint = 8
        while size < 2 * len(zones):
            size *= 2
        count = len(zones)
        self.zones = count
        self.mask = size - 1
        self.numbers = {}
        self.held = [None] * count
        self.retired = []
        if cython.compiled:
            self.slots = cython.cast(cython.p_uint, calloc(2 * size, 4))
            self.blocks = cython.cast(cython.pointer(cython.p_uchar), calloc(count + 1, cython.sizeof(cython.p_uchar)))
            if self.slots == cython.NULL or self.blocks == cython.NULL:
                raise MemoryError
        else:
            self.slots = [0] * (2 * size)
            self.blocks = [b""] * count
        at: cython.uint
        for index, apex in enumerate(zones):
            self.numbers[apex] = index
            hashed = name_hash(apex)
            at = hashed & self.mask
            while self.slots[2 * at + 1]:
                at = (at + 1) & self.mask
            self.slots[2 * at] = hashed
            self.slots[2 * at + 1] = index + 1
        for apex, image in zones.items():
            self.replace(apex, image, 0.0)

    def __dealloc__(self) -> None:
        if cython.compiled:
            free(self.slots)
            free(self.blocks)

    def __contains__(self, apex: bytes) -> bool:
        return apex in self.numbers

    def replace(self, apex: bytes, image: "bytes | memoryview | None", now: float) -> None:
        """Serve another version of a zone from now on, or none.

        Args:
            apex: the zone, in lower-case wire form; it must be one of those that this object was made with.
            image: checked by ``check_image`` or built by this process.
            now: the time; what was replaced more than GRACE seconds ago is let go.

        """
        index: cython.int = self.numbers[apex]
        if cython.compiled:
            if image is None:
                self.blocks[index] = cython.NULL
            else:
                octets: cython.const_uchar[::1] = image
                self.blocks[index] = cython.cast(cython.p_uchar, cython.address(octets[0]))
        else:
            self.blocks[index] = image or b""
        self.retired = [(since, former) for since, former in self.retired if now - since < GRACE]
        if self.held[index] is not None:
            self.retired.append((now, self.held[index]))
        self.held[index] = image
