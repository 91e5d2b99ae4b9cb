"""An SPF record together with what it includes and where it redirects (RFC 7208 sections 4.6.4, 5.2 and 6.1).

Whoever judges mail follows all of it, with ten questions at most, and gives up (permerror) at the first record that is missing or
is there twice. Not implemented: domains with macros, which depend on the letter; they count, and nobody follows them here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import dns.exception
import dns.name

from mailname.mail.policy import ASKING, MOST_LOOKUPS

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
    faults: list[str] = []
    asked = _walk(record, (domain,), texts_of, faults)
    if not faults and asked > MOST_LOOKUPS:
        faults.append(f"with what it includes it takes {asked} questions to judge, and receivers stop after {MOST_LOOKUPS}")
    return faults


def _walk(record: str, above: tuple[Name, ...], texts_of: TextsOf, faults: list[str]) -> int:
    """Return how many questions a record takes with all that it leads to; ``above`` are the domains that led to it."""
    asked = sum(1 for term in record.split()[1:] if _ASKS.fullmatch(term))
    for kind, target in spf_targets(record):
        does = "includes" if kind == "include" else "redirects to"
        named = target.to_text(omit_final_dot=True)
        if target in above:
            faults.append(f"it leads back to {named}, without end")
        elif len(above) <= MOST_LOOKUPS and (texts := texts_of(target)) is not None:
            records = spf_records(texts)
            if len(records) == 1:
                asked += _walk(records[0], (*above, target), texts_of, faults)
            else:
                faults.append(f"it {does} {named}, which has {'no SPF record' if not records else f'{len(records)} SPF records'}")
    return asked
