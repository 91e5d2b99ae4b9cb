"""What a check says when the world is wrong: a finding, its evidence, and the list of all codes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import dns.rcode

from mailname.checks.facts import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dns.name import Name

    from mailname.checks.facts import MailProbe, Probe
    from mailname.server.network import IPAddress

# Codes are permanent: a code is never given a second meaning, and a retired one is not given away again.
CODES: Mapping[str, str] = MappingProxyType(
    {
        "ROOT-01": "the root servers cannot be reached from here",
        "TLD-01": "the top-level domain's servers do not answer",
        "TLD-02": "there is no such top-level domain",
        "TLD-03": "one of the top-level domain's servers does not answer",
        "REG-01": "the domain is on hold",
        "REG-02": "the registration ends",
        "DELEG-01": "the domain is not registered, or not delegated",
        "DELEG-02": "glue is missing at the parent",
        "DELEG-03": "glue is wrong",
        "DELEG-04": "the name servers at the parent differ from the zone's",
        "DELEG-05": "the parent's servers disagree",
        "DELEG-06": "there is one name server only",
        "DELEG-07": "the name servers are one machine, or in one network",
        "DELEG-08": "a name server's name is an alias, or has no address",
        "DELEG-09": "the referral is too large",
        "DELEG-10": "the DS at the parent leads to no key of the zone",
        "DELEG-11": "a name server's address is no public one",
        "DELEG-12": "glue outside the domain is not the name's address",
        "NS-01": "a name server is down",
        "NS-02": "a name server cannot be reached over TCP",
        "NS-03": "a name server cannot be reached over UDP",
        "NS-04": "the zone is not loaded on a name server",
        "NS-05": "a secondary has no copy of the zone that it may answer from",
        "NS-06": "a name server is not authoritative",
        "NS-07": "a name server resolves for everyone",
        "NS-08": "a name server gives the whole zone to everyone",
        "NS-09": "the zone fails to load on the primary",
        "NS-10": "a name server does not understand EDNS",
        "NS-11": "a name server answers from another address",
        "NS-12": "a name server does not take EDNS as it should",
        "NS-13": "a name server answers some questions and not others",
        "XFER-01": "the primary refuses the transfer to a secondary",
        "XFER-02": "the transfer key is wrong",
        "XFER-03": "a secondary has not heard of the new version yet",
        "XFER-04": "TCP is blocked between the servers",
        "XFER-05": "a transfer fails",
        "XFER-06": "the clocks of primary and secondary differ",
        "SERIAL-01": "the zone was changed and the serial was not raised",
        "SERIAL-02": "the primary's serial is older than a secondary's",
        "SERIAL-03": "a secondary's copy was not refreshed for long",
        "SOA-01": "the SOA's timers contradict each other",
        "SOA-02": "the SOA names a primary that has no address",
        "SOA-03": "the SOA's contact is no mailbox",
        "SIG-01": "the zone's signatures are not valid",
        "ZONE-01": "a trailing dot was forgotten",
        "ZONE-02": "the served zone differs from the plan",
        "MX-01": "the MX is missing",
        "MX-02": "the MX names a host without an address",
        "MX-03": "the MX names an alias",
        "MX-04": "the MX names an address instead of a host",
        "MX-05": "a null MX stands beside others",
        "MX-06": "mail goes to several hosts",
        "POL-01": "the SPF record cannot be followed",
        "POL-02": "the DMARC record cannot be followed",
        "POL-03": "a DKIM key cannot be read",
        "POL-04": "the MTA-STS record cannot be followed",
        "POL-05": "the TLS-RPT record cannot be followed",
        "POL-06": "a DKIM key is weak, or revoked",
        "POL-07": "SPF does not allow the mail host to send",
        "POL-08": "who gets the DMARC reports has not agreed to",
        "POL-09": "the MTA-STS policy has no host",
        "CACHE-01": "a resolver remembers what was before",
        "MAIL-01": "the mail host does not listen",
        "MAIL-02": "the mail host does not greet",
        "MAIL-03": "the mail host's address has no name that leads back",
        "MAIL-04": "the mail host's certificate is not good",
        "MAIL-05": "the mail host calls itself otherwise than its address is called",
        "MAIL-06": "the mail host does not offer STARTTLS, which the domain promises",
        "MAIL-07": "the mail host is on a block list",
        "MAIL-08": "a block list says nothing",
        "DANE-01": "the mail host's certificate does not fit its TLSA records",
        "DANE-02": "TLSA records stand in a zone that is not signed",
    }
)


class Severity(enum.StrEnum):
    """How bad a finding is for the mail."""

    DEAD = "dead"
    REFUSED = "refused by the registry"
    FRAGILE = "fragile"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A question, who was asked it, and the answer as dig would show it."""

    server: str
    question: str
    answer: str

    def to_json(self) -> dict[str, str]:
        """Return it as JSON values."""
        return {"server": self.server, "question": self.question, "answer": self.answer}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        code: one of ``CODES``.
        says: one sentence of fact with the name and address it is about.
        where: the place to fix it: the registrar, a server's firewall or configuration, the zone, or time.
        fix: one sentence of what to do there.
        command: the one line to type, for the fix or to repeat the probe; empty when there is nothing to type.
        server: the name server or mail host it is about; None when it is about the domain.
        addresses: the addresses it is about; none when it is about all of them, or about none.

    """

    code: str
    severity: Severity
    says: str
    where: str
    fix: str
    command: str
    evidence: tuple[Evidence, ...] = ()
    server: Name | None = None
    addresses: tuple[IPAddress, ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"{self.code} is no code of a finding")

    def cause_to_json(self) -> dict[str, Any]:
        """Return the finding as the cause of a verdict."""
        return {
            "code": self.code,
            "says": self.says,
            "where": self.where,
            "fix": f"{self.fix} Type: {self.command}" if self.command else self.fix,
            "evidence": [piece.to_json() for piece in self.evidence],
        }

    def to_json(self) -> dict[str, Any]:
        """Return the finding as one entry of a verdict's findings."""
        return {
            **self.cause_to_json(),
            "severity": self.severity.value,
            "command": self.command,
            "server": self.server.to_text() if self.server else None,
            "addresses": [str(address) for address in self.addresses],
        }


def evidence_of(probe: Probe) -> Evidence:
    """Show a probe as dig would: who was asked what, status, flags, and the records."""
    # No try: nobody was asked, this is what is going to be registered (checks.assumed).
    server = f"{probe.server} {probe.endpoint} {probe.transport}" if probe.tries else "as it is going to be registered"
    question = f"{probe.qname} {probe.qtype.name}"
    if probe.answered_from is not None:
        return Evidence(server, question, f"an answer came from {probe.answered_from}, which is not where we asked")
    if not probe.answered:
        return Evidence(server, question, _no_answer(probe.outcome, probe.tries))
    flags = " ".join(["qr", *(flag for flag in ("aa", "tc", "ra") if getattr(probe, flag))])
    lines = [f"status: {dns.rcode.to_text(probe.rcode or dns.rcode.NOERROR)}; flags: {flags}"]
    lines += [f"EXPIRE: {probe.expire}"] if probe.expire is not None else []
    for title, section in (("ANSWER", probe.answer), ("AUTHORITY", probe.authority), ("ADDITIONAL", probe.additional)):
        lines += [f"{title}: {record}" for record in section]
    return Evidence(server, question, "\n".join(lines))


def evidence_of_visit(visit: MailProbe) -> Evidence:
    """Show a visit to a mail host."""
    at = f"[{visit.address}]:{visit.port}" if visit.address.version == 6 else f"{visit.address}:{visit.port}"
    answer = visit.banner or ("connected, and no greeting came" if visit.connected else _no_answer(visit.outcome, 1))
    return Evidence(f"{visit.host} {at} tcp", "SMTP greeting", answer)


def _no_answer(outcome: Outcome, tries: int) -> str:
    match outcome:
        case Outcome.SILENT:
            return f"no answer in {tries} {'try' if tries == 1 else 'tries'}"
        case Outcome.REFUSED:
            return "connection refused: nothing listens on this port"
        case Outcome.UNREACHABLE:
            return "no route to this address"
        case _:
            return "what came back was no DNS message"
