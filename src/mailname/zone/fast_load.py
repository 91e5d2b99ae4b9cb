"""Zone-file text to a zone image in one go, without the interpreter's lock, where nothing in the text is unusual.

``load`` goes on where this ends. The same source runs compiled and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.fast_scan import Scanner
from mailname.zone.image_build import ImageBuilder
from mailname.zone.image_layout import Layout

if cython.compiled:
    from cython.cimports.mailname.zone.fast_scan import DONE
    from cython.cimports.mailname.zone.record_groups import GOOD
else:
    from mailname.zone.fast_scan import DONE
    from mailname.zone.record_groups import GOOD


class FastLoad:
    """One text after the other on its way into an image; the memory is kept in between.

    Args:
        magic: an image's first octets.

    Attributes:
        scanner: where reading has come to.
        builder: of the records that were read.
        found: what the scanner has found last.
        good: what the builder has found, once all is read.

    """

    def __init__(self, magic: bytes) -> None:
        self.scanner = Scanner()
        self.builder = ImageBuilder()
        self.layout = Layout(magic)
        self.found = DONE
        self.good = GOOD

    def read(self, text: bytes, apex: bytes) -> "bytes | None":
        """Return a zone's image; None where there is something that Python has to see.

        Args:
            text: zone-file text in UTF-8.
            apex: the zone's name in wire form, as spelled; the first origin.

        """
        plain: cython.bint
        self.scanner.begin(text, apex)
        self.builder.begin(self.scanner.packed, apex, False)
        self.layout.begin(self.builder)
        if cython.compiled:
            with cython.nogil:
                plain = self._read()
        else:
            plain = self._read()
        if not plain:
            return None
        self.scanner.tokens.let_go()
        return self.layout.write()

    def _read(self):
        self.found = self.scanner.scan()
        if self.found != DONE:
            return False
        self.good = self.builder.make_ready()
        if self.good != GOOD or self.builder.index.outside_count or self.builder.noted_count:
            return False
        return self.layout.measure()
