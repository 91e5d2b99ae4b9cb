"""What was seen of a mail host: one visit to its port 25, and the certificate that it showed there."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import dns.name

from mailname.checks.json_values import moment, number, table, text, texts, truth, whole
from mailname.checks.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dns.name import Name

    from mailname.server.network import IPAddress


@dataclass(frozen=True, slots=True)
class MailCertificate:
    """The certificate that a mail host showed after STARTTLS: until when it is good, and for which names.

    Attributes:
        prints: its fingerprints, as TLSA records have them (``mailname.mail.tlsa``).
        above: those of the certificates sent with it; None where they are not known.

    """

    ends: datetime
    names: tuple[str, ...] = ()
    prints: tuple[str, ...] = ()
    above: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        above = None if self.above is None else list(self.above)
        return {"ends": self.ends.isoformat(), "names": list(self.names), "prints": list(self.prints), "above": above}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> MailCertificate:
        """Read what ``to_json`` gave."""
        prints = texts(value, "prints") if "prints" in value else ()
        above = texts(value, "above") if value.get("above") is not None else None
        return cls(moment(value, "ends"), texts(value, "names"), prints, above)


@dataclass(frozen=True, slots=True)
class MailProbe:
    """One visit to a mail host's port 25: connect, read the greeting, EHLO, QUIT (RFC 5321 sections 3.1 and 3.2).

    Attributes:
        connected: whether the TCP connection came about; ``outcome`` then tells about the greeting.
        banner: the greeting's first line as received, empty when there was none.
        ehlo: the lines of the answer to EHLO.

    """

    host: Name
    address: IPAddress
    port: int
    outcome: Outcome
    connected: bool = False
    banner: str = ""
    ehlo: tuple[str, ...] = ()
    ms: float = 0.0
    certificate: MailCertificate | None = None

    @property
    def offers_tls(self) -> bool:
        """Whether it offers STARTTLS (RFC 3207)."""
        return any(line[4:].strip().upper() == "STARTTLS" for line in self.ehlo)

    @property
    def takes_mail(self) -> bool:
        """Whether it greeted with 220."""
        return self.outcome is Outcome.ANSWER and self.banner.startswith("220")

    def to_json(self) -> dict[str, Any]:
        """Return this visit as JSON values."""
        return {
            "host": str(self.host),
            "address": str(self.address),
            "port": self.port,
            "outcome": self.outcome.value,
            "connected": self.connected,
            "banner": self.banner,
            "ehlo": list(self.ehlo),
            "ms": self.ms,
            "certificate": self.certificate.to_json() if self.certificate else None,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> MailProbe:
        """Read what ``to_json`` gave."""
        return cls(
            host=dns.name.from_text(text(value, "host")),
            address=ip_address(text(value, "address")),
            port=whole(value, "port"),
            outcome=Outcome(text(value, "outcome")),
            connected=truth(value, "connected"),
            banner=text(value, "banner"),
            ehlo=texts(value, "ehlo"),
            ms=number(value, "ms"),
            certificate=MailCertificate.from_json(table(value, "certificate")) if value.get("certificate") else None,
        )
