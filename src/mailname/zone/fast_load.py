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

_LARGE = cython.declare(cython.Py_ssize_t, 1_000_000)


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
        self.begin(text, apex)
        return self.finish()

    def begin(self, text: bytes, apex: bytes) -> None:
        """Take a text: who holds it no more himself has its memory back while the image is made."""
        self.scanner.begin(text, apex)
        self.builder.begin(self.scanner.packed, apex, False)
        self.layout.begin(self.builder)
        self.large = len(text) > _LARGE

    def finish(self) -> "bytes | None":
        """Return what ``read`` does, of the text that was taken."""
        plain: cython.bint
        if cython.compiled:
            with cython.nogil:
                plain = self._scan() and (self.large or self._make_ready())
            if plain and self.large:
                self.scanner.tokens.let_go()
                with cython.nogil:
                    plain = self._make_ready()
        else:
            plain = self._scan() and self._make_ready()
        if not plain:
            return None
        self.scanner.tokens.let_go()
        return self.layout.write()

    def begin_many(self) -> None:
        """Begin with texts one after the other, each by ``load``."""
        self.scanner.begin(b"", b"\0")
        self.builder.begin(self.scanner.packed, b"\0", False)
        self.layout.begin(self.builder)

    def load(self, text, size, apex, length):
        """Read a text that somebody else holds; tell whether there is nothing in it that Python has to see.

        Then ``layout`` knows how large the image is, and writes it.
        """
        self.scanner.tokens.take_text(text, size)
        self.scanner.tokens.take_origin(apex, length)
        self.scanner.start()
        self.builder.index.take_apex(apex, length)
        return self._scan() and self._make_ready()

    def _scan(self):
        self.found = self.scanner.scan()
        return self.found == DONE

    def _make_ready(self):
        self.good = self.builder.make_ready()
        if self.good != GOOD or self.builder.index.outside_count or self.builder.noted_count:
            return False
        return self.layout.measure()
