"""DANE-01 and DANE-02: who goes by TLSA records does not deliver where the certificate does not fit them (RFC 7672)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

from mailname.checks.ds import validators_drop, validators_follow
from mailname.checks.finding import Finding, Severity, evidence_of, evidence_of_visit
from mailname.checks.mail_host import visits
from mailname.checks.wording import plan_file, spoken
from mailname.mail.tlsa import fits, is_usable, tlsa_owner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name
    from dns.rdtypes.ANY.TLSA import TLSA

    from mailname.checks.facts import Facts, MailProbe, Probe
    from mailname.plan import Plan


def _records(facts: Facts, host: Name) -> tuple[Probe, tuple[TLSA, ...]] | None:
    owner = tlsa_owner(host)
    for probe in facts.at_rung("servers"):
        if (probe.qname, probe.qtype) == (owner, RdataType.TLSA) and probe.aa and probe.answer:
            return probe, cast("tuple[TLSA, ...]", probe.rdatas(owner, RdataType.TLSA))
    return None


def _is_signed(plan: Plan, facts: Facts) -> bool | None:
    """Tell whether the parent has a DS that leads to a key of the zone; None when the parent was not asked."""
    asked = [p for p in facts.at_rung("tld") if p.qtype == RdataType.DS and p.answered]
    if not asked:
        return None
    return validators_follow(facts) and not validators_drop(plan, facts)


def _why_not(records: tuple[TLSA, ...], visit: MailProbe) -> str | None:
    """Say why a sender who goes by the records does not deliver; None where he does, or that cannot be told."""
    usable = [record for record in records if is_usable(record)]
    if not usable:
        return None  # then a sender wants TLS, and looks at no certificate
    if visit.certificate is None:
        return None if visit.offers_tls else "does not offer STARTTLS"
    if not visit.certificate.prints:
        return None
    if any(fits(record, visit.certificate.prints, visit.certificate.above) is not False for record in usable):
        return None
    return "shows a certificate that fits none of them"


def certificate_fits_tlsa(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find mail hosts whose certificate does not fit their TLSA records; note such records in a zone that is not signed."""
    for host, made in visits(plan, facts).items():
        if not host.is_subdomain(plan.domain) or (known := _records(facts, host)) is None:
            continue
        probe, records = known
        signed = _is_signed(plan, facts)
        wrong = [(visit, why) for visit in made if visit.takes_mail and (why := _why_not(records, visit))]
        if signed and wrong:
            visit, why = wrong[0]
            yield Finding(
                "DANE-01",
                Severity.FRAGILE,
                f"{spoken(probe.qname)} has TLSA records, and the mail host {spoken(host)} ({visit.address}) {why}:"
                " senders that go by DANE do not deliver.",
                f"mail server on {spoken(host)}",
                f"Let {spoken(host)} show the certificate that the TLSA records name, or write the new one's record into the plan"
                " before the certificate changes; then publish.",
                f"openssl s_client -starttls smtp -connect {spoken(host)}:25 -dane_tlsa_domain {spoken(host)}"
                + "".join(f' -dane_tlsa_rrdata "{record}"' for record in records),
                (evidence_of(probe), evidence_of_visit(visit)),
                server=host,
                addresses=tuple(visit.address for visit, _ in wrong),
            )
        elif signed is False:
            yield Finding(
                "DANE-02",
                Severity.NOTE,
                f"{spoken(probe.qname)} has TLSA records, and {spoken(plan.domain)} is not signed with DNSSEC:"
                " nobody looks at them" + (f"; the mail host {wrong[0][1]}." if wrong else "."),
                "plan",
                "Sign the zone and enter its DS at the registrar, or take the TLSA records out of the plan; then publish.",
                f"mailname publish {plan_file(plan.domain)}",
                (evidence_of(probe),),
                server=host,
            )
