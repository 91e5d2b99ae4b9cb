"""What a policy leads to: the records elsewhere without which it has no effect. Asked only where the policy is there."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast

import dns.exception
import dns.name
from dns.rdatatype import RdataType

from mailname.checks.asking import Addressee
from mailname.checks.mail_policy import owner_of, texts_in
from mailname.mail.policy import announces_mta_sts, report_domains
from mailname.mail.spf_follow import spf_records, spf_targets
from mailname.mail.tlsa import tlsa_owner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from dns.name import Name
    from dns.rdtypes.ANY.MX import MX

    from mailname.checks.asking import Asker
    from mailname.checks.facts import Probe

    TextsOf = Callable[[Name], Awaitable[list[str]]]

_RESOLVER = dns.name.from_text("resolver.")
_MOST_INCLUDED = 16  # domains to which an SPF record leads: receivers follow ten (RFC 7208 section 4.6.4)
_MOST = 4  # domains that take reports, and hosts that take mail


def policy_host(domain: Name) -> Name:
    """Return the host at which senders fetch the MTA-STS policy (RFC 8461 section 3.2)."""
    return dns.name.from_text("mta-sts", domain)


def permission_owner(domain: Name, receiver: str) -> Name | None:
    """Return where a domain that takes another's DMARC reports says so (RFC 7489 section 7.1); None where it need not."""
    try:
        to = dns.name.from_text(receiver)
        if to.is_subdomain(domain) or domain.is_subdomain(to):
            return None
        return domain.relativize(dns.name.root).concatenate(dns.name.from_text("_report._dmarc", to))
    except dns.exception.DNSException:
        return None


async def follow_policies(asker: Asker, whom: Addressee, found: Iterable[Probe]) -> None:
    """Ask for what the policies found at one name server lead to."""
    domain = whom.zone
    asked = []
    for probe in found:
        if not probe.answered or not probe.aa:
            continue
        if probe.qname == owner_of("_mta-sts", domain) and announces_mta_sts(texts_in(probe)):
            asked += [asker.ask(whom, policy_host(domain), kind) for kind in (RdataType.A, RdataType.AAAA)]
        if probe.qname == owner_of("_dmarc", domain) and asker.world.resolver and asker.world.start == "resolver":
            at = Addressee("resolver", dns.name.root, _RESOLVER, asker.world.resolver)
            owners = [permission_owner(domain, one) for one in report_domains(texts_in(probe))]
            asked += [asker.ask(at, owner, RdataType.TXT, recurse=True) for owner in owners[:_MOST] if owner is not None]
    await asyncio.gather(*asked)


def mail_hosts_in(probes: Iterable[Probe], domain: Name) -> set[Name]:
    """Return the hosts that the domain's MX names, by the answers so far."""
    answers = (p for p in probes if p.rung == "servers" and (p.qname, p.qtype) == (domain, RdataType.MX))
    return {mx.exchange for probe in answers for mx in cast("tuple[MX, ...]", probe.rdatas(domain, RdataType.MX))}


async def follow_spf(asker: Asker, domain: Name, probes: Iterable[Probe], texts_of: TextsOf) -> None:
    """Ask for the records that the domain's SPF record includes or redirects to: level by level, as long as two tries last."""
    own = next(
        (texts_in(p) for p in probes if p.rung == "servers" and (p.qname, p.qtype) == (domain, RdataType.TXT) and p.aa), []
    )
    wanted = {target for record in spf_records(own) for _, target in spf_targets(record)}
    asked = {domain}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(asker.world.timeout * asker.world.tries):
            while (now := sorted(wanted - asked)[: _MOST_INCLUDED - len(asked)]) and len(asked) < _MOST_INCLUDED:
                asked |= set(now)
                found = await asyncio.gather(*map(texts_of, now))
                wanted = {target for texts in found for record in spf_records(texts) for _, target in spf_targets(record)}


async def ask_tlsa(asker: Asker, whom: Addressee, hosts: Iterable[Name]) -> None:
    """Ask for the TLSA records of those mail hosts that are in the domain."""
    own = sorted(host for host in hosts if host.is_subdomain(whom.zone))[:_MOST]
    await asyncio.gather(*(asker.ask(whom, tlsa_owner(host), RdataType.TLSA) for host in own))
