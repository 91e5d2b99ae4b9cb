"""What the registry's RDAP server says of a registration: its end, its status, its registrar (RFC 9082, RFC 9083).

Nothing else of the answer is kept: it may hold people's addresses. Not implemented: anything but domains; the search for the
server in the Internet (RFC 9224's file is read where it is given).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from mailname.checks.json_values import moment, optional, text, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dns.name import Name

_MOST_STATUS = 32


class RegistrationFact(NamedTuple):
    """What was told of the registration, or why nothing was.

    Attributes:
        url: what was asked.
        problem: why nothing is known; empty when something is.
        status: the words of RFC 9083 section 10.2.2, such as "client hold".
        ends: when the registration ends.

    """

    url: str
    problem: str = ""
    status: tuple[str, ...] = ()
    ends: datetime | None = None
    registrar: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return this fact as JSON values."""
        return {
            "url": self.url,
            "problem": self.problem,
            "status": list(self.status),
            "ends": self.ends.isoformat() if self.ends else None,
            "registrar": self.registrar,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RegistrationFact:
        """Read what ``to_json`` gave."""
        problem, registrar = text(value, "problem"), text(value, "registrar")
        return cls(text(value, "url"), problem, texts(value, "status"), optional(value, "ends", moment), registrar)


def read_registration(url: str, body: bytes) -> RegistrationFact:
    """Read the answer for a domain; what is no such answer becomes a problem."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return RegistrationFact(url, "the answer is no JSON")
    if not isinstance(answer, dict) or answer.get("objectClassName") != "domain":
        return RegistrationFact(url, "the answer is about no domain")
    status = tuple(one.lower() for one in _list(answer, "status") if isinstance(one, str))[:_MOST_STATUS]
    ends = [_moment(event.get("eventDate")) for event in _tables(answer, "events") if event.get("eventAction") == "expiration"]
    return RegistrationFact(url, "", status, next((one for one in ends if one), None), _registrar(answer))


def _list(of: Mapping[str, Any], key: str) -> list[Any]:
    value = of.get(key)
    return value if isinstance(value, list) else []


def _tables(of: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    return (one for one in _list(of, key) if isinstance(one, dict))


def _moment(value: object) -> datetime | None:
    """Return a time of RFC 3339."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def _registrar(answer: Mapping[str, Any]) -> str:
    """Return the registrar's name from its vCard (RFC 7095)."""
    for entity in _tables(answer, "entities"):
        card = _list(entity, "vcardArray")
        if "registrar" not in _list(entity, "roles") or len(card) < 2 or not isinstance(card[1], list):
            continue
        for line in card[1]:
            if isinstance(line, list) and len(line) > 3 and line[0] == "fn" and isinstance(line[3], str):
                return line[3][:200]
    return ""


def domain_url(base: str, domain: Name) -> str:
    """Return what to ask a server (RFC 9082 section 3.1.3)."""
    return f"{base.rstrip('/')}/domain/{domain.to_text(omit_final_dot=True).lower()}"


def base_for(bootstrap: bytes, domain: Name) -> str | None:
    """Return the server of a domain by IANA's bootstrap file (RFC 9224 sections 4, 5.1): the longest match, HTTPS if it can be.

    Raises:
        ValueError: it is no such file.

    """
    try:
        read = json.loads(bootstrap)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    services = _list(read, "services") if isinstance(read, dict) else []
    if not services:
        raise ValueError("it has no 'services'")
    name = domain.to_text(omit_final_dot=True).lower()
    best: tuple[int, list[str]] = (0, [])
    for service in services:
        if not (isinstance(service, list) and len(service) == 2 and all(isinstance(part, list) for part in service)):
            raise ValueError("a service is no pair of lists")
        for entry in service[0]:
            fits = isinstance(entry, str) and (name == entry.lower() or name.endswith(f".{entry.lower()}"))
            if fits and len(entry) > best[0]:
                best = (len(entry), [one for one in service[1] if isinstance(one, str)])
    return next((url for url in best[1] if url.startswith("https://")), best[1][0] if best[1] else None)
