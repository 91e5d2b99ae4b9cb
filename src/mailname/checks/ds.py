"""DELEG-10: a DS at the parent without its key makes the domain vanish for whoever validates (RFC 4035 section 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dns.rdatatype import RdataType

from mailname.checks.finding import Finding, Severity, evidence_of
from mailname.checks.observe_parents import ds_at_parent
from mailname.checks.reading import served, source_of_truth
from mailname.checks.wording import listed, plan_file, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dns.rdtypes.ANY.DNSKEY import DNSKEY
    from dns.rdtypes.ANY.DS import DS

    from mailname.checks.facts import Facts, Probe
    from mailname.plan import Plan


# What validators know: RFC 8624 section 3.1 with the older ones that many still take, and RFC 8624 section 3.3.
_KNOWN_ALGORITHMS = frozenset({5, 7, 8, 10, 13, 14, 15, 16})
_KNOWN_DIGESTS = frozenset({1, 2, 4})


def _is_known(ds: DS) -> bool:
    """Tell whether validators can follow a DS; one that they cannot is as if it were not there (RFC 4035 section 5.2)."""
    return ds.algorithm in _KNOWN_ALGORITHMS and ds.digest_type in _KNOWN_DIGESTS


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
    asked = facts.probe(truth.address, "udp", plan.domain, RdataType.DNSKEY)
    if not any(map(_is_known, records)):
        yield _of_no_use(plan, probe, records)
        return
    tags = listed(str(ds.key_tag) for ds in records)
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


def _of_no_use(plan: Plan, probe: Probe, records: Sequence[DS]) -> Finding:
    domain = spoken(plan.domain)
    kinds = listed(f"{ds.key_tag} (algorithm {int(ds.algorithm)}, digest type {int(ds.digest_type)})" for ds in records)
    return Finding(
        "DELEG-10",
        Severity.FRAGILE,
        f"{spoken(probe.zone)} has a DS for {domain} that validators do not know: key {kinds}. For them {domain} is not signed.",
        "registrar",
        f"At the registrar, replace the DS by one of digest type 2 (SHA-256) made from the zone's own key; remove it if {domain}"
        " is not signed.",
        f"mailname show {plan_file(plan.domain)} --registrar",
        (evidence_of(probe),),
    )


def validators_follow(facts: Facts) -> bool:
    """Tell whether the parent has a DS that validators can follow: only then is the domain signed for them."""
    known = ds_at_parent(facts.probes, facts.domain)
    return known is not None and any(map(_is_known, cast("tuple[DS, ...]", known[1])))


def validators_drop(plan: Plan, facts: Facts) -> bool:
    """Tell whether resolvers that validate refuse the domain."""
    return any(finding.severity is Severity.DEAD for finding in ds_has_its_key(plan, facts))
