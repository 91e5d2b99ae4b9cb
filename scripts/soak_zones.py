"""The zones of the soak: every version tells by each answer which one it is, so that an old or a mixed one shows."""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rcode
from dns.rdatatype import RdataType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TIMERS = "5 1 86400 60"  # refresh, retry, expire, minimum


@dataclass(slots=True)
class Window:
    """What one server may answer for one zone: at least the highest version that it is known to hold.

    Attributes:
        floor: the highest version that it has answered, or, of a primary, that was confirmed.

    """

    floor: int = 0

    def raise_to(self, version: int) -> None:
        """Remember a version that was seen or promised."""
        self.floor = max(self.floor, version)


class WrongAnswerError(Exception):
    """An answer that no version that may be served explains."""


@dataclass(slots=True)
class Versions:
    """All versions of one zone. A version is its serial; ``newest`` is the last one that was begun to be published.

    In each version some names get other data and the others keep theirs, so that a difference is smaller than the zone.
    """

    zone: str
    names: int
    seed: int
    newest: int = 0
    _changed: list[list[int]] = field(default_factory=list)  # by name: the versions in which it got other data

    def __post_init__(self) -> None:
        self._changed = [[1] for _ in range(self.names)]

    def next(self) -> int:
        """Begin another version."""
        self.newest += 1
        chance = random.Random(f"{self.seed} {self.zone} {self.newest}")
        count = self.names // 5 if chance.random() < 0.1 else 3
        for name in chance.sample(range(self.names), count):
            if self._changed[name][-1] < self.newest:
                self._changed[name].append(self.newest)
        return self.newest

    def _since(self, name: int, version: int) -> int:
        """Return in which version a name got the data that it has in this one."""
        changed = self._changed[name]
        return changed[bisect_right(changed, version) - 1]

    def records(self, version: int) -> set[tuple[str, str, str]]:
        """Return all records of a version as (owner, type, data), relative to the zone."""
        host = f"m{version}"
        found = {
            ("@", "SOA", f"ns1 hostmaster {version} {TIMERS}"),
            ("@", "NS", "ns1"),
            ("@", "NS", "ns2"),
            ("@", "MX", f"10 {host}"),
            ("ns1", "A", "192.0.2.1"),
            ("ns2", "A", "192.0.2.2"),
            (host, "A", address(version)),
            *(("now", "TXT", f'"{version} {part}"') for part in range(3)),
        }
        for name in range(self.names):
            since = self._since(name, version)
            found |= {(f"n{name}", "TXT", f'"{since}"'), (f"n{name}", "A", address(since))}
        return found

    def text(self, version: int) -> str:
        """Return a version as zone-file text."""
        lines = sorted(f"{owner} {kind} {data}" for owner, kind, data in self.records(version) if kind != "SOA")
        return f"$TTL 300\n@ SOA ns1 hostmaster {version} {TIMERS}\n" + "\n".join(lines) + "\n"

    def question(self, chance: random.Random, window: Window) -> tuple[dns.message.Message, Callable[[dns.message.Message], int]]:
        """Return a question, and what judges its answer: it returns the version, or at least one that is not newer than it.

        The judge raises WrongAnswerError for what no version between ``window.floor`` at the time of asking and the newest says.
        """
        floor = window.floor
        name = chance.randrange(self.names)
        old = chance.randint(max(floor - 1, 1), max(self.newest, 1))
        owner, kind, judge = chance.choice(
            [
                ("@", "SOA", lambda answer: self._one(answer.answer, floor, RdataType.SOA)),
                ("now", "TXT", lambda answer: self.now(answer, floor)),
                ("@", "MX", lambda answer: self._mail(answer, floor)),
                (f"n{name}", "TXT", lambda answer: self._name(answer, name, floor)),
                (f"m{old}", "A", lambda answer: self._host(answer, old, floor)),
            ]
        )
        at = self.zone if owner == "@" else f"{owner}.{self.zone}"
        query = dns.message.make_query(at, kind, use_edns=0 if chance.random() < 0.5 else False)
        query.flags &= ~dns.flags.RD
        return query, judge

    def _within(self, version: int, floor: int) -> int:
        if not floor <= version <= self.newest:
            raise WrongAnswerError(f"{self.zone}: version {version}, where {floor} to {self.newest} may be")
        return version

    def _one(self, section: Iterable[dns.rrset.RRset], floor: int, kind: RdataType) -> int:
        found = [rrset for rrset in section if rrset.rdtype == kind]
        if len(found) != 1:
            raise WrongAnswerError(f"{self.zone}: no {kind.name}")
        return self._within(int(found[0][0].serial), floor)

    def now(self, answer: dns.message.Message, floor: int) -> int:
        """Judge an answer to now TXT."""
        texts = sorted(b"".join(one.strings).decode() for rrset in answer.answer for one in rrset)
        version = int(texts[0].split()[0]) if texts else -1
        if texts != [f"{version} {part}" for part in range(3)]:
            raise WrongAnswerError(f"{self.zone}: now TXT is {texts}")
        return self._within(version, floor)

    def _mail(self, answer: dns.message.Message, floor: int) -> int:
        hosts = [str(one.exchange) for rrset in answer.answer for one in rrset]
        if len(hosts) != 1:
            raise WrongAnswerError(f"{self.zone}: MX is {hosts}")
        version = int(hosts[0].split(".")[0][1:])
        beside = [(str(rrset.name), one.address) for rrset in answer.additional for one in rrset]
        if beside != [(hosts[0], address(version))]:
            raise WrongAnswerError(f"{self.zone}: MX {hosts[0]} with {beside}")
        return self._within(version, floor)

    def _name(self, answer: dns.message.Message, name: int, floor: int) -> int:
        texts = [b"".join(one.strings).decode() for rrset in answer.answer for one in rrset]
        if len(texts) != 1:
            raise WrongAnswerError(f"{self.zone}: n{name} TXT is {texts}")
        since, changed = int(texts[0]), self._changed[name]
        after = next((version for version in changed if version > since), self.newest + 1)
        if since not in changed or after <= floor:
            raise WrongAnswerError(
                f"{self.zone}: n{name} TXT is {since}, where {floor} to {self.newest} may be, changed in {changed[-5:]}"
            )
        return max(since, floor)

    def _host(self, answer: dns.message.Message, old: int, floor: int) -> int:
        if answer.rcode() == dns.rcode.NXDOMAIN:
            version = self._one(answer.authority, floor, RdataType.SOA)
            if version == old:
                raise WrongAnswerError(f"{self.zone}: m{old} does not exist in version {old}")
            return version
        addresses = [one.address for rrset in answer.answer for one in rrset]
        if addresses != [address(old)]:
            raise WrongAnswerError(f"{self.zone}: m{old} A is {addresses}")
        return self._within(old, floor)

    def judge_whole(self, transferred: set[tuple[str, str, str]], floor: int) -> int:
        """Return the version of a whole zone. Raises WrongAnswerError where it is none, or a mixture."""
        serials = [int(data.split()[2]) for _, kind, data in transferred if kind == "SOA"]
        if len(serials) != 1:
            raise WrongAnswerError(f"{self.zone}: transferred with {len(serials)} SOA records")
        version = self._within(serials[0], floor)
        if odd := transferred ^ self.records(version):
            raise WrongAnswerError(f"{self.zone}: transferred version {version} differs in {len(odd)} records: {sorted(odd)[:4]}")
        return version


def address(version: int) -> str:
    """Return an address that stands for a version."""
    return f"10.{version >> 16 & 255}.{version >> 8 & 255}.{version & 255}"


def plan_text(version: int, primary: str, secondary: str) -> str:
    """Return the plan of example.tech whose zone says which version it is."""
    return f"""domain = "example.tech"
contact = "hostmaster@example.tech"
[[name_server]]
name = "ns1.example.tech"
addresses = ["{secondary}"]
role = "secondary"
[[name_server]]
name = "ns2.example.tech"
addresses = ["{primary}"]
role = "primary"
[[mail_host]]
name = "mail.example.tech"
preference = 10
addresses = ["{primary}"]
[[record]]
name = "now.example.tech"
type = "TXT"
data = ["{version} 0", "{version} 1", "{version} 2"]
"""
