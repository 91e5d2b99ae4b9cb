"""Reading DER, as far as certificates and public keys need it (X.690). Whatever is not well formed raises ValueError."""

from __future__ import annotations

SEQUENCE, INTEGER, BIT_STRING = 0x30, 0x02, 0x03


class DerReader:
    """DER elements one after the other: a tag, a length, contents (X.690 section 10.1)."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def done(self) -> bool:
        """Tell whether nothing follows."""
        return self._at >= len(self._octets)

    def tag(self) -> int:
        """Return the next element's tag."""
        if self._at >= len(self._octets):
            raise ValueError("DER that ends too soon")
        return self._octets[self._at]

    def take(self, tag: int) -> bytes:
        """Return the contents of the next element."""
        if self.tag() != tag:
            raise ValueError("an element that is not where it belongs")
        start, end = self._bounds()
        self._at = end
        return self._octets[start:end]

    def skip(self) -> bytes:
        """Return the next element whole."""
        begin = self._at
        self._at = self._bounds()[1]
        return self._octets[begin : self._at]

    def _bounds(self) -> tuple[int, int]:
        self.tag()
        head = self._octets[self._at + 1 : self._at + 6]
        if not head or head[0] == 0x80 or head[0] > 0x84:
            raise ValueError("a length that is none")
        more = head[0] & 0x7F if head[0] & 0x80 else 0
        length = int.from_bytes(head[1 : 1 + more], "big") if more else head[0]
        start = self._at + 2 + more
        if start + length > len(self._octets):
            raise ValueError("DER that ends too soon")
        return start, start + length
