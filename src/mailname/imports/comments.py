"""The comments of zone-file text, each given to the record that it is about: above it, or beside it on the same line."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.zone.records import Record

_PIECE = re.compile(r'"(?:[^"\\\r\n]++|\\.)*+"?|\\.|;(?P<comment>[^\r\n]*+)|(?P<newline>\r\n|\r|\n)|[^";\\\r\n]++', re.DOTALL)
# What stands beside the SOA's numbers in nearly every zone, and what name servers write above: known to everybody.
_NOTHING_NEW = re.compile(
    r"[\s;=*#~+.-]*$|\s*\(?(serial|refresh|retry|expir|minimum|negative|neg\b|default ttl|ttl\b|secondary|slave|-\*-)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Comments:
    """What people have written down.

    Attributes:
        head: above the first record.
        above: on lines of their own before a record.
        beside: on a record's own lines.
        tail: after the last record.

    """

    head: list[str] = field(default_factory=list)
    above: dict[tuple[Name, Rdata], list[str]] = field(default_factory=dict)
    beside: dict[tuple[Name, Rdata], list[str]] = field(default_factory=dict)
    tail: list[str] = field(default_factory=list)

    def of(self, owner: Name, rdata: Rdata) -> list[str]:
        """Return all that is about a record."""
        return [*self.above.get((owner, rdata), ()), *self.beside.get((owner, rdata), ())]


def comments_of(texts: Mapping[str, str], records: tuple[Record, ...]) -> Comments:
    """Give each comment of the texts, by their files' names, to one of the records that were read from them."""
    found = Comments()
    for number, (file, text) in enumerate(texts.items()):
        here = [record for record in records if record.at.file == file]
        lines = [record.at.line for record in here]
        for line, comment, is_alone in _comments(text):
            place = bisect_right(lines, line if not is_alone else line - 1)
            if is_alone and place < len(here):
                after = here[place]
                if after.rdata.rdtype == RdataType.SOA or (place == 0 and number == 0):
                    found.head.append(comment)
                elif place and here[place - 1].rdata.rdtype == RdataType.SOA and _NOTHING_NEW.match(comment):
                    continue
                else:
                    found.above.setdefault((after.owner, after.rdata), []).append(comment)
            elif is_alone:
                found.tail.append(comment)
            elif place:
                before = here[place - 1]
                if before.rdata.rdtype != RdataType.SOA or not _NOTHING_NEW.match(comment):
                    found.beside.setdefault((before.owner, before.rdata), []).append(comment)
    return found


def _comments(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield each comment's line, its text, and whether nothing else stands on the line."""
    line, is_alone = 1, True
    for match in _PIECE.finditer(text.removeprefix("\ufeff")):
        if match["newline"]:
            line, is_alone = line + 1, True
        elif match["comment"] is not None:
            comment = "".join(c for c in match["comment"].lstrip(";").strip() if c.isprintable() or c == "\t").replace("\t", " ")
            if comment:
                yield line, comment, is_alone
        elif match[0].strip():
            is_alone = False
