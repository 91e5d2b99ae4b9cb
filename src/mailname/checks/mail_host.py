"""MAIL-01 and MAIL-02: there must be a mail server behind the MX, at every address of it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.facts import Outcome
from mailname.checks.finding import Finding, Severity, evidence_of_visit
from mailname.checks.reading import host_sight, is_out_of_reach, mail_exchangers
from mailname.checks.remembered import remembered
from mailname.checks.wording import listed, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.checks.facts import Facts, MailProbe
    from mailname.plan import Plan


@remembered
def visits(plan: Plan, facts: Facts) -> dict[Name, tuple[MailProbe, ...]]:
    """Return the visits to each mail host, planned or served, that could be made from here."""
    hosts = [host.name for host in plan.mail_hosts] + list(mail_exchangers(plan, facts) or ())
    found = {}
    for host in dict.fromkeys(hosts):
        addresses = {address for planned in plan.mail_hosts if planned.name == host for address in planned.addresses}
        addresses |= {
            ip_address(record.rdata.to_text())
            for record in facts.expected
            if record.owner == host and record.rdtype in (RdataType.A, RdataType.AAAA)
        }
        addresses |= set(host_sight(plan, facts, host).addresses or ())
        found[host] = tuple(v for v in facts.mail if v.address in addresses and not is_out_of_reach(facts, v.address))
    return {host: made for host, made in found.items() if made and host != dns.name.root}


def mail_host_listens(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find mail hosts where nobody takes the connection."""
    all_visits = visits(plan, facts)
    nobody = not any(visit.connected for made in all_visits.values() for visit in made)
    for host, made in all_visits.items():
        dead = [visit for visit in made if not visit.connected]
        if not dead:
            continue
        closed = all(visit.outcome is Outcome.REFUSED for visit in dead)
        name, at = spoken(host), listed((visit.address for visit in dead), last="or")
        yield Finding(
            "MAIL-01",
            Severity.DEAD if nobody else Severity.FRAGILE,
            f"The mail host {name} ({at}) does not take connections on port 25: "
            + ("nothing listens there." if closed else "nothing answers; a firewall or the provider drops them."),
            f"mail server on {name}" if closed else f"firewall on {name}",
            f"Start the mail server on {name} and let it listen on all addresses, not only on loopback."
            if closed
            else f"Open TCP port 25 on {name}; ask the provider whether it blocks incoming mail.",
            f"nc -vz {dead[0].address} 25",
            tuple(evidence_of_visit(visit) for visit in dead),
            server=host,
            addresses=tuple(visit.address for visit in dead),
        )


def mail_host_greets(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find mail hosts that take the connection and do not greet with 220 (RFC 5321 section 4.3.2)."""
    all_visits = visits(plan, facts)
    nobody = not any(visit.takes_mail for made in all_visits.values() for visit in made)
    for host, made in all_visits.items():
        mute = [visit for visit in made if visit.connected and not visit.takes_mail]
        if not mute:
            continue
        name = spoken(host)
        heard = f'says "{mute[0].banner}"' if mute[0].banner else "says nothing"
        yield Finding(
            "MAIL-02",
            Severity.DEAD if nobody else Severity.FRAGILE,
            f"The mail host {name} ({listed(visit.address for visit in mute)}) takes the connection on port 25 and {heard},"
            " where a mail server greets with 220.",
            f"mail server on {name}",
            f"See in the mail server's log on {name} why it does not greet; a proxy or a wrong program may hold port 25.",
            f"nc {mute[0].address} 25",
            tuple(evidence_of_visit(visit) for visit in mute),
            server=host,
            addresses=tuple(visit.address for visit in mute),
        )
