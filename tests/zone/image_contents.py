"""All that an image says, taken apart as its description says that it is laid out, so that two images can be compared."""

from __future__ import annotations

from typing import Any

from mailname.zone.image import HASHED, HEADER, NODE, NONE, RRSET, SLOT, ZONE_ODD, name_hash
from mailname.zone.image_read import ImageReader


class Contents:
    """What stands in an image. Numbers of nodes and RRsets are replaced by names, places by octets."""

    def __init__(self, image: bytes) -> None:
        self.image = image
        self.reader = ImageReader(image)
        self.fields = HEADER.unpack_from(image)
        self.nodes_at, self.rrsets_at, self.lists_at, self.blob_at = self.fields[6:10]

    def _blob(self, at: int, length: int) -> bytes:
        at += self.blob_at
        assert at + length <= len(self.image)
        return self.image[at : at + length]

    def _node(self, number: int) -> tuple[int, ...]:
        return NODE.unpack_from(self.image, self.nodes_at + NODE.size * number)

    def _entry(self, number: int) -> tuple[int, ...]:
        return RRSET.unpack_from(self.image, self.rrsets_at + RRSET.size * number)

    def _name(self, number: int) -> bytes | None:
        if number == NONE:
            return None
        lower, _, length, *_ = self._node(number)
        return self._blob(lower, length)

    def _numbers(self, first: int, count: int) -> list[int]:
        at = self.lists_at + 4 * first
        return [int.from_bytes(self.image[at + 4 * i : at + 4 * i + 4], "little") for i in range(count)]

    def rrset(self, number: int) -> tuple[Any, ...]:
        """Return all that is said of an RRset; what is additional by owner and type."""
        rdtype, signatures, count, patches, ttl, body, length, first, additional, others, octets, begins, _ = self._entry(number)
        if rdtype in (2, 5, 6, 12, 15, 33):
            assert self._numbers(first - 1, 1) == [patches | (others << 16)]
        hosts = [(self._name(self._entry(host)[12]), self._entry(host)[0]) for host in self._numbers(additional, others)]
        signed = self._blob(begins, octets) if signatures else begins
        return rdtype, count, ttl, self._blob(body, length), self._numbers(first, patches), hosts, signatures, signed

    def nodes(self) -> list[tuple[Any, ...]]:
        """Return all that is said of each node, in canonical order."""
        said = []
        before = 0
        for number in range(self.fields[2]):
            _, spelled, length, labels, flags, cut, wildcard, first, count, _, hashed = self._node(number)
            assert first == before
            before += count
            name = self._name(number)
            assert name is not None
            assert hashed == name_hash(name)
            assert all(self._entry(first + i)[12] == number for i in range(count))
            rrsets = [self.rrset(first + i) for i in range(count)]
            shown = self._blob(spelled, length) if count else name  # of an empty non-terminal, any spelling is right
            said.append((name, shown, labels, flags, self._name(cut), self._name(wildcard), rrsets))
        assert before == self.fields[3] - 1
        return said

    def found(self) -> set[bytes]:
        """Return the names that the hash index leads to."""
        found = set()
        for slot in range(self.fields[4] + 1):
            hashed, entry = SLOT.unpack_from(self.image, self.fields[5] + SLOT.size * slot)
            if entry:
                name = self._name(entry - 1)
                assert name is not None
                assert hashed == name_hash(name)
                assert self.reader.find(self.reader.key(entry - 1)) == entry - 1
                found.add(name)
        assert len(found) == sum(not self._node(number)[4] & HASHED for number in range(self.fields[2]))
        return found

    def chain(self) -> tuple[Any, ...]:
        """Return the links of what proves that something is not there, and the parameters that they go by."""
        at, count, used = self.fields[-3:]
        size = 24 if used else 4
        links = [self.image[at + size * link : at + size * link + size] for link in range(count)]
        length = 5 + self.image[used + 4] if used else 0
        odd = self.fields[15] & ZONE_ODD  # then what is no hash has no value that counts
        proofs = [(b"" if odd else link[:-4], self._name(int.from_bytes(link[-4:], "little"))) for link in links]
        return proofs, self.image[used : used + length]

    def all(self) -> tuple[Any, ...]:
        """Return everything."""
        fields = self.fields
        assert fields[1] == len(self.image)
        counts = fields[2], fields[3], fields[4], *fields[10:13], fields[14], fields[15]
        return counts, self.nodes(), self.rrset(fields[3] - 1), self.found(), self.chain()
