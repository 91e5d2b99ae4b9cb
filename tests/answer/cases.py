"""Questions and answers as text, for people who read zone files; the cases are in tests/data/answers/cases.

A case is a rule (``;``), a question (``?``), the rcode and flags (``=``), then the records of each section::

    ; An alias is followed inside the zone (RFC 1034 section 3.6.2).
    ? www.example.tech. A
    = NOERROR aa
    answer     www.example.tech. 3600 IN CNAME example.tech.
    answer     example.tech. 3600 IN A 192.0.2.80

Options after the type: ``tcp``, ``noedns``, ``do``, ``bufsize=N``. Records of one section may come in any order. Of an RRSIG
record only the type covered is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
from tests.answer.zones import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SIGNATURE = re.compile(r"( RRSIG \S+) .*")


@dataclass(slots=True)
class Case:
    """One question and the answer that is right."""

    where: str
    rule: str
    question: str
    says: str = ""
    records: list[str] = field(default_factory=list)

    @property
    def tcp(self) -> bool:
        return "tcp" in self.question.split()[2:]

    def wire(self) -> bytes:
        name, rdtype, *options = self.question.split()
        sizes = [int(option.removeprefix("bufsize=")) for option in options if option.startswith("bufsize=")]
        edns = -1 if "noedns" in options else 0
        query = dns.message.make_query(name, rdtype, use_edns=edns, payload=sizes[0] if sizes else 1232, flags=0)
        if "do" in options:
            query.want_dnssec()
        return query.to_wire()


def cases() -> Iterator[Case]:
    """Read all cases."""
    for path in sorted((FOLDER / "cases").glob("*.txt")):
        yield from read(path)


def read(path: Path) -> Iterator[Case]:
    """Read the cases of one file."""
    rule: list[str] = []
    case: Case | None = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        mark, rest = line[:1], line[1:].strip()
        if mark == ";":
            rule.append(rest)
        elif mark == "?":
            if case:
                yield case
            case = Case(f"{path.stem}:{number}", " ".join(rule), rest)
            rule = []
        elif mark == "=":
            assert case
            case.says = rest
        elif rest:
            assert case
            case.records.append(" ".join(line.split()))
    if case:
        yield case


def says(wire: bytes) -> str:
    """Return the ``=`` line of a reply: rcode and flags."""
    reply = dns.message.from_wire(wire)
    flags = [flag.name.lower() for flag in (dns.flags.AA, dns.flags.TC, dns.flags.RA) if reply.flags & flag and flag.name]
    return " ".join([dns.rcode.to_text(reply.rcode()), *flags])


def records(wire: bytes) -> list[str]:
    """Return the records of a reply as a case writes them."""
    reply = dns.message.from_wire(wire)
    sections = {"answer": reply.answer, "authority": reply.authority, "additional": reply.additional}
    return [
        _SIGNATURE.sub(r"\1", f"{name} {line}".rstrip())
        for name, section in sections.items()
        for rrset in section
        for line in rrset.to_text().splitlines()
    ]
