"""What would be seen after a fix of what is asked beside the ladder: EDNS, the life of a copy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.checks.facts import EDNS_OPTIONS, EDNS_VERSION, SIGNATURES
from mailname.checks.mended_facts import Mended, changed
from mailname.checks.mended_parent import registered_as_planned
from mailname.checks.observe_lists import listed_name
from mailname.checks.reading import delegations, parent_answers
from mailname.mail.tlsa import tlsa_owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.checks.finding import Finding


def with_manners(now: Mended, finding: Finding) -> Mended:
    """Leave out how a server took what is new in EDNS."""
    asked, at = (EDNS_OPTIONS, EDNS_VERSION), set(finding.addresses)
    return Mended(now.plan, changed(now.facts, lambda p: None if p.rung in asked and p.address in at else p))


def signed_again(now: Mended, finding: Finding) -> Mended:
    """Leave out a server's signed answers, as if their signatures were good."""
    at = set(finding.addresses)
    return Mended(now.plan, changed(now.facts, lambda p: None if p.rung == SIGNATURES and p.address in at else p))


def refreshed(now: Mended, finding: Finding) -> Mended:
    """Let a secondary have reached its primary just now; after a fix on the primary, let all of them."""
    all_of = {server.name for server in now.plan.secondaries} if finding.server == now.plan.primary.name else {finding.server}
    return Mended(now.plan, changed(now.facts, lambda p: replace(p, expire=None) if p.server in all_of else p))


def then_refreshed(mend: Callable[[Mended, Finding], Mended]) -> Callable[[Mended, Finding], Mended]:
    """Add to a fix that lets transfers through what follows from it."""
    return lambda now, finding: refreshed(mend(now, finding), finding)


def taken_off(now: Mended, finding: Finding) -> Mended:
    """Leave out what the block lists say of a mail host's address."""
    gone = {listed_name(address, of) for address in finding.addresses for of in now.facts.dnsbl}
    return Mended(now.plan, changed(now.facts, lambda p: None if p.rung == "resolver" and p.qname in gone else p))


def registered_again(now: Mended, finding: Finding) -> Mended:
    """Lift the hold, renew the registration, and delegate the domain as planned where it is not delegated."""
    renewed = Mended(now.plan, replace(now.facts, registration=None))
    everywhere = len(delegations(now.facts)) == len(parent_answers(now.facts))
    return renewed if everywhere else registered_as_planned(renewed, finding)


def without_tlsa(now: Mended, finding: Finding) -> Mended:
    """Leave out a mail host's TLSA records, as if they fitted."""
    owner = tlsa_owner(finding.server) if finding.server is not None else None
    return Mended(now.plan, changed(now.facts, lambda p: None if p.qtype == RdataType.TLSA and p.qname == owner else p))
