"""MAIL-04: the certificate that a mail host shows after STARTTLS must be good, and for its name (RFC 3207)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mailname.checks.finding import Finding, Severity, evidence_of_visit
from mailname.checks.mail_host import visits
from mailname.checks.wording import duration, listed, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts
    from mailname.plan import Plan

_SOON = timedelta(days=14)


def is_for(names: tuple[str, ...], host: Name) -> bool:
    """Tell whether one of a certificate's names is that of the host; a star stands for one label (RFC 9525 section 6.3)."""
    wanted = spoken(host).lower()
    above = wanted.partition(".")[2]
    return any(name.lower() == wanted or (name.startswith("*.") and name[2:].lower() == above) for name in names)


def certificate_good(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find certificates that have ended; note those that end soon, or are for other names."""
    for host, made in visits(plan, facts).items():
        for visit in made:
            if (shown := visit.certificate) is None:
                continue
            left = shown.ends - facts.at
            if left < timedelta():
                severity, says = Severity.FRAGILE, f"ended {duration(-left.total_seconds())} ago"
            elif left < _SOON:
                severity, says = Severity.NOTE, f"ends in {duration(left.total_seconds())}"
            elif not is_for(shown.names, host):
                severity, says = Severity.NOTE, f"is for {listed(shown.names) or 'no name'}, not for {spoken(host)}"
            else:
                continue
            yield Finding(
                "MAIL-04",
                severity,
                f"The certificate that the mail host {spoken(host)} ({visit.address}) shows {says}.",
                f"mail server on {spoken(host)}",
                "Renew the certificate for this name, and let the mail server load it.",
                f"openssl s_client -starttls smtp -connect {spoken(host)}:25",
                (evidence_of_visit(visit),),
                server=host,
                addresses=(visit.address,),
            )
            break
