"""MX and NS name hosts, never aliases (RFC 2181 section 10.3); an alias stands alone (RFC 1034 section 3.6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dns.rdatatype import RdataType
from dns.rdtypes.ANY.CNAME import CNAME

from mailname.plan import names
from mailname.plan.contents import alias_entry, in_domain_hosts
from mailname.plan.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dns.name import Name

    from mailname.errors import Position
    from mailname.plan.contents import Contents
    from mailname.plan.draft import Draft, Host
    from mailname.plan.fault import Path
    from mailname.plan.user_records import UserRecords


def check(draft: Draft, read: UserRecords, contents: Contents, line_of: Callable[[Path | Position], int]) -> Iterator[Fault]:
    """Judge each CNAME: the hosts that it makes an alias of, or the records that it stands beside."""
    hosts: dict[Name, Host] = {}
    for host in in_domain_hosts(draft):
        assert host.name
        hosts.setdefault(host.name.value, host)
    for name, host in hosts.items():
        alias = alias_entry(read.entries, name)
        if alias and host.name and isinstance(alias.rdata, CNAME):
            kind, record = ("name server", "an NS") if host.path[0] == "name_server" else ("mail host", "an MX")
            line, target = line_of(alias.where), names.say(alias.rdata.target)
            yield Fault(
                host.name.path,
                f"The {kind} {names.say(name)} is an alias (the CNAME on line {line}), and {record} may not name one.",
                f"Take the CNAME away, or name the host that it points to (RFC 2181 section 10.3): {target}.",
            )
    seen: dict[Name, int] = {}
    for entry in read.entries:
        if entry.rdata.rdtype != RdataType.CNAME or entry.owner in hosts:
            continue
        owner = names.say(entry.owner)
        beside = sorted(t.name for t in contents.types[entry.owner] if t not in {RdataType.CNAME, RdataType.KEY})
        if entry.owner == draft.domain:
            yield Fault(
                entry.where,
                f"{owner} is the domain itself and cannot be an alias: SOA and NS stand there.",
                'Write the address: website = ["..."].',
            )
        elif entry.owner in seen:
            yield Fault(
                entry.where, f"{owner} has a second CNAME; the first is on line {seen[entry.owner]}.", "Keep one of them."
            )
        elif beside:
            yield Fault(
                entry.where,
                f"{owner} is an alias and has other records ({', '.join(beside)}).",
                "An alias stands alone: take the CNAME or the others away.",
            )
        seen.setdefault(entry.owner, line_of(entry.where))
