"""MAIL-05: a mail host should call itself what its address is called: receivers compare the two (RFC 5321 section 4.1.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.exception
import dns.name

from mailname.checks.finding import Finding, Severity, evidence_of_visit
from mailname.checks.mail_host import visits
from mailname.checks.pointer import names_of
from mailname.checks.wording import listed, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts, MailProbe
    from mailname.plan import Plan


def helo_name(visit: MailProbe) -> Name | None:
    """Return the name in the answer to EHLO (RFC 5321 section 4.1.1.1), else in the greeting; None where there is none."""
    for line in (*visit.ehlo[:1], visit.banner):
        words = line[4:].split()
        try:
            if words and "." in words[0].rstrip("."):
                return dns.name.from_text(words[0])
        except (dns.exception.DNSException, UnicodeError):
            continue
    return None


def helo_is_pointer(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Note mail hosts that call themselves otherwise than their address is called."""
    for host, made in visits(plan, facts).items():
        for visit in made:
            name, pointers = helo_name(visit), names_of(facts, visit.address)
            if not visit.takes_mail or name is None or not pointers or name in pointers:
                continue
            yield Finding(
                "MAIL-05",
                Severity.NOTE,
                f"The mail host {spoken(host)} calls itself {spoken(name)}, and its address {visit.address} has the name"
                f" {listed(map(spoken, pointers))} (PTR): receivers compare the two when it sends.",
                f"mail server on {spoken(host)}",
                f"Let the mail server greet and say HELO as {spoken(pointers[0])}, or let the provider of the address"
                f" set the PTR to {spoken(name)}.",
                f"nc {visit.address} 25",
                (evidence_of_visit(visit),),
                server=host,
                addresses=(visit.address,),
            )
            break
