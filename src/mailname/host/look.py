"""Look at a host: over SSH from the inside, from here as a stranger, and in the reverse DNS. Changes nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import dns.asyncquery
import dns.exception
import dns.message
import dns.rdatatype
import dns.reversename

from mailname.host.facts import Facts, read_told
from mailname.host.outside import OFTEN_OPEN, try_ports
from mailname.host.script import script

if TYPE_CHECKING:
    from mailname.host.ssh import Login, Ssh
    from mailname.plan.hosts import Host
    from mailname.plan.model import Hosts
    from mailname.server.network import Endpoint

_PATIENCE = 5.0  # seconds for one question to the resolver


async def look(
    host: Host,
    wanted: Hosts,
    ssh: Ssh,
    login: Login,
    *,
    resolver: Endpoint | None = None,
    trial: bool = True,
    files: tuple[str, ...] = (),
) -> Facts:
    """Return all facts of one host.

    Args:
        host: which.
        wanted: what the plan says of all hosts.
        ssh: how SSH is called.
        login: the way in, as ``log_in`` found it.
        resolver: who is asked for PTR records; None asks nobody.
        trial: whether fail2ban bans an address for a moment.
        files: files of the host whose text is wanted as well.

    Raises:
        HostError: SSH fails, or what came back is not whole.

    """
    ports = dict.fromkeys((*host.open_ports, *((port, "tcp") for port in OFTEN_OPEN)))
    told, tried, offered, names = await asyncio.gather(
        ssh.as_root(login, script(wanted.administrator, trial=trial, files=files)),
        try_ports(host.addresses, ports),
        ssh.offered_logins(login.target),
        _names(host, resolver),
    )
    return Facts(read_told(told.output.decode("utf-8", "replace")), tried, offered, *names)


Names = dict[str, tuple[str, ...] | None]


async def _names(host: Host, resolver: Endpoint | None) -> tuple[Names, Names]:
    """Return the names of each address, and the addresses of each name that was found."""
    if resolver is None:
        return {}, {}
    leads = await asyncio.gather(
        *(_ask(resolver, dns.reversename.from_address(str(one)).to_text(), "PTR") for one in host.addresses)
    )
    names: Names = {str(address): found for address, found in zip(host.addresses, leads, strict=True)}
    forward: Names = {}
    for name in dict.fromkeys(name for found in leads for name in found or ()):
        found = [await _ask(resolver, name, kind) for kind in ("A", "AAAA")]
        forward[name] = None if None in found else tuple(one for some in found for one in some or ())
    return names, forward


async def _ask(resolver: Endpoint, name: str, rdtype: str) -> tuple[str, ...] | None:
    """Return what a resolver finds, empty where there is nothing; None where it does not tell."""
    question = dns.message.make_query(name, rdtype)
    try:
        answer, _ = await dns.asyncquery.udp_with_fallback(question, str(resolver.address), _PATIENCE, resolver.port)
    except (dns.exception.DNSException, OSError):
        return None
    if answer.rcode() not in (0, 3):
        return None
    wanted = dns.rdatatype.from_text(rdtype)
    return tuple(rdata.to_text() for rrset in answer.answer if rrset.rdtype == wanted for rdata in rrset)
