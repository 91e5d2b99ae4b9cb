"""Mail hosts: there is one, it has an address, it is no alias, and a second one is thought about (RFC 2181 section 10.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dns.rdtypes.ANY.MX import MX

from mailname.mail.mx import is_null_mx, second_mx_means
from mailname.plan import names
from mailname.plan.address import private_reason
from mailname.plan.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.errors import Position
    from mailname.plan.contents import Contents
    from mailname.plan.draft import Draft, Host
    from mailname.plan.fault import Path
    from mailname.plan.user_records import UserRecords


def check(draft: Draft, read: UserRecords, contents: Contents) -> Iterator[Fault]:
    """Judge the mail hosts."""
    mxs = [(entry, entry.rdata) for entry in read.entries if entry.owner == draft.domain and isinstance(entry.rdata, MX)]
    null = next((entry for entry, rdata in mxs if is_null_mx(rdata)), None)
    nothing_hidden = draft.mail_hosts_whole and read.whole and draft.domain not in read.unsure
    if not draft.mail_hosts and not mxs and nothing_hidden:
        yield Fault(
            (),
            "The plan has no mail host, so the domain has no MX: mail would go to the website's address.",
            "Add a [[mail_host]] table.",
            point="table",
        )
    if null and (draft.mail_hosts or len(mxs) > 1):
        yield Fault(
            null.data_where,
            "'MX 0 .' says that the domain takes no mail, but there is another MX.",
            "Keep one of the two (RFC 7505 section 3).",
        )
    written = [_Exchange(mx.preference, mx.exchange, entry.data_where) for entry, mx in mxs if not is_null_mx(mx)]
    yield from _second(draft, written)
    for host in draft.mail_hosts:
        yield from _addresses(host)
        if host.name and not host.addresses and host.whole and not contents.is_alias(host.name.value):
            yield from _no_address(draft, host, contents)


@dataclass(frozen=True, slots=True)
class _Exchange:
    preference: int
    name: Name
    where: Path | Position


def _second(draft: Draft, written: list[_Exchange]) -> Iterator[Fault]:
    """Warn of a second MX, once: at the one that comes after the one tried first."""
    seen: set[Name] = set()
    hosts: list[_Exchange] = []
    for host in draft.mail_hosts:
        if host.name is None:
            continue
        if host.name.value in seen:
            yield Fault(host.name.path, f"The mail host {names.say(host.name.value)} is there twice.", "Keep one of them.")
            continue
        seen.add(host.name.value)
        hosts.append(_Exchange(host.preference.value if host.preference else 10, host.name.value, host.name.path))
    hosts += [one for one in written if one.name not in seen]
    if len(hosts) < 2 or not all(host.preference_whole for host in draft.mail_hosts):
        return  # which of them is tried first cannot be told as long as a preference cannot be read
    first = min(hosts, key=lambda one: one.preference)
    second = next(one for one in hosts if one is not first)
    means = second_mx_means(names.say(first.name), names.say(second.name), same_preference=first.preference == second.preference)
    yield Fault(second.where, means, "If in doubt, keep one: senders retry for days.", "warning")


def _addresses(host: Host) -> Iterator[Fault]:
    seen = set()
    for address in host.addresses:
        if address.value in seen:
            yield Fault(address.path, f"{address.value} is there twice.", "Keep one of them.", "warning")
        seen.add(address.value)
        if reason := private_reason(address.value):
            yield Fault(
                address.path,
                f"{address.value} is {reason}: nobody can deliver mail there.",
                "Write the mail host's public address.",
                "warning",
            )


def _no_address(draft: Draft, host: Host, contents: Contents) -> Iterator[Fault]:
    assert host.name
    name = host.name.value
    if contents.has_address(name):
        return
    near = contents.nearest(name)
    if near in {names.say(other.name.value) for other in draft.mail_hosts if other.name}:
        near = None  # that one receives mail already
    remedy = f"Did you mean '{near}'?" if near else 'Give it addresses = ["..."], or a record with its address.'
    yield Fault(
        host.name.path,
        f"The mail host {names.say(name)} has no address in {names.say(draft.domain)}: no mail can arrive.",
        remedy,
    )
