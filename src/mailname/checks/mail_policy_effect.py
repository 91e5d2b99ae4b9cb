"""POL-06 to POL-09: a policy that can be read must also do what its owner wants of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.mail_policy import owner_of, policy_answer, selector_answers, spf_texts, texts_in
from mailname.checks.observe_policies import permission_owner, policy_host
from mailname.checks.reading import host_sight, mail_exchangers
from mailname.checks.wording import listed, plan_file, spoken
from mailname.mail import policy
from mailname.mail.spf_address import result_for, spf_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts
    from mailname.plan import Plan
    from mailname.server.network import IPAddress

_TOLD = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


def key_strong_enough(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Note DKIM keys that are shorter than is used today, and such as are revoked."""
    for probe in selector_answers(facts):
        for note in policy.dkim_notes(texts_in(probe)):
            yield Finding(
                "POL-06",
                Severity.NOTE,
                f"The DKIM key at {spoken(probe.qname)} {note}.",
                "plan",
                "Make a new key under a new selector, let the mail server sign with it, and put it into the plan; then publish.",
                f"mailname publish {plan_file(plan.domain)}",
                (evidence_of(probe),),
            )


def mail_host_may_send(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Note that SPF forbids the domain's own mail host to send; where it only receives that is as it should be."""
    probe = policy_answer(facts, plan.domain)
    record = spf_record(texts_in(probe)) if probe else None
    if probe is None or record is None or len(record.split()) < 3:  # no policy, or "-all" alone: nobody sends
        return

    def addresses_of(host: Name) -> tuple[IPAddress, ...] | None:
        return host_sight(plan, facts, host).addresses

    def record_of(domain: Name) -> str | None:
        return spf_record(spf_texts(facts, domain) or ())

    exchangers = mail_exchangers(plan, facts) or ()
    for host in dict.fromkeys(exchangers):
        if not host.is_subdomain(plan.domain):
            continue
        refused = [
            one
            for one in addresses_of(host) or ()
            if result_for(one, record, plan.domain, addresses_of, exchangers, record_of) in ("fail", "softfail")
        ]
        if not refused:
            continue
        yield Finding(
            "POL-07",
            Severity.NOTE,
            f'The SPF record "{record}" does not allow {spoken(host)} ({listed(refused)}) to send:'
            f" who follows it refuses what the mail host sends as {spoken(plan.domain)}.",
            "plan",
            "Where this host sends mail, write mx, or ip4: and ip6: with its addresses, into the SPF record of the plan;"
            " then publish.",
            f"mailname publish {plan_file(plan.domain)}",
            (evidence_of(probe),),
            server=host,
            addresses=tuple(refused),
        )


def reports_accepted(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find domains that get DMARC reports by our record and have not said that they take them."""
    probe = policy_answer(facts, owner_of("_dmarc", plan.domain))
    for receiver in policy.report_domains(texts_in(probe)) if probe else ():
        owner = permission_owner(plan.domain, receiver)
        asked = next((p for p in facts.at_rung("resolver") if (p.qname, p.qtype) == (owner, RdataType.TXT)), None)
        if probe is None or owner is None or asked is None or not asked.answered:
            continue
        if asked.rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) or any(
            record.rdtype == RdataType.TXT and "v=dmarc1" in record.rdata.to_text().lower() for record in asked.answer
        ):
            continue
        yield Finding(
            "POL-08",
            Severity.FRAGILE,
            f"DMARC reports about {spoken(plan.domain)} go to {receiver}, which has not said that it takes them: none is sent.",
            f"zone of {receiver}",
            f'Publish {spoken(owner)} TXT "v=DMARC1" there, or let rua= in the plan name a mailbox below {spoken(plan.domain)}.',
            f"dig {spoken(owner)} TXT",
            (evidence_of(probe), evidence_of(asked)),
        )


def policy_host_exists(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find an MTA-STS policy that is announced and cannot be fetched, as its host has no address (RFC 8461 section 3.2)."""
    probe = policy_answer(facts, owner_of("_mta-sts", plan.domain))
    if probe is None or not policy.announces_mta_sts(found := texts_in(probe)) or policy.mta_sts_faults(found):
        return  # none is announced, or none that senders would look for
    host = policy_host(plan.domain)
    # Asked of the server that gave the policy, which need not be the one whose data are judged.
    asked = [facts.probe(probe.address, "udp", host, kind) for kind in (RdataType.A, RdataType.AAAA)]
    denied = [one for one in asked if one and one.aa and one.rcode in _TOLD and not one.answer]
    if len(denied) < len(asked):
        return
    yield Finding(
        "POL-09",
        Severity.FRAGILE,
        f"{spoken(plan.domain)} announces an MTA-STS policy, and {spoken(host)}, where senders fetch it, has no address.",
        "plan",
        f"Add an address of {spoken(host)} to the plan and serve the policy there over HTTPS, or take the TXT record of"
        f" {spoken(probe.qname)} away; then publish.",
        f"mailname publish {plan_file(plan.domain)}",
        (evidence_of(probe), *(evidence_of(one) for one in denied)),
        server=host,
    )
