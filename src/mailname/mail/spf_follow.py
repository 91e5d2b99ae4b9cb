"""An SPF record together with what it includes and where it redirects (RFC 7208 sections 4.6.4, 5.2 and 6.1).

Whoever judges mail follows all of it, with ten questions at most, and gives up (permerror) at the first record that is missing or
is there twice. Not implemented: domains with macros, which depend on the letter; they count, and nobody follows them here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.exception
import dns.name

from mailname.mail.policy import ASKING, MOST_LOOKUPS, spf_record_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dns.name import Name

    TextsOf = Callable[[Name], Sequence[str] | None]  # None where nobody could say

_ELSEWHERE = re.compile(r"[+?~-]?(include):([^\s/%]+)|(redirect)=([^\s/%]+)", re.IGNORECASE)
_ASKS = re.compile(rf"[+?~-]?({'|'.join(ASKING)})(?:[:/].*)?|redirect=.*", re.IGNORECASE)
_ALL = re.compile(r"[+?~-]?all", re.IGNORECASE)


def spf_records(texts: Sequence[str]) -> list[str]:
    """Return the SPF records among what TXT records hold (section 4.5)."""
    return [text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]


def spf_targets(record: str) -> tuple[tuple[str, Name], ...]:
    """Return what a record leads to, in order: ``include`` or ``redirect``, and whose record that is."""
    found: list[tuple[str, Name]] = []
    terms = record.split()[1:]
    for term in terms:
        if match := _ELSEWHERE.fullmatch(term):
            kind = (match[1] or match[3]).lower()
            if kind == "redirect" and any(map(_ALL.fullmatch, terms)):
                continue  # never looked at (section 6.1)
            try:
                found.append((kind, dns.name.from_text(match[2] or match[4])))
            except dns.exception.DNSException:
                continue
    return tuple(found)


def followed_faults(domain: Name, record: str, texts_of: TextsOf) -> list[str]:
    """Return what is wrong with the records that a domain's SPF record leads to, and with how many questions that takes.

    What nobody could say is not held against the record.
    """
    walk = _Walk(texts_of)
    walk.through(record, (domain,))
    if not walk.faults and walk.asked > MOST_LOOKUPS:
        walk.faults.append(
            f"with what it includes it takes {walk.asked} questions to judge,"
            f" and receivers stop after {MOST_LOOKUPS}, at {walk.stops}"
        )
    return walk.faults


@dataclass(slots=True)
class _Walk:
    """One walk through the records, term by term as receivers read them.

    Attributes:
        asked: how many questions it took.
        stops: the term at which receivers give up for their number, and by which records it was reached.

    """

    texts_of: TextsOf
    faults: list[str] = field(default_factory=list)
    asked: int = 0
    stops: str = ""

    def through(self, record: str, above: tuple[Name, ...]) -> None:
        """Follow a record; ``above`` are the domains that led to it, its own the last."""
        terms = record.split()[1:]
        # A redirect comes last wherever it stands, and beside "all" not at all (section 6.1).
        last = [one for one in terms if _is_redirect(one) and not any(map(_ALL.fullmatch, terms))]
        for term in [*(one for one in terms if not _is_redirect(one)), *last]:
            if not _ASKS.fullmatch(term):
                continue
            self.asked += 1
            if self.asked == MOST_LOOKUPS + 1:
                self.stops = f"'{term}' ({' → '.join(map(_spoken, above))})"
            for kind, target in spf_targets(f"v=spf1 {term}"):
                self._lead_to(kind, target, above)

    def _lead_to(self, kind: str, target: Name, above: tuple[Name, ...]) -> None:
        does, by = "includes" if kind == "include" else "redirects to", f", by way of {_spoken(above[-1])}"
        named = f"{_spoken(target)}{by if len(above) > 1 else ''}"
        if target in above:
            self.faults.append(f"it leads back to {_spoken(target)}, without end")
        elif len(above) <= MOST_LOOKUPS and (texts := self.texts_of(target)) is not None:
            records = spf_records(texts)
            if len(records) != 1:
                self.faults.append(
                    f"it {does} {named}, which has {'no SPF record' if not records else f'{len(records)} SPF records'}"
                )
                return
            self.faults += [f"it {does} {named}, and there {fault}" for fault in spf_record_faults(records[0])]
            self.through(records[0], (*above, target))


def _is_redirect(term: str) -> bool:
    return term.lower().startswith("redirect=")


def _spoken(name: Name) -> str:
    return name.to_text(omit_final_dot=True)
