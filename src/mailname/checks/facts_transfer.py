"""What became of a transfer that was tried from here: which question, with which key, and how it ended."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

import dns.name

from mailname.checks.json_values import choice, optional, text, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dns.name import Name

    from mailname.server.network import IPAddress

QUESTIONS = ("SOA", "IXFR", "AXFR")
#: The words for how it ended; what a server answers in its rcode stands there in small letters.
RESULTS = (
    "given",
    "current",
    "silent",
    "closed",
    "unreadable",
    "unsigned",
    "badkey",
    "badsig",
    "badtime",
    "badtrunc",
    "malformed",
)


class TransferTry(NamedTuple):
    """One question that a secondary asks, asked by us over TCP.

    Attributes:
        key: the name of the TSIG key with which it was signed; None without. The secret is nowhere here.
        result: ``given``; ``current`` (IXFR: there is nothing newer); a word of ``RESULTS``; or the rcode, such as ``refused``.
        serial: the serial that came with it.

    """

    server: Name
    address: IPAddress
    question: str
    key: Name | None
    result: str
    serial: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "server": str(self.server),
            "address": str(self.address),
            "question": self.question,
            "key": str(self.key) if self.key is not None else None,
            "result": self.result,
            "serial": self.serial,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TransferTry:
        """Read what ``to_json`` gave."""
        key = optional(value, "key", text)
        return cls(
            dns.name.from_text(text(value, "server")),
            ip_address(text(value, "address")),
            choice(value, "question", QUESTIONS),
            dns.name.from_text(key) if key is not None else None,
            text(value, "result"),
            optional(value, "serial", whole),
        )
