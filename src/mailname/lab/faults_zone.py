"""Faults in the zone, and at the mail host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
from dns.name import Name
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.NS import NS

from mailname.lab.breaking import first_mail_host, planned_zone, publish, rewritten, with_mx_to
from mailname.lab.fault import fault
from mailname.lab.zone_edit import replaced, with_timers, without

if TYPE_CHECKING:
    from mailname.lab.lab import Lab


@fault("MX-01", "The zone was published without an MX record.", "mail host")
async def mx_missing(lab: Lab) -> None:
    """Publish the zone without its MX."""
    await publish(lab, without(planned_zone(lab), lab.plan.domain, RdataType.MX))


@fault("MX-02", "The MX names a host that has no address.", "mail host")
async def mx_no_address(lab: Lab) -> None:
    """Take the preferred mail host's addresses away; where others need them, let the MX name a host that has none."""
    host = first_mail_host(lab)
    zone = planned_zone(lab)
    is_name_server = any(server.name == host.name for server in lab.plan.name_servers)
    if host.name.is_subdomain(lab.plan.domain) and host.name != lab.plan.domain and not is_name_server:
        for rdtype in (RdataType.A, RdataType.AAAA, RdataType.CNAME):
            zone = without(zone, host.name, rdtype)
        await publish(lab, zone)
        return
    nowhere = Name((b"nowhere", *lab.plan.domain.labels))
    await publish(lab, with_mx_to(lab, zone, host, nowhere))


@fault("MAIL-01", "The mail server program has stopped: nobody listens on port 25.", "mail host")
async def mail_host_down(lab: Lab) -> None:
    """Stop what listens at the preferred mail host's addresses."""
    host = first_mail_host(lab)
    for address in lab.mail_addresses(host):
        await lab.mail_hosts[address].stop()
        for at in lab.mail_hosts[address].at:
            lab.network.reserve(at)


@fault("ZONE-01", "In the zone file the MX's target lost its trailing dot: the domain was appended to it again.", "mail host")
async def trailing_dot(lab: Lab) -> None:
    """Publish the zone with an MX to HOST.DOMAIN.DOMAIN."""
    host = first_mail_host(lab)
    doubled = host.name.relativize(dns.name.root).derelativize(lab.plan.domain)
    await publish(lab, with_mx_to(lab, planned_zone(lab), host, doubled))


@fault("MX-01", "The zone was published with a null MX: the domain refuses all mail.", "mail host")
async def mx_null(lab: Lab) -> None:
    """Put a null MX in the place of the MX."""
    await publish(lab, rewritten(lab, "@ MX 0 .\n", (lab.plan.domain, RdataType.MX)))


@fault("MX-05", "A null MX stands beside the real one.", "mail host")
async def mx_null_beside(lab: Lab) -> None:
    """Add a null MX."""
    await publish(lab, rewritten(lab, "@ MX 0 .\n"))


@fault("MX-03", "The MX names an alias.", "mail host")
async def mx_alias(lab: Lab) -> None:
    """Let the MX name a CNAME that leads to the mail host."""
    host = first_mail_host(lab)
    alias = Name((b"alias", *lab.plan.domain.labels))
    await publish(lab, with_mx_to(lab, rewritten(lab, f"alias CNAME {host.name}\n"), host, alias))


@fault("MX-04", "The MX names an address where a host name belongs.", "mail host")
async def mx_address(lab: Lab) -> None:
    """Let the MX name 192.0.2.25, below the domain, as a zone file makes of it."""
    host = first_mail_host(lab)
    literal = dns.name.from_text("192.0.2.25", lab.plan.domain)
    await publish(lab, with_mx_to(lab, planned_zone(lab), host, literal))


@fault("ZONE-01", "The owner of the mail host's address was written without its trailing dot.", "own mail host")
async def trailing_dot_at_owner(lab: Lab) -> None:
    """Move the mail host's addresses to HOST.DOMAIN.DOMAIN; where a name server needs them, break the MX instead."""
    host = first_mail_host(lab)
    if not host.name.is_subdomain(lab.plan.domain) or any(server.name == host.name for server in lab.plan.name_servers):
        await trailing_dot(lab)
        return
    doubled = host.name.relativize(dns.name.root).derelativize(lab.plan.domain)
    lines = "".join(f"{doubled} {'A' if a.version == 4 else 'AAAA'} {a}\n" for a in lab.mail_addresses(host))
    kinds = (RdataType.A, RdataType.AAAA, RdataType.CNAME)
    await publish(lab, rewritten(lab, lines, *((host.name, kind) for kind in kinds)))


@fault("SOA-01", "The SOA lets the secondaries give up after an hour without the primary.")
async def soa_expires_early(lab: Lab) -> None:
    """Publish a short expire."""
    await publish(lab, with_timers(planned_zone(lab), expire=3600))


@fault("ZONE-02", "Somebody edited the zone by hand: a record that the plan does not have.")
async def edited_by_hand(lab: Lab) -> None:
    """Publish another text than the plan's."""
    await publish(lab, rewritten(lab, '@ TXT "who wrote this?"\n'))


@fault("POL-01", "Two SPF records: with more than one none counts.")
async def spf_twice(lab: Lab) -> None:
    """Publish two."""
    await publish(lab, rewritten(lab, '@ TXT "v=spf1 mx -all"\n@ TXT "v=spf1 a -all"\n', (lab.plan.domain, RdataType.TXT)))


@fault("POL-01", "The SPF record has a term that nobody knows.")
async def spf_misspelt(lab: Lab) -> None:
    """Publish a term that is none."""
    await publish(lab, rewritten(lab, '@ TXT "v=spf1 mxx -all"\n', (lab.plan.domain, RdataType.TXT)))


@fault("POL-02", "The DMARC record has no policy.")
async def dmarc_without_policy(lab: Lab) -> None:
    """Publish one without p=."""
    owner = dns.name.from_text("_dmarc", lab.plan.domain)
    await publish(lab, rewritten(lab, '_dmarc TXT "v=DMARC1"\n', (owner, RdataType.TXT)))


@fault("POL-04", "The MTA-STS record has no id.")
async def mta_sts_without_id(lab: Lab) -> None:
    """Publish one without id=."""
    owner = dns.name.from_text("_mta-sts", lab.plan.domain)
    await publish(lab, rewritten(lab, '_mta-sts TXT "v=STSv1"\n', (owner, RdataType.TXT)))


@fault("POL-05", "TLS reports are sent to an address that is none.")
async def tls_reports_nowhere(lab: Lab) -> None:
    """Publish one without a scheme."""
    owner = dns.name.from_text("_smtp._tls", lab.plan.domain)
    await publish(lab, rewritten(lab, '_smtp._tls TXT "v=TLSRPTv1; rua=tls"\n', (owner, RdataType.TXT)))


@fault("DELEG-08", "A name server's name is an alias in the zone.", "glue")
async def name_server_alias(lab: Lab) -> None:
    """Put a CNAME in the place of the first name server's addresses."""
    server = next(one for one in lab.plan.name_servers if one.name.is_subdomain(lab.plan.domain))
    lines = f"{server.name} CNAME machine\n"
    lines += "".join(f"machine {'A' if a.version == 4 else 'AAAA'} {a}\n" for a in server.addresses)
    kinds = (RdataType.A, RdataType.AAAA)
    await publish(lab, rewritten(lab, lines, *((server.name, kind) for kind in kinds)))


@fault("ZONE-02", "The mail host's address in the zone is an old one.", "own mail host")
async def mail_address_old(lab: Lab) -> None:
    """Publish another address of the mail host; where a name server needs it, another one of the website."""
    host = first_mail_host(lab)
    owner = host.name
    if not owner.is_subdomain(lab.plan.domain) or any(server.name == owner for server in lab.plan.name_servers):
        owner = lab.plan.domain
    kinds = (RdataType.A, RdataType.AAAA)
    await publish(lab, rewritten(lab, f"{owner} A {lab.addresses.nobody}\n", *((owner, kind) for kind in kinds)))


@fault("ZONE-01", "In the zone file the target of an NS record lost its trailing dot.", "glue")
async def trailing_dot_in_ns(lab: Lab) -> None:
    """Publish an NS record to SERVER.DOMAIN.DOMAIN in place of the last one."""
    apex = lab.plan.domain
    *kept, lost = lab.plan.name_servers
    doubled = lost.name.relativize(dns.name.root).derelativize(apex)
    names = [server.name for server in kept] + [doubled]
    await publish(lab, replaced(planned_zone(lab), apex, [NS(RdataClass.IN, RdataType.NS, name) for name in names]))


@fault("SOA-01", "The SOA's retry is longer than its refresh.")
async def soa_retries_late(lab: Lab) -> None:
    """Publish a retry of a day."""
    await publish(lab, with_timers(planned_zone(lab), refresh=7200, retry=86400))


@fault("SOA-01", "The SOA lets resolvers remember for a week that a name is not there.")
async def soa_denies_long(lab: Lab) -> None:
    """Publish a minimum of a week."""
    await publish(lab, with_timers(planned_zone(lab), minimum=604800))


@fault("POL-02", "There are two DMARC records.")
async def dmarc_twice(lab: Lab) -> None:
    """Publish two."""
    owner = dns.name.from_text("_dmarc", lab.plan.domain)
    lines = '_dmarc TXT "v=DMARC1; p=none"\n_dmarc TXT "v=DMARC1; p=reject"\n'
    await publish(lab, rewritten(lab, lines, (owner, RdataType.TXT)))


@fault("POL-01", "The SPF record includes that of a provider who is gone.")
async def spf_includes_nobody(lab: Lab) -> None:
    """Include a domain that does not exist."""
    await publish(lab, rewritten(lab, '@ TXT "v=spf1 mx include:spf.invalid -all"\n', (lab.plan.domain, RdataType.TXT)))


@fault("POL-01", "The SPF record lets everybody send in the domain's name.")
async def spf_for_everybody(lab: Lab) -> None:
    """Publish +all."""
    await publish(lab, rewritten(lab, '@ TXT "v=spf1 +all"\n', (lab.plan.domain, RdataType.TXT)))
