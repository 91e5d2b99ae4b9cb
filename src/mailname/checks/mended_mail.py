"""What a mail host would say after a fix on it, or by whoever rents its address out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import dns.rdata
import dns.rdataclass
from dns.rdatatype import RdataType

from mailname.checks.facts import MailCertificate, Outcome
from mailname.checks.mended_facts import Mended, answering, changed
from mailname.checks.pointer import reverse_name
from mailname.checks.wording import spoken

if TYPE_CHECKING:
    from collections.abc import Collection

    from mailname.checks.facts import Facts, MailProbe, Probe
    from mailname.checks.finding import Finding
    from mailname.server.network import IPAddress


def greeting(facts: Facts, addresses: Collection[IPAddress]) -> Facts:
    """Return the facts as they would be if the mail hosts at these addresses greeted."""

    def greets(visit: MailProbe) -> MailProbe:
        if visit.address not in addresses or visit.takes_mail:
            return visit
        return replace(visit, outcome=Outcome.ANSWER, connected=True, banner=f"220 {spoken(visit.host)}")

    return replace(facts, mail=tuple(map(greets, facts.mail)))


def mail_taken(now: Mended, finding: Finding) -> Mended:
    """Let the mail host take the connection and greet."""
    return Mended(now.plan, greeting(now.facts, finding.addresses))


def certificate_renewed(now: Mended, finding: Finding) -> Mended:
    """Let the mail host show a certificate for its name that ends in three months."""
    ends = now.facts.at + timedelta(days=90)

    def renewed(visit: MailProbe) -> MailProbe:
        if visit.address not in finding.addresses or finding.server is None or visit.certificate is None:
            return visit
        return replace(visit, certificate=MailCertificate(ends, (spoken(finding.server),)))

    return Mended(now.plan, replace(now.facts, mail=tuple(map(renewed, now.facts.mail))))


def pointed(now: Mended, finding: Finding) -> Mended:
    """Let the address's PTR lead to the mail host, and the mail host's name to the address."""
    if finding.server is None or not finding.addresses:
        return now
    host, address = finding.server, finding.addresses[0]
    kind = RdataType.A if address.version == 4 else RdataType.AAAA
    answers = {(reverse_name(address), RdataType.PTR): host.to_text(), (host, kind): str(address)}

    def change(probe: Probe) -> Probe:
        wanted = answers.get((probe.qname, probe.qtype))
        if probe.rung != "resolver" or wanted is None:
            return probe
        return answering(probe, [dns.rdata.from_text(dns.rdataclass.IN, probe.qtype, wanted)], aa=False)

    return Mended(now.plan, changed(now.facts, change))


def tls_offered(now: Mended, finding: Finding) -> Mended:
    """Let the mail host offer STARTTLS."""

    def offering(visit: MailProbe) -> MailProbe:
        return replace(visit, ehlo=(*visit.ehlo, "250 STARTTLS")) if visit.address in finding.addresses else visit

    return Mended(now.plan, replace(now.facts, mail=tuple(map(offering, now.facts.mail))))
