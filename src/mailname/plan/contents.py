"""What the zone will hold, as far as it is known: which names have addresses, which are aliases, which are unknown."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dns.name import Name
from dns.rdatatype import RdataType

from mailname.plan import names

if TYPE_CHECKING:
    from mailname.plan.draft import Draft, Host
    from mailname.plan.user_records import Entry, UserRecords

ADDRESS_TYPES = frozenset({RdataType.A, RdataType.AAAA})
_WILDCARD = Name((b"*",))


@dataclass(slots=True)
class Contents:
    """Names and types of the zone. ``whole`` is False when some owner could not be read: then absence proves nothing."""

    domain: Name
    whole: bool
    types: dict[Name, set[RdataType]] = field(default_factory=dict)
    unsure: set[Name] = field(default_factory=set)

    @classmethod
    def of(cls, draft: Draft, read: UserRecords) -> Contents:
        """Collect the owners of what the plan makes and what its owner adds."""
        hosts = (*draft.name_servers, *draft.mail_hosts)
        named = all(host.name for host in hosts) and draft.name_servers_whole and draft.mail_hosts_whole
        contents = cls(draft.domain, read.whole and named and draft.domain_known, unsure=set(read.unsure))
        for address in draft.website:
            contents.add(draft.domain, _type(address.value.version))
        if not draft.website_whole:
            contents.unsure.add(draft.domain)
        for host in hosts:
            if host.name:
                for one in host.addresses:
                    contents.add(host.name.value, _type(one.value.version))
                if not host.whole:
                    contents.unsure.add(host.name.value)
        for entry in read.entries:
            contents.add(entry.owner, entry.rdata.rdtype)
        return contents

    def add(self, owner: Name, rdtype: RdataType) -> None:
        """Note one record."""
        self.types.setdefault(owner, set()).add(rdtype)

    def is_alias(self, name: Name) -> bool:
        """Tell whether a name is a CNAME."""
        return RdataType.CNAME in self.types.get(name, ())

    def has_address(self, name: Name) -> bool:
        """Tell whether a name has an address, or may have one for all we know."""
        if not name.is_subdomain(self.domain) or not self.whole or name in self.unsure:
            return True
        if name in self.types:
            return bool(ADDRESS_TYPES & self.types[name])
        return self._from_above(name)

    def exists(self, name: Name) -> bool:
        """Tell whether there is anything at or below a name, or may be for all we know."""
        if not name.is_subdomain(self.domain) or not self.whole or name in self.unsure:
            return True
        return any(owner.is_subdomain(name) for owner in self.types) or self._from_above(name)

    def _from_above(self, name: Name) -> bool:
        """Tell whether a wildcard, a DNAME or a delegation above the name answers for it."""
        above = name
        while above != self.domain:
            above = above.parent()
            types = self.types.get(above, set())
            if RdataType.DNAME in types or (RdataType.NS in types and above != self.domain):
                return True
            if _WILDCARD.concatenate(above) in self.types:
                return True
        return False

    def nearest(self, name: Name) -> str | None:
        """Return the name with an address whose spelling is nearest, for a did-you-mean."""
        known = {
            names.say(owner.relativize(self.domain)): names.say(owner)
            for owner, types in self.types.items()
            if ADDRESS_TYPES & types and owner not in {name, self.domain}
        }
        near = difflib.get_close_matches(names.say(name.relativize(self.domain)), known, n=1, cutoff=0.7)
        return known[near[0]] if near else None


def _type(version: int) -> RdataType:
    return RdataType.A if version == 4 else RdataType.AAAA


def in_domain_hosts(draft: Draft) -> list[Host]:
    """Return the name servers and mail hosts with a name in the domain: those whose addresses the zone publishes."""
    hosts = (*draft.name_servers, *draft.mail_hosts)
    return [host for host in hosts if host.name and host.name.value.is_subdomain(draft.domain)]


def alias_entry(entries: list[Entry], name: Name) -> Entry | None:
    """Return the CNAME record at a name."""
    return next((entry for entry in entries if entry.owner == name and entry.rdata.rdtype == RdataType.CNAME), None)
