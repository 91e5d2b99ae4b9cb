"""POL-01 to POL-05: what the domain says of its mail must be readable, or receivers treat it as if it had not been said."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

import dns.name
import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.known_name import known
from mailname.checks.wording import listed, plan_file, spoken
from mailname.mail import policy
from mailname.mail.spf_follow import followed_faults, spf_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dns.name import Name
    from dns.rdtypes.ANY.TXT import TXT

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import Plan

_POLICIES: tuple[tuple[str, str, str, Callable[[list[str]], list[str]]], ...] = (
    ("POL-01", "SPF", "", policy.spf_faults),
    ("POL-02", "DMARC", "_dmarc", policy.dmarc_faults),
    ("POL-04", "MTA-STS", "_mta-sts", policy.mta_sts_faults),
    ("POL-05", "TLS-RPT", "_smtp._tls", policy.tls_report_faults),
)
# With those of mail_policy_effect.
CODES = frozenset({code for code, *_ in _POLICIES} | {"POL-03", "POL-06", "POL-07", "POL-08", "POL-09"})
_SAME_RECORD = {"POL-06": "POL-03", "POL-07": "POL-01", "POL-08": "POL-02", "POL-09": "POL-04"}
NAMES = tuple(below for _, _, below, _ in _POLICIES if below)


@lru_cache(maxsize=1024)
def owner_of(below: str, domain: Name) -> Name:
    """Return the name at which a policy stands."""
    return known(dns.name.from_text(below, domain)) if below else domain


def is_policy(code: str, owner: Name, domain: Name) -> bool:
    """Tell whether this code is about the TXT records of this name."""
    code = _SAME_RECORD.get(code, code)
    if code == "POL-03":
        return _is_below_domainkey(owner, domain)
    return any(code == known and owner == owner_of(below, domain) for known, _, below, _ in _POLICIES)


def _is_below_domainkey(owner: Name, domain: Name) -> bool:
    labels = owner.relativize(domain).labels
    return len(labels) > 1 and labels[-1].lower() == b"_domainkey"


def texts_in(probe: Probe) -> list[str]:
    """Return what the TXT records of an answer hold, the strings of each joined."""
    found = cast("tuple[TXT, ...]", probe.rdatas(probe.qname, RdataType.TXT))
    return [b"".join(rdata.strings).decode("ascii", "replace") for rdata in found]


def texts_beyond(probe: Probe) -> list[str]:
    """Return the same for a name that may be an alias: the records stand at the end of the chain."""
    found = [cast("TXT", record.rdata) for record in probe.answer if record.rdtype == RdataType.TXT]
    return [b"".join(rdata.strings).decode("ascii", "replace") for rdata in found]


def policy_answer(facts: Facts, owner: Name) -> Probe | None:
    """Return an authority's answer about the TXT records of a name."""
    for probe in facts.at_rung("servers"):
        if (probe.qname, probe.qtype) == (owner, RdataType.TXT) and probe.aa and probe.rcode == dns.rcode.NOERROR:
            return probe
    return None


def spf_texts(facts: Facts, domain: Name) -> list[str] | None:
    """Return what the TXT records of a domain hold to which an SPF record leads; None where nobody could say."""
    for probe in facts.at_rung("resolver"):
        if (probe.qname, probe.qtype) == (domain, RdataType.TXT) and probe.rcode in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return texts_beyond(probe)
    return None


def followed(facts: Facts, texts: list[str]) -> list[str]:
    """Return what is wrong with the records to which the domain's SPF record leads."""
    records = spf_records(texts)
    return followed_faults(facts.domain, records[0], lambda domain: spf_texts(facts, domain)) if len(records) == 1 else []


def policies_readable(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find policies that are written so that nobody follows them."""
    for code, what, below, judge in _POLICIES:
        probe = policy_answer(facts, owner_of(below, plan.domain))
        if probe is None:
            continue
        faults = judge(texts_in(probe)) or (followed(facts, texts_in(probe)) if code == "POL-01" else [])
        if faults:
            yield _finding(plan, code, what, probe, faults)
    for probe in selector_answers(facts):
        if faults := policy.dkim_faults(texts_in(probe)):
            yield _finding(plan, "POL-03", "DKIM key", probe, faults)


def selector_answers(facts: Facts) -> tuple[Probe, ...]:
    """Return an authority's answer about each DKIM selector that was asked."""
    return tuple({p.qname: p for p in facts.at_rung("servers") if _is_selector(p, facts.domain)}.values())


def _is_selector(probe: Probe, domain: Name) -> bool:
    return probe.qtype == RdataType.TXT and probe.aa and bool(probe.answer) and _is_below_domainkey(probe.qname, domain)


def _finding(plan: Plan, code: str, what: str, probe: Probe, faults: list[str]) -> Finding:
    return Finding(
        code,
        Severity.FRAGILE,
        f"The {what} record at {spoken(probe.qname)} cannot be followed: {listed(faults)}.",
        "plan",
        f"Correct the TXT record of {spoken(probe.qname)} in the plan; then publish.",
        f"mailname publish {plan_file(plan.domain)}",
        (evidence_of(probe),),
    )
