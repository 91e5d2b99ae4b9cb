"""What a text is that somebody wants to import: a configuration of BIND, a zone file, or a list of records; and whose zone."""

from __future__ import annotations

import enum
import re

import dns.name
from dns.name import Name
from dns.rdatatype import RdataType

from mailname.zone.records import read_records

_COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|#[^\n]*|("(?:[^"\\]|\\.)*")', re.DOTALL)
_CLAUSE = re.compile(
    r"\s*(include\s+\"?[^\";{}\n]+\"?\s*;|(options|zone|view|acl|key|logging|controls|masters|primaries|remote-servers|parental-agents"
    r"|server|tls|http|statistics-channels|trust-anchors|managed-keys|trusted-keys|dnssec-policy|plugin|dlz|key-store)"
    r"\b[^;{}\n]*\s*\{)",
    re.IGNORECASE,
)
_QUOTED_OR_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|;[^\n]*')
_ZONE = re.compile(r"^\$(INCLUDE|GENERATE)\b|(^|\s)SOA\s", re.IGNORECASE | re.MULTILINE)
_UNKNOWN = Name((b"\0unknown", b""))


class Kind(enum.Enum):
    """What a text is."""

    CONFIGURATION = "configuration"
    ZONE = "zone"
    LIST = "list"


def kind_of(text: str) -> Kind:
    """Tell what a text is, by how it begins and by whether it has a SOA."""
    if _CLAUSE.match(_COMMENT.sub(lambda match: match[1] or " ", text.removeprefix("\ufeff"))):
        return Kind.CONFIGURATION
    plain = _QUOTED_OR_COMMENT.sub("", text)
    return Kind.ZONE if _ZONE.search(plain) else Kind.LIST


def apex_in(text: str, file: str, guess: Name | None) -> Name | None:
    """Return the zone that a zone file is: the owner of its SOA.

    Args:
        text: the file's text.
        file: its name.
        guess: what the file's name says, for owners that are relative.

    Returns:
        None where the text has no SOA, or where neither it nor the file's name says it.

    """
    origin = guess if guess is not None and len(guess.labels) > 2 else _UNKNOWN
    for record in read_records(text, file, origin, default_ttl=0).records:
        if record.rdata.rdtype == RdataType.SOA:
            owner = record.owner.canonicalize()
            return None if owner.is_subdomain(_UNKNOWN) or owner == dns.name.root else owner
    return None
