"""How one version of a zone led to another, by its journal; and how long a journal may get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.transfer import journal
from mailname.zone.image import HEADER

if TYPE_CHECKING:
    from mailname.server.journal_file import JournalFile
    from mailname.transfer.journal import Step
    from mailname.zone import Serial
    from mailname.zone.image_zone import ImageZone

_LEAST = 1 << 18  # octets that a journal may have, however small the zone is


@dataclass(frozen=True, slots=True)
class Way:
    """The steps from one version to another.

    Attributes:
        octets: of the journal.
        steps: in their order.

    """

    octets: memoryview
    steps: tuple[Step, ...]

    @property
    def size(self) -> int:
        """Octets of the records, uncompressed."""
        return sum(step.end - step.at for step in self.steps)


def way_in(known: JournalFile, held: Serial, newest: Serial) -> Way | None:
    """Return how one version leads to another by a journal, None where that is not known. Quick enough for the event loop."""
    found = journal.chain(list(known.steps), held, newest)
    if found and len(found) == 1 and (last := known.last):
        alone = journal.step_in(last, 0)
        if (alone.before, alone.after, alone.digest) == (held, newest, found[0].digest):
            return Way(memoryview(last), (alone,))
    return Way(known.octets(), found) if found else None


def journal_limit(zone: ImageZone) -> int:
    """Return how many octets the journal of a zone should have: those of its names and records."""
    _, total, *_ = fields = HEADER.unpack_from(zone.image)
    blob: int = total - fields[9]
    return max(blob, _LEAST)
