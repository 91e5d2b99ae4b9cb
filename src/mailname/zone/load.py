"""Zone-file text to a zone image, without a Python object for each record where the text is plain.

``Scanner`` reads what is plain; an entry that is not goes to ``records``, and a text with a mistake to ``read_zone``, so that
zone, errors and warnings are the same as theirs in every case.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

import dns.name
from dns.rdatatype import RdataType

from mailname.errors import Mistake, Position
from mailname.zone.fast_load import FastLoad
from mailname.zone.fast_scan import DONE, STOPPED
from mailname.zone.image import MAGIC, build_image, lay_out, octets
from mailname.zone.record_groups import GOOD
from mailname.zone.records import MOST_WARNINGS, Reader, TooManyMistakesError
from mailname.zone.text import other_ttl, out_of_zone, read_zone

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.zone.fast_scan import Scanner
    from mailname.zone.image_build import ImageBuilder
    from mailname.zone.records import Include

_MANY = 100_000  # records, after which a loader's memory is given back


class ReadImage(NamedTuple):
    """A zone's image, and what the owner should know about its text."""

    image: bytes
    warnings: tuple[Mistake, ...]


class Loader:
    """Reads one text after the other; keeps its memory in between. For one thread at a time."""

    def __init__(self) -> None:
        self._fast = FastLoad(MAGIC)

    @property
    def fast(self) -> FastLoad:
        """What reads plain texts, for who needs nothing else."""
        return self._fast

    def load(self, text: bytes, file: str, apex: Name, *, include: Include | None = None) -> ReadImage:
        """Read a zone.

        Args:
            text: zone-file text in UTF-8.
            file: its name in positions.
            apex: the zone's name, and its first origin.
            include: as for ``read_records``.

        Raises:
            ZoneError: as ``read_zone`` does.
            UnicodeDecodeError: the text is not in UTF-8.

        """
        return self.load_wire(text, file, octets(apex), include=include)

    def load_wire(self, text: bytes, file: str, apex: bytes, *, include: Include | None = None) -> ReadImage:
        """Read a zone whose name is given in wire form; of a plain text no Python objects but its image are made."""
        if not text.isascii():
            text.decode()
        image = self._fast.read(text, apex)
        warnings: tuple[Mistake, ...] = ()
        if image is None:
            image, warnings = self._load_with_care(text, file, dns.name.from_wire(apex, 0)[0], include)
        if self._fast.scanner.packed.count > _MANY:
            self._give_back()
        return ReadImage(image, warnings)

    def _load_with_care(self, text: bytes, file: str, apex: Name, include: Include | None) -> ReadImage:
        one = _Loading(self._fast.scanner, self._fast.builder, file, apex, include)
        if not one.scan(self._fast.found) or not one.prepare():
            self._give_back()
            read = read_zone(text.decode(), file, apex, include=include)
            return ReadImage(build_image(read.zone), read.warnings)
        one.tell(text)
        return ReadImage(lay_out(self._fast.builder, apex), tuple(one.mistakes))

    def _give_back(self) -> None:
        self._fast = FastLoad(MAGIC)


class _Loading:
    """One text on its way, which is not all plain."""

    def __init__(self, scanner: Scanner, builder: ImageBuilder, file: str, apex: Name, include: Include | None) -> None:
        self.scanner = scanner
        self.builder = builder
        self.file = file
        self.apex = apex
        self.mistakes: list[Mistake] = []
        self._include = include
        self._reader: Reader | None = None
        # Of records that were not scanned, where each stands.
        self._places: dict[int, Position] = {}

    def scan(self, found: int) -> bool:
        """Pack the records that are left, beginning with what was ``found`` last; False where the text has a mistake."""
        while found == STOPPED:
            if not self._read_entry():
                return False
            found = self.scanner.run()
        if self._reader is not None:
            self.mistakes += self._reader.mistakes
        return found == DONE

    def _read_entry(self) -> bool:
        """Read the entry at which scanning stopped; False where it has a mistake."""
        scanner = self.scanner
        entry = scanner.tokens.entry_text().decode()
        if entry.startswith("\ufeff"):  # no mistake at the beginning of a text, where ``records`` would take this to be
            return False
        if self._reader is None:
            self._reader = Reader(self.apex, None, self._include)
        reader = self._reader
        origin, owner = scanner.tokens.origin_name(), scanner.owner_name()
        reader.origin = dns.name.from_wire(origin, 0)[0]
        reader.owner = dns.name.from_wire(owner, 0)[0] if owner is not None else None
        reader.default_ttl = scanner.default_ttl if scanner.default_ttl >= 0 else None
        reader.last_ttl = scanner.last_ttl if scanner.last_ttl >= 0 else None
        reader.origin_changed = scanner.origin_changed
        reader.warned_of_ttl = scanner.warned_of_ttl
        try:
            reader.read(entry, self.file, line_offset=scanner.tokens.lines)
        except TooManyMistakesError:
            return False
        if any(mistake.severity == "error" for mistake in reader.mistakes):
            return False
        for record in reader.records:
            self._places[scanner.packed.count] = record.at
            try:
                scanner.packed.add(
                    scanner.packed.put(octets(record.owner)), record.ttl, record.rdata.rdtype, octets(record.rdata), 0
                )
            except OverflowError:
                return False
        reader.records.clear()
        scanner.tokens.set_origin(octets(reader.origin))
        if reader.owner is not None:
            scanner.set_owner(octets(reader.owner))
        scanner.default_ttl = -1 if reader.default_ttl is None else reader.default_ttl
        scanner.last_ttl = -1 if reader.last_ttl is None else reader.last_ttl
        scanner.origin_changed = reader.origin_changed
        scanner.warned_of_ttl = reader.warned_of_ttl
        return True

    def prepare(self) -> bool:
        """Make the records ready to be laid out; False where they cannot be a zone."""
        result: int = self.builder.prepare(self.scanner.packed, octets(self.apex), trusted=False)
        return result == GOOD

    def tell(self, text: bytes) -> None:
        """Add the warnings of records outside the zone and of TTLs that differ within an RRset, in the text's order."""
        packed = self.scanner.packed
        outside = [(record, True) for record in self.builder.index.outside_records()]
        others = [(record, False) for record in self.builder.other_ttls()]
        if not outside and not others:
            return
        places = _Places(text, self.file)
        for record, is_outside in heapq.merge(outside, others):
            if len(self.mistakes) >= MOST_WARNINGS:
                return
            ttl, rdtype, offset = packed.fields(record)
            at = self._places.get(record) or places.at(offset)
            owner = dns.name.from_wire(packed.owner_of(record), 0)[0]
            self.mistakes.append(
                out_of_zone(owner, self.apex, at) if is_outside else other_ttl(owner, RdataType.make(rdtype), ttl, at)
            )


class _Places:
    """Lines and columns of octets in a text, asked for in ascending order."""

    def __init__(self, text: bytes, file: str) -> None:
        self._text = text
        self._file = file
        self._before = 3 if text.startswith(b"\xef\xbb\xbf") else 0
        self._line_start = self._before
        self._line = 1

    def at(self, offset: int) -> Position:
        """Return the position of the character that begins at an octet."""
        text, before = self._text, self._before
        lines = text.count(b"\n", before, offset) + text.count(b"\r", before, offset) - text.count(b"\r\n", before, offset)
        if lines:
            self._line += lines
            self._line_start = max(text.rfind(b"\n", before, offset), text.rfind(b"\r", before, offset)) + 1
        self._before = offset
        return Position(self._file, self._line, len(text[self._line_start : offset].decode()) + 1)
