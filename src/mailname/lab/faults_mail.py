"""Faults at the mail host, and at whoever rents its address out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.lab.breaking import first_mail_host
from mailname.lab.fault import fault
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
