"""What of a plan could be read, each value with its path: the rules of meaning judge this, so that they need no whole plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from mailname.plan import names
from mailname.plan.address import IPAddress, IPNetwork, read_address
from mailname.plan.duration import read_seconds
from mailname.plan.model import Soa
from mailname.plan.prefixes import read_prefix
from mailname.plan.table import keys_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.name import Name

    from mailname.plan.fault import Path
    from mailname.plan.validation import Validation

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class At(Generic[T]):
    """A value and the path at which it stands."""

    value: T
    path: Path


@dataclass(frozen=True, slots=True)
class Host:
    """A name server or a mail host, as far as it could be read.

    ``whole`` says that no address is missing from it; ``preference_whole`` that a preference that is None was not written.
    """

    path: Path
    name: At[Name] | None
    addresses: tuple[At[IPAddress], ...]
    whole: bool
    role: At[str] | None
    preference: At[int] | None
    preference_whole: bool


@dataclass(frozen=True, slots=True)
class RecordTable:
    """One ``[[record]]``; ``data`` is what could be read of it."""

    path: Path
    name: At[Name] | None
    type: At[str] | None
    data: tuple[At[str], ...]
    ttl: int | None


@dataclass(frozen=True, slots=True)
class PointerTable:
    """One PTR of a reverse zone."""

    path: Path
    address: At[IPAddress] | None
    name: At[Name] | None


@dataclass(frozen=True, slots=True)
class ReverseTable:
    """One ``[[reverse_zone]]``."""

    path: Path
    prefix: At[IPNetwork] | None
    ptr: tuple[PointerTable, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """All that could be read. The ``..._whole`` marks say that nothing of that kind is missing because it was broken."""

    domain: Name
    domain_known: bool
    website: tuple[At[IPAddress], ...]
    website_whole: bool
    ttl: int
    timers: dict[str, At[int]]
    given_timers: frozenset[str]
    name_servers: tuple[Host, ...]
    name_servers_whole: bool
    mail_hosts: tuple[Host, ...]
    mail_hosts_whole: bool
    records: tuple[RecordTable, ...]
    records_whole: bool
    zone_text: At[str] | None
    zone_text_whole: bool
    reverse_zones: tuple[ReverseTable, ...]


def draft_of(found: Validation) -> Draft:
    """Read all leaves that are not broken."""
    leaves = _Leaves(found)
    timers = {}
    given = set()
    for timer, key in keys_of(Soa).items():
        path: Path = ("soa", timer)
        if found.is_broken(path):
            continue
        here = leaves.read(path, read_seconds)
        if here:
            given.add(timer)
        timers[timer] = here or At(cast("int", key.default), path)
    ttl = leaves.read(("ttl",), read_seconds)
    zone_text = leaves.read(("zone_text",), str)
    return Draft(
        domain=found.domain,
        domain_known="domain" in found.data and not found.is_broken(("domain",)),
        website=leaves.addresses(("website",)),
        website_whole=leaves.is_whole(("website",)),
        ttl=ttl.value if ttl else 3600,
        timers=timers,
        given_timers=frozenset(given),
        name_servers=tuple(leaves.host(path) for path in leaves.rows(("name_server",))),
        name_servers_whole=leaves.is_whole(("name_server",), deep=False),
        mail_hosts=tuple(leaves.host(path) for path in leaves.rows(("mail_host",))),
        mail_hosts_whole=leaves.is_whole(("mail_host",), deep=False),
        records=tuple(leaves.record(path) for path in leaves.rows(("record",))),
        records_whole=leaves.is_whole(("record",), deep=False),
        zone_text=zone_text,
        zone_text_whole=leaves.is_whole(("zone_text",)),
        reverse_zones=tuple(leaves.reverse_zone(path) for path in leaves.rows(("reverse_zone",))),
    )


class _Leaves:
    def __init__(self, found: Validation) -> None:
        self.found = found

    def read(self, path: Path, reader: Callable[[Any], T]) -> At[T] | None:
        value = self.found.at(path)
        if value is None or self.found.is_broken(path):
            return None
        return At(reader(value), path)  # cannot fail: validation has read it before, and what it could not read is broken

    def is_whole(self, path: Path, *, deep: bool = True) -> bool:
        broken = self.found.broken
        below = len(path) + 8 if deep else len(path) + 1
        return (
            not self.found.lost
            and not self.found.is_broken(path)
            and not any(b[: len(path)] == path and len(b) <= below for b in broken)
        )

    def rows(self, path: Path) -> list[Path]:
        rows = self.found.at(path)
        if not isinstance(rows, list):
            return []
        return [(*path, n) for n, row in enumerate(rows) if isinstance(row, dict)]

    def addresses(self, path: Path) -> tuple[At[IPAddress], ...]:
        values = self.found.at(path)
        if not isinstance(values, list):
            return ()
        read = (self.read((*path, number), read_address) for number in range(len(values)))
        return tuple(one for one in read if one)

    def name(self, path: Path) -> At[Name] | None:
        return self.read(path, lambda text: names.read_host(text, self.found.domain))

    def host(self, path: Path) -> Host:
        return Host(
            path,
            self.name((*path, "name")),
            self.addresses((*path, "addresses")),
            self.is_whole((*path, "addresses")),
            self.read((*path, "role"), str),
            self.read((*path, "preference"), int),
            self.is_whole((*path, "preference")),
        )

    def record(self, path: Path) -> RecordTable:
        data = self.found.at((*path, "data"))
        paths = [(*path, "data", n) for n in range(len(data))] if isinstance(data, list) else [(*path, "data")]
        texts = (self.read(one, str) for one in paths)
        ttl = self.read((*path, "ttl"), read_seconds)
        return RecordTable(
            path,
            self.read((*path, "name"), lambda text: names.read_owner(text, self.found.domain)),
            self.read((*path, "type"), str),
            tuple(text for text in texts if text),
            ttl.value if ttl else None,
        )

    def reverse_zone(self, path: Path) -> ReverseTable:
        pointers = (
            PointerTable(row, self.read((*row, "address"), read_address), self.name((*row, "name")))
            for row in self.rows((*path, "ptr"))
        )
        return ReverseTable(path, self.read((*path, "prefix"), read_prefix), tuple(pointers))
