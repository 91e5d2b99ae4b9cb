"""DELEG-10: a DS at the parent without its key makes the domain vanish for whoever validates (RFC 4035 section 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.observe_parents import ds_at_parent
from mailname.checks.reading import served, source_of_truth
from mailname.checks.wording import listed, plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.rdtypes.ANY.DNSKEY import DNSKEY
    from dns.rdtypes.ANY.DS import DS

    from mailname.checks.facts import Facts
    from mailname.plan import Plan


def _fits(facts: Facts, ds: DS, key: DNSKEY) -> bool:
    """Tell whether a DS is made from a key."""
    import dns.dnssec  # with all of cryptography, which few domains need
    import dns.exception
    from dns.dnssectypes import DSDigest

    try:
        return bool(dns.dnssec.make_ds(facts.domain, key, DSDigest(ds.digest_type)) == ds)
    except (dns.exception.DNSException, ValueError):
        return False


def ds_has_its_key(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find DS records none of which leads to a key of the zone."""
    known, truth = ds_at_parent(facts.probes, facts.domain), source_of_truth(plan, facts)
    if known is None or truth is None:
        return
    probe, records = known[0], cast("tuple[DS, ...]", known[1])
    keys = served(facts, truth.address, plan.domain, RdataType.DNSKEY)
    if keys is None or any(_fits(facts, ds, key) for ds in records for key in cast("tuple[DNSKEY, ...]", keys)):
        return
    tags = listed(str(ds.key_tag) for ds in records)
    asked = facts.probe(truth.address, "udp", plan.domain, RdataType.DNSKEY)
    yield Finding(
        "DELEG-10",
        Severity.DEAD,
        f"{spoken(probe.zone)} has a DS for {spoken(plan.domain)} (key {tags}), and the zone on {spoken(truth.server.name)}"
        f" has {'no such key' if keys else 'no keys at all'}: whoever validates takes the whole domain for forged.",
        "registrar",
        f"Remove the DS {tags} at the registrar; it is probably left from a former provider."
        if not keys
        else f"At the registrar, replace the DS {tags} by that of the zone's own key.",
        f"mailname show {plan_file(plan.domain)} --registrar",
        (evidence_of(probe), *((evidence_of(asked),) if asked else ())),
    )


def validators_drop(plan: Plan, facts: Facts) -> bool:
    """Tell whether resolvers that validate refuse the domain."""
    return any(True for _ in ds_has_its_key(plan, facts))
