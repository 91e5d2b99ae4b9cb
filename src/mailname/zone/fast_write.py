"""Zone-file text written from an image: one record on a line, without a Python object for each.

What is not usual is left to the caller, record by record. The same source runs compiled, without the interpreter's lock, and
uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

if cython.compiled:
    from cython.cimports.mailname.zone.fast_write_fields import TextOut
    from cython.cimports.mailname.zone.fast_write_rdata import write_rdata, write_unknown
else:
    from mailname.zone.fast_write_fields import TextOut
    from mailname.zone.fast_write_rdata import write_rdata, write_unknown

DONE, FULL, STOPPED = range(3)

_DONE = cython.declare(cython.int, 0)
_FULL = cython.declare(cython.int, 1)
_STOPPED = cython.declare(cython.int, 2)
_MUCH = cython.declare(cython.uint, 1 << 20)  # octets of text, after which they are taken; as much again has room
_TAB = cython.declare(cython.int, 9)
_LF = cython.declare(cython.int, 10)


class ImageWriter:
    """The text of one image.

    ``run`` writes until there is much text (FULL), it comes to a record that is for others (STOPPED), or to the end (DONE).
    Each time ``take`` returns what was written. Of a record at which it has stopped, all but the rdata is written.

    Attributes:
        unknown: write the rdata of all unusual types as RFC 3597 section 5 has it.

    """

    def __init__(self, image: object, apex: bytes, places: tuple) -> None:
        """Begin.

        Args:
            image: ``bytes`` or a ``memoryview``; it is trusted.
            apex: the zone's in wire form, as the image spells it.
            places: how many nodes there are, and where nodes, RRsets and the blob begin.

        """
        self.held = image
        if cython.compiled:
            octets: cython.const_uchar[::1] = image
            self.data = cython.cast(cython.p_uchar, cython.address(octets[0]))
        else:
            self.data = image
        self.text = TextOut(apex)
        self.nodes, self.nodes_at, self.rrsets_at, self.blob = places
        self.node = self.left = self.rrset = self.rrsets_end = 0
        self.soa_only = True
        self.unknown = False

    def take(self) -> bytes:
        """Return what was written since the last time."""
        return self.text.take()

    def run(self) -> int:
        """Write on."""
        result: cython.int
        if cython.compiled:
            with cython.nogil:
                result = self._run()
        else:
            result = self._run()
        return result

    def stopped_at(self) -> tuple:
        """Return type and rdata of the record that is for others; no type whose names may be compressed is."""
        return self.rdtype, bytes(self.data[self.begin : self.end])

    def put_rdata(self, rdata: bytes) -> None:
        """Write the rdata of that record."""
        self.text.put_text(rdata + b"\n")

    def _get16(self, at):
        return self.data[at] | (cython.cast(cython.uint, self.data[at + 1]) << 8)

    def _get32(self, at):
        return (
            self.data[at]
            | (cython.cast(cython.uint, self.data[at + 1]) << 8)
            | (cython.cast(cython.uint, self.data[at + 2]) << 16)
            | (cython.cast(cython.uint, self.data[at + 3]) << 24)
        )

    def _run(self):
        begin: cython.uint
        while True:
            if self.text.at > _MUCH:
                return _FULL
            if not self._next():
                return _DONE
            if self.owner_due:
                self.text.name(self.data, self.owner, self.owner_end, False)
                self.owner_due = False
            self.text.put(_TAB)
            self.text.number(self.ttl)
            self.text.put(_TAB)
            self.text.type_name(self.rdtype)
            self.text.put(_TAB)
            begin = self.text.at
            if not write_rdata(self.text, self.rdtype, self.data, self.begin, self.end):
                self.text.at = begin
                if not self.unknown:
                    return _STOPPED
                write_unknown(self.text, self.data, self.begin, self.end)
            self.text.put(_LF)

    def _next(self):
        """Go to the next record: the SOA, then the others in the image's order; False after the last one."""
        at: cython.uint
        while self.left == 0:
            while self.rrset == self.rrsets_end:
                if self.node == self.nodes:
                    return False
                at = self.nodes_at + 32 * self.node
                self.owner = self.blob + self._get32(at + 4)
                self.owner_end = self.owner + self.data[at + 8]
                self.rrset = self._get32(at + 20)
                self.rrsets_end = self.rrset + self._get16(at + 24)
                if not self.soa_only:
                    self.node += 1
                self.owner_due = self.soa_only or self.node != 1  # of the apex, it stands before the SOA
            at = self.rrsets_at + 40 * self.rrset
            self.rrset += 1
            self.rdtype = self._get16(at)
            if (self.rdtype == 6) != self.soa_only and (self.soa_only or self.node == 1):
                continue
            self.left = self._get16(at + 4)
            self.ttl = self._get32(at + 8)
            self.at = self.blob + self._get32(at + 12)
            if self.soa_only:
                self.soa_only = False
                self.rrset = self.rrsets_end
        self.left -= 1
        self.begin = self.at + 12
        self.end = self.begin + ((cython.cast(cython.uint, self.data[self.at + 10]) << 8) | self.data[self.at + 11])
        self.at = self.end
        return True
