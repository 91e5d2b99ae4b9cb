"""Host names that are nearly in the domain: almost always a slip of the finger, legal though it is."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from mailname.plan import names
from mailname.plan.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.plan.draft import Draft


def check(draft: Draft) -> Iterator[Fault]:
    """Warn of hosts whose domain is spelled nearly as the plan's; when all of them are, it is the domain that is wrong."""
    if not draft.domain_known:
        return
    hosts = [host.name for host in (*draft.name_servers, *draft.mail_hosts) if host.name]
    near = [host for host in hosts if _alike(host.value, draft.domain)]
    parents = {_suffix(host.value, draft.domain) for host in near}
    if near and len(near) == len(hosts) and len(parents) == 1 and len(near) > 1:
        other = names.say(parents.pop())
        yield Fault(
            ("domain",), f"All hosts are in {other}, none in {names.say(draft.domain)}.", f'Did you mean "{other}"?', "warning"
        )
        return
    for host in near:
        meant = names.say(host.value.relativize(_suffix(host.value, draft.domain)))
        yield Fault(
            host.path,
            f"{names.say(host.value)} is outside {names.say(draft.domain)}, by one slip.",
            f'Did you mean "{meant}.{names.say(draft.domain)}"?',
            "warning",
        )


def _suffix(name: Name, domain: Name) -> Name:
    return name.split(len(domain.labels))[1]


def _alike(name: Name, domain: Name) -> bool:
    if len(name.labels) <= len(domain.labels):
        return False
    ours, theirs = names.say(domain).lower(), names.say(_suffix(name, domain)).lower()
    if ours == theirs or ours.rpartition(".")[2] != theirs.rpartition(".")[2]:
        return False
    if "".join(c for c in ours if not c.isdigit()) == "".join(c for c in theirs if not c.isdigit()):
        return False  # example1.net and example2.net are two names on purpose
    return difflib.SequenceMatcher(None, ours, theirs).ratio() >= 0.88
