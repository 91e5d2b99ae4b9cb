"""MAIL-06: a domain that announces MTA-STS promises TLS: a mail host without STARTTLS then gets no mail (RFC 8461)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.checks.finding import Finding, Severity, evidence_of, evidence_of_visit
from mailname.checks.mail_host import visits
from mailname.checks.mail_policy import owner_of, policy_answer, texts_in
from mailname.checks.mail_policy_effect import policy_host_exists
from mailname.checks.wording import listed, spoken
from mailname.mail.policy import announces_mta_sts, mta_sts_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def starttls_as_promised(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find mail hosts without STARTTLS in a domain that announces MTA-STS."""
    probe = policy_answer(facts, owner_of("_mta-sts", plan.domain))
    if probe is None or not announces_mta_sts(found := texts_in(probe)) or mta_sts_faults(found):
        return
    if any(True for _ in policy_host_exists(plan, facts)):
        return  # nobody can fetch the policy, so nobody insists on it
    for host, made in visits(plan, facts).items():
        plain = [visit for visit in made if visit.takes_mail and visit.ehlo and not visit.offers_tls]
        if not plain:
            continue
        name = spoken(host)
        yield Finding(
            "MAIL-06",
            Severity.FRAGILE,
            f"The mail host {name} ({listed(visit.address for visit in plain)}) does not offer STARTTLS, and"
            f" {spoken(plan.domain)} announces MTA-STS: where its policy says enforce, nobody delivers.",
            f"mail server on {name}",
            f"Give the mail server on {name} a certificate for its name and let it offer STARTTLS.",
            f"openssl s_client -starttls smtp -connect {name}:25",
            (evidence_of(probe), evidence_of_visit(plain[0])),
            server=host,
            addresses=tuple(visit.address for visit in plain),
        )
