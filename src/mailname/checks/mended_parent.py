"""What the parent would answer after a fix at the registrar; and the facts without what our own network, or a TLD's, hides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dns.rdata
import dns.rdataclass
from dns.rdatatype import RdataType

from mailname.checks.facts import Outcome, Record
from mailname.checks.mended_facts import TTL, Mended, answering, changed
from mailname.checks.reading import delegation_in, delegations, parent_answers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dns.name import Name

    from mailname.checks.facts import Facts, Probe
    from mailname.checks.finding import Finding
    from mailname.plan import Plan
    from mailname.server.network import IPAddress

    Glue = Mapping[Name, frozenset[IPAddress]]


def within_reach(now: Mended, finding: Finding) -> Mended:
    """Leave out whatever was not answered: it tells of our own network."""
    del finding
    heard = changed(now.facts, lambda probe: probe if probe.answered and probe.rung != "root" else None)
    return Mended(now.plan, replace(heard, mail=tuple(visit for visit in heard.mail if visit.outcome is Outcome.ANSWER)))


def tld_repaired(now: Mended, finding: Finding) -> Mended:
    """Leave out what the TLD's servers, or the root's, said: the domain's owner can mend nothing there."""
    rung = "root" if finding.code == "TLD-02" else "tld"
    return Mended(now.plan, changed(now.facts, lambda probe: None if probe.rung == rung else probe))


def registered_as_planned(now: Mended, finding: Finding) -> Mended:
    """Delegate the domain as planned."""
    del finding
    return Mended(now.plan, _delegated(now, lambda _: _planned(now.plan)))


def glue_added(now: Mended, finding: Finding) -> Mended:
    """Give the addresses of the plan to those names that the parent lists without."""
    del finding
    planned = _planned(now.plan)

    def added(glue: Glue) -> Glue:
        return {name: have | planned.get(name, frozenset()) for name, have in glue.items()}

    mended = Mended(now.plan, _delegated(now, added))
    # Without a plan, nobody knows an address that neither the parent nor the zone gives: it is found as if it had been asked.
    return mended if now.facts.planned else Mended(now.plan, changed(mended.facts, lambda p: None if p.rung == "tld" else p))


def glue_corrected(now: Mended, finding: Finding) -> Mended:
    """Replace one host's addresses by those of the plan."""
    planned = _planned(now.plan)

    def corrected(glue: Glue) -> Glue:
        return {name: planned.get(name, have) if name == finding.server else have for name, have in glue.items()}

    return Mended(now.plan, _delegated(now, corrected))


def names_corrected(now: Mended, finding: Finding) -> Mended:
    """Let the parent list the plan's name servers, each with the glue it has; new ones with that of the plan."""
    del finding
    planned = _planned(now.plan)
    return Mended(now.plan, _delegated(now, lambda glue: {name: glue.get(name, planned[name]) for name in planned}))


def parents_agreed(now: Mended, finding: Finding) -> Mended:
    """Let all servers of the parent say what the one says that is as planned, or else the first."""
    del finding
    known = delegations(now.facts)
    best = next((one for one in known if one.is_as_planned(now.plan)), known[0] if known else None)
    return now if best is None else Mended(now.plan, _delegated(now, lambda _: best.glue))


def ds_removed(now: Mended, finding: Finding) -> Mended:
    """Take the DS away."""
    del finding
    return Mended(now.plan, changed(now.facts, lambda p: answering(p, (), aa=True) if p.qtype == RdataType.DS else p))


def _planned(plan: Plan) -> Glue:
    return {
        server.name: frozenset(server.addresses if server.name.is_subdomain(plan.domain) else ()) for server in plan.name_servers
    }


def _delegated(now: Mended, mend: Callable[[Glue], Glue]) -> Facts:
    """Change what each of the parent's servers says."""
    answers = set(map(id, parent_answers(now.facts)))

    def change(probe: Probe) -> Probe:
        if id(probe) not in answers:
            return probe
        known = delegation_in(probe, now.facts.domain)
        return _referral(probe, now.facts.domain, mend(known.glue if known else {}))

    return changed(now.facts, change)


def _referral(probe: Probe, domain: Name, glue: Glue) -> Probe:
    def record(owner: Name, kind: RdataType, text: str) -> Record:
        return Record(owner, TTL, dns.rdata.from_text(dns.rdataclass.IN, kind, text))

    kinds = {4: RdataType.A, 6: RdataType.AAAA}
    return replace(
        answering(probe, (), aa=False),
        ra=False,
        authority=tuple(record(domain, RdataType.NS, name.to_text()) for name in glue),
        additional=tuple(record(name, kinds[one.version], str(one)) for name, addresses in glue.items() for one in addresses),
    )
