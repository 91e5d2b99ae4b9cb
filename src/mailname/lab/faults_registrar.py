"""Faults at the registrar: what was entered there is not what the zone says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

import dns.dnssec
import dns.rdata
from dns.dnssectypes import DSDigest
from dns.name import Name

from mailname.lab.breaking import planned_zone, publish
from mailname.lab.fault import fault
from mailname.lab.rdap import RdapServer
from mailname.lab.zone_edit import added

if TYPE_CHECKING:
    from mailname.lab.lab import Lab

# From 2001:2::/48, which RFC 5180 sets aside for benchmarks: nobody in the lab has it.
NOBODY6 = IPv6Address("2001:2::53")
KEY = dns.rdata.from_text(
    "IN", "DNSKEY", "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="
)


@fault(
    "DELEG-02",
    "The registrar has the name servers' names, but no host record with their addresses: the TLD gives no glue.",
    "glue",
)
async def glue_missing(lab: Lab) -> None:
    """Take all glue away."""
    entry = lab.wanted_registration()
    lab.register(replace(entry, glue=()))


@fault(
    "DELEG-03",
    "The registrar has a wrong address for one name server: the glue leads to a machine that is none of ours.",
    "glue",
)
async def glue_wrong(lab: Lab) -> None:
    """Replace the addresses of the first name server that has glue."""
    entry = lab.wanted_registration()
    host, right = entry.glue[0]
    wrong = [lab.addresses.nobody if address.version == 4 else NOBODY6 for address in right]
    lab.register(entry.with_glue(host, tuple(dict.fromkeys(wrong))))


@fault("DELEG-04", "The registrar's list of name servers is not the zone's: one name was never entered.")
async def ns_set_differs(lab: Lab) -> None:
    """Leave the last name server out at the registrar; where there is one only, add one that the zone does not have."""
    entry = lab.wanted_registration()
    if len(entry.name_servers) == 1:
        extra = Name((b"old-provider", *lab.plan.domain.labels))
        addresses = lab.plan.primary.addresses
        lab.register(replace(entry, name_servers=(*entry.name_servers, extra), glue=(*entry.glue, (extra, addresses))))
        return
    *kept, left_out = entry.name_servers
    lab.register(replace(entry, name_servers=tuple(kept)).with_glue(left_out, ()))


@fault("DELEG-01", "The domain is not registered: the registration has expired, or was never finished.")
async def not_registered(lab: Lab) -> None:
    """Delete the domain at the registry."""
    lab.internet.registry.delete(lab.plan.domain)
    lab.internet.publish()


@fault("DELEG-02", "The registrar has the host record of one name server, and not that of the other.", "glue", "two servers")
async def glue_missing_for_one(lab: Lab) -> None:
    """Take the glue of the last name server that has any away."""
    entry = lab.wanted_registration()
    host, _ = entry.glue[-1]
    lab.register(entry.with_glue(host, ()))


@fault("DELEG-03", "The host records of two name servers are swapped at the registrar.", "glue", "two servers")
async def glue_swapped(lab: Lab) -> None:
    """Give each name server the next one's addresses; where one alone has glue, a stranger's."""
    entry = lab.wanted_registration()
    if len(entry.glue) < 2:
        lab.register(entry.with_glue(entry.glue[0][0], (lab.addresses.nobody,)))
        return
    names = [name for name, _ in entry.glue]
    addresses = [known for _, known in entry.glue]
    lab.register(replace(entry, glue=tuple(zip(names, (*addresses[1:], addresses[0]), strict=True))))


@fault("DELEG-04", "A name server of the former provider is still listed at the registrar beside the new ones.")
async def old_provider_listed(lab: Lab) -> None:
    """Add a name server that the zone does not have, at an address where nobody is."""
    entry = lab.wanted_registration()
    extra = Name((b"old-provider", *lab.plan.domain.labels))
    glue = (*entry.glue, (extra, (lab.addresses.nobody,)))
    lab.register(replace(entry, name_servers=(*entry.name_servers, extra), glue=glue))


@fault("DELEG-05", "A change at the registrar is travelling: one of the registry's servers has the delegation, one has none yet.")
async def registry_server_behind(lab: Lab) -> None:
    """Let one of the TLD's servers serve the zone of before the registration."""
    entry = lab.wanted_registration()
    lab.internet.registry.delete(lab.plan.domain)
    lab.internet.publish()
    lab.internet.hold_back(lab.addresses.tld[1 if lab.aim.tld_server is None else lab.aim.tld_server])
    lab.register(entry)


@fault("TLD-03", "One of the registry's servers is down: a note only, since the others have the delegation.")
async def registry_server_down(lab: Lab) -> None:
    """Stop one of the TLD's servers."""
    await lab.internet.tld_servers[1 if lab.aim.tld_server is None else lab.aim.tld_server].stop()


@fault("DELEG-10", "The registrar still has the DS of the former provider's key; the zone is not signed any more.")
async def ds_left_over(lab: Lab) -> None:
    """Enter a DS that leads to no key of the zone."""
    lab.register(replace(lab.wanted_registration(), ds=(dns.dnssec.make_ds(lab.plan.domain, KEY, DSDigest.SHA256),)))


@fault("DELEG-10", "The registrar has a DS of a digest type that no validator knows: the domain is as good as unsigned.")
async def ds_of_unknown_kind(lab: Lab) -> None:
    """Enter a DS that nobody can follow."""
    made = dns.dnssec.make_ds(lab.plan.domain, KEY, DSDigest.SHA256).replace(digest_type=200)
    lab.register(replace(lab.wanted_registration(), ds=(made,)))


@fault("DELEG-10", "The zone has a new key, and the registrar still has the DS of the old one.")
async def ds_of_another_key(lab: Lab) -> None:
    """Enter the DS of one key, and publish another."""
    other = dns.rdata.from_text("IN", "DNSKEY", KEY.to_text().replace("mdss", "ndss"))
    await publish(lab, added(planned_zone(lab), lab.plan.domain, other))
    await ds_left_over(lab)


@fault("TLD-01", "The registry's servers do not answer at all: nothing can be said of the domain.")
async def registry_down(lab: Lab) -> None:
    """Stop the TLD's servers."""
    await lab.internet.stop_tlds()


@fault("ROOT-01", "The root servers cannot be reached: this machine's own network drops DNS.")
async def root_unreachable(lab: Lab) -> None:
    """Stop the root server."""
    await lab.internet.root.stop()


@fault("DELEG-02", "The registrar has the IPv4 addresses of the name servers, and not the IPv6 ones.", "glue", "both families")
async def glue_without_ipv6(lab: Lab) -> None:
    """Enter the IPv4 glue alone."""
    entry = lab.wanted_registration()
    glue = ((host, tuple(address for address in known if address.version == 4)) for host, known in entry.glue)
    lab.register(replace(entry, glue=tuple(glue)))


@fault("DELEG-03", "The registrar has an old IPv6 address of one name server; the IPv4 one is right.", "glue", "both families")
async def glue_wrong_ipv6(lab: Lab) -> None:
    """Replace the IPv6 glue of the first name server that has any."""
    entry = lab.wanted_registration()
    host, right = entry.glue[0]
    lab.register(entry.with_glue(host, (*(address for address in right if address.version == 4), NOBODY6)))


@fault("DELEG-04", "The domain is still delegated to the former provider alone, who does not have it any more.")
async def delegated_elsewhere(lab: Lab) -> None:
    """Enter two other name servers, at an address where nobody is."""
    entry = lab.wanted_registration()
    names = tuple(Name((label, *lab.plan.domain.labels)) for label in (b"old1", b"old2"))
    lab.register(replace(entry, name_servers=names, glue=tuple((name, (lab.addresses.nobody,)) for name in names)))


@fault("REG-01", "The registrar has put the domain on hold, since an invoice was not paid: it is gone from the TLD's zone.")
async def domain_on_hold(lab: Lab) -> None:
    """Take the domain out of the zone, and let the registry's RDAP server say why."""
    lab.internet.registry.delete(lab.plan.domain)
    lab.internet.publish()
    lab.rdap = RdapServer(lab.plan.domain, ("client hold",), datetime.now(UTC) + timedelta(days=200))
    await lab.run(lab.rdap)


@fault("REG-02", "The registration ends in ten days, and nobody has renewed it.")
async def registration_ends(lab: Lab) -> None:
    """Let the registry's RDAP server say so."""
    lab.rdap = RdapServer(lab.plan.domain, ("active",), datetime.now(UTC) + timedelta(days=10))
    await lab.run(lab.rdap)
