"""Faults at the mail host, and at whoever rents its address out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.observe_lists import LISTED, listed_name
from mailname.lab.breaking import first_mail_host, publish, rewritten
from mailname.lab.fault import dkim_selector, fault
from mailname.server.network import Endpoint

if TYPE_CHECKING:
    from mailname.lab.lab import Lab


PORT = 25


@fault("MAIL-01", "The provider drops everything to port 25.", "mail host")
async def port_25_blocked(lab: Lab) -> None:
    """Silence the preferred mail host's ports."""
    for address in lab.mail_addresses(first_mail_host(lab)):
        machine = lab.mail_hosts[address]
        lab.network.paths.silence(Endpoint(address, PORT), "tcp")
        await machine.stop()
        await machine.start()


@fault("MAIL-02", "The mail server takes the connection, and refuses everybody.", "mail host")
async def mail_host_refuses(lab: Lab) -> None:
    """Let it greet with 554."""
    for address in lab.mail_addresses(first_mail_host(lab)):
        lab.mail_hosts[address].greeting = "554 no mail here"


@fault("MAIL-02", "Something else than a mail server holds port 25: it takes the connection and says nothing.", "mail host")
async def mail_host_mute(lab: Lab) -> None:
    """Let it say nothing."""
    for address in lab.mail_addresses(first_mail_host(lab)):
        lab.mail_hosts[address].greeting = ""


@fault("MAIL-03", "Whoever rents out the mail host's address has never given it a name.", "mail host")
async def pointer_missing(lab: Lab) -> None:
    """Take the PTR records away."""
    for address in lab.mail_addresses(first_mail_host(lab)):
        lab.internet.point(address, None)
    lab.internet.publish()


@fault("MAIL-03", "The name of the mail host's address is still that of the machine's former tenant.", "mail host")
async def pointer_elsewhere(lab: Lab) -> None:
    """Let the PTR records lead to a host that is at another address."""
    for address in lab.mail_addresses(first_mail_host(lab)):
        lab.internet.point(address, lab.internet.tld_hosts[0][0])
    lab.internet.publish()


@fault("POL-03", "Half of the DKIM key was lost when it was pasted.", "DKIM selector")
async def dkim_key_cut(lab: Lab) -> None:
    """Publish the beginning of a key."""
    owner = dkim_selector(lab.plan)
    assert owner is not None, "the fault needs one"
    line = f'{owner} TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"\n'
    await publish(lab, rewritten(lab, line, (owner, RdataType.TXT)))


@fault("POL-08", "DMARC reports go to a service that has never heard of the domain.")
async def dmarc_reports_elsewhere(lab: Lab) -> None:
    """Publish a rua= in a domain that has no record that allows it."""
    owner = dns.name.from_text("_dmarc", lab.plan.domain)
    line = '_dmarc TXT "v=DMARC1; p=none; rua=mailto:dmarc@reports.invalid"\n'
    await publish(lab, rewritten(lab, line, (owner, RdataType.TXT)))


@fault("POL-09", "An MTA-STS policy is announced, and the host that should have it was never set up.")
async def mta_sts_without_host(lab: Lab) -> None:
    """Publish the TXT record, and take the host away."""
    owner, host = (dns.name.from_text(label, lab.plan.domain) for label in ("_mta-sts", "mta-sts"))
    gone = [(owner, RdataType.TXT), *((host, kind) for kind in (RdataType.A, RdataType.AAAA, RdataType.CNAME))]
    await publish(lab, rewritten(lab, '_mta-sts TXT "v=STSv1; id=1"\n', *gone))


@fault("MAIL-07", "The mail host's address came onto a block list, when it belonged to somebody else.", "mail host")
async def mail_host_listed(lab: Lab) -> None:
    """Let there be a block list that has the address, and let a check in this process ask it."""
    of = dns.name.from_text("blocklist.invalid.")
    listed = lab.mail_addresses(first_mail_host(lab))
    hosts = {listed_name(address, of): (LISTED[4],) for address in (*listed, *LISTED.values())}
    lab.internet.provide(of, hosts)
    lab.internet.publish()
    lab.dnsbl = (of,)
