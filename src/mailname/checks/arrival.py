"""Does mail arrive? The walk that a sender makes: delegation, a name server at its glue, the MX, the mail host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
import dns.rcode
from dns.rdatatype import RdataType

from mailname.checks.ds import validators_drop
from mailname.checks.mail_host import visits
from mailname.checks.reading import delegations, host_sight, mail_exchangers, served, sights
from mailname.checks.reading import plans_no_mail as no_mail_is_planned
from mailname.checks.signatures import nothing_validates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts, MailProbe
    from mailname.plan import Plan
    from mailname.server.network import IPAddress


def mail_arrives(plan: Plan, facts: Facts) -> bool:
    """Tell whether at least one path leads from the parent to a mail host that greets.

    Rungs that were not asked are taken as good. Where no mail is planned, it is enough that the domain resolves.
    """
    if facts.asks("servers") and (validators_drop(plan, facts) or nothing_validates(plan, facts) or not _resolves(plan, facts)):
        return False
    if no_mail_is_planned(facts):
        return True
    made = visits(plan, facts)
    if not made:
        return True
    hosts = mail_exchangers(plan, facts) or tuple(made)
    return any(visit.takes_mail for host in hosts for visit in _at_served_addresses(plan, facts, host, made.get(host, ())))


def _at_served_addresses(plan: Plan, facts: Facts, host: Name, made: tuple[MailProbe, ...]) -> Iterator[MailProbe]:
    """Iterate over the visits that a sender would make, who knows the zone and not the plan."""
    known = host_sight(plan, facts, host).addresses
    return (visit for visit in made if not known or visit.address in known)


def _resolves(plan: Plan, facts: Facts) -> bool:
    for address in _reachable_from_parent(plan, facts):
        soa = facts.probe(address, "udp", plan.domain, RdataType.SOA)
        if soa is None or not soa.aa or soa.rcode != dns.rcode.NOERROR or not soa.rdatas(plan.domain, RdataType.SOA):
            continue
        mx = served(facts, address, plan.domain, RdataType.MX)
        if mx is None:
            continue
        if no_mail_is_planned(facts):
            return True
        hosts = [rdata.exchange for rdata in mx if rdata.exchange != dns.name.root]  # type: ignore[attr-defined]  # MX
        if any(host_sight(plan, facts, host).addresses != () for host in hosts):
            return True
    return False


def _reachable_from_parent(plan: Plan, facts: Facts) -> Iterator[IPAddress]:
    """Iterate over the addresses at which a resolver that follows the delegation finds a name server."""
    if not facts.asks("tld"):
        yield from (sight.address for sight in sights(plan, facts))
        return
    for parent in delegations(facts):
        for name, glue in parent.glue.items():
            yield from glue
            if not name.is_subdomain(plan.domain) and not glue:
                yield from (p.address for p in facts.at_rung("servers") if p.server == name)
