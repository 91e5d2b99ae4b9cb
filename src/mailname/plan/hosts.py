"""The machines of a plan: a name server and a mail host with an address in common are one host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.plan.address import IPAddress
    from mailname.plan.model import NameServer, Plan

#: Mail comes to port 25; its users hand it in at 465 and 587 (RFC 8314).
SSH = (22, "tcp")
DNS = ((53, "udp"), (53, "tcp"))
DNS_OVER_TLS = (853, "tcp")


@dataclass(frozen=True, slots=True)
class Host:
    """One machine and what the plan wants of it.

    Attributes:
        name: the full name that it has for itself: a mail host's, which it greets with, before a name server's.
        ssh: what ``ssh`` is given, with the user in front where the plan has one.
        addresses: its public addresses, in the plan's order.
        name_server: what it is for the zone, if anything.
        takes_mail: whether the plan's MX names it.
        open_ports: what strangers may reach, as (port, protocol), in order.

    """

    name: Name
    ssh: str
    addresses: tuple[IPAddress, ...]
    name_server: NameServer | None
    takes_mail: bool
    open_ports: tuple[tuple[int, str], ...]


def hosts(plan: Plan) -> tuple[Host, ...]:
    """Return the plan's machines: its name servers in order, then mail hosts elsewhere that the plan has addresses or SSH for."""
    found = []
    mail_left = [one for one in plan.mail_hosts if one.addresses or one.ssh]
    for server in plan.name_servers:
        mail = [
            one
            for one in plan.mail_hosts
            if one.name == server.name or set(one.addresses) & set(server.addresses) or (one.ssh and one.ssh == server.ssh)
        ]
        mail_left = [one for one in mail_left if one not in mail]
        addresses = tuple(dict.fromkeys((*server.addresses, *(address for one in mail for address in one.addresses))))
        ssh = server.ssh or next((one.ssh for one in mail if one.ssh), None) or str(addresses[0])
        name = mail[0].name if mail else server.name
        found.append(Host(name, ssh, addresses, server, bool(mail), _open(plan, server, takes_mail=bool(mail))))
    for one in mail_left:
        ssh = one.ssh or str(one.addresses[0])
        found.append(Host(one.name, ssh, one.addresses, None, takes_mail=True, open_ports=_open(plan, None, takes_mail=True)))
    return tuple(found)


def _open(plan: Plan, server: NameServer | None, *, takes_mail: bool) -> tuple[tuple[int, str], ...]:
    ports = {SSH, *plan.hosts.open_ports}
    if server is not None:
        ports |= set(DNS)
        if server.role == "primary" and server.tls_pin is not None:
            ports.add(DNS_OVER_TLS)
    if takes_mail:
        ports |= {(port, "tcp") for port in plan.hosts.mail_ports}
    return tuple(sorted(ports))
