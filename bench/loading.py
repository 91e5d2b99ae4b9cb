"""How long servers take from their start until they answer, and what memory they hold then: one large zone, many small ones."""

from __future__ import annotations

import shutil
import statistics
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.machine import cpu_seconds, resident_megabytes, status_megabytes
from bench.servers import OURS, server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.real_servers import RealServer

APEX = "bench.example."
AGAIN = "mailname, from its images"
PEAK, RESIDENT, SECONDS = "peak MB", "MB", "seconds"


@dataclass(slots=True)
class Starts:
    """What was measured of one server, a value for each start."""

    name: str
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)

    def of(self, what: str) -> list[float]:
        """Return the values of one kind."""
        return {SECONDS: self.seconds, PEAK: self.peak, RESIDENT: self.resident}[what]

    def as_dict(self) -> dict[str, Any]:
        """Return them for the JSON."""
        return {
            "name": self.name,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu,
            "peak_megabytes": self.peak,
            "resident_megabytes": self.resident,
        }


def write_zone_of(records: int, path: Path) -> None:
    """Write a large zone's text."""
    with path.open("w") as file:
        file.writelines(_large(records))


def _large(records: int) -> list[str]:
    head = f"$ORIGIN {APEX}\n$TTL 3600\n@ SOA ns1 hostmaster 1 7200 3600 1209600 3600\n@ NS ns1\n@ NS ns2\n"
    hosts = "ns1 A 192.0.2.1\nns2 A 192.0.2.2\n"
    return [head, hosts, *(f"n{i} A 198.51.{i // 250 % 256}.{i % 250}\n" for i in range(records - 5))]


def small_zone() -> str:
    """Return the text of a mail zone of 11 records, whatever its name."""
    head = "$TTL 3600\n@ SOA ns1 hostmaster 1 7200 3600 1209600 3600\n@ NS ns1\n@ NS ns2\n@ MX 10 mail\n"
    hosts = "ns1 A 192.0.2.1\nns2 A 192.0.2.2\nmail A 192.0.2.3\nmail AAAA 2001:db8::3\nwww CNAME mail\n"
    return f'{head}{hosts}@ TXT "v=spf1 mx -all"\n@ A 192.0.2.4\n'


def load_row(records: int, runs: int, servers: list[str]) -> dict[str, Any]:
    """Measure the start with one large zone."""
    found = _started({APEX: "".join(_large(records))}, runs, servers)
    return {
        "key": "load",
        "title": f"From the start until the first answer: one zone of {records:,} records, read from text",
        "starts": [one.as_dict() for one in found],
        "ratios": [
            *_ratio(found, OURS, "Knot", SECONDS, 0.6),
            *_ratio(found, OURS, "Knot", PEAK, 1.0),
            *_ratio(found, OURS, "NSD", SECONDS, None),
            *_ratio(found, OURS, "BIND", SECONDS, None),
            *_ratio(found, AGAIN, "Knot", SECONDS, None),
        ],
    }


def starts_row(zones: int, runs: int, servers: list[str]) -> dict[str, Any]:
    """Measure the start with many small zones."""
    found = _started({f"z{number}.example.": small_zone() for number in range(zones)}, runs, servers)
    return {
        "key": "starts",
        "title": f"From the start until the first and the last zone are answered: {zones:,} zones of 11 records",
        "starts": [one.as_dict() for one in found],
        "ratios": [
            *_ratio(found, OURS, "NSD", SECONDS, 0.6),
            *_ratio(found, AGAIN, "NSD", SECONDS, 0.2),
            *_ratio(found, OURS, "Knot", RESIDENT, 0.5),
            *_ratio(found, OURS, "Knot", SECONDS, None),
            *_ratio(found, OURS, "BIND", SECONDS, None),
        ],
    }


def _started(zones: dict[str, str], runs: int, servers: list[str]) -> list[Starts]:
    """Start each server several times, in turn, so that a busy minute of the machine hits all."""
    found = {name: Starts(name) for name in servers} | {AGAIN: Starts(AGAIN)}
    with ExitStack() as stack:
        running: dict[str, RealServer] = {}
        for name in servers:
            one: RealServer = server(name, zones)  # type: ignore[assignment]
            stack.callback(shutil.rmtree, one.folder, ignore_errors=True)
            stack.callback(one.stop)
            running[name] = one
            one.start()  # writes the texts; this start does not count
            one.stop()
        for _ in range(runs):
            for name, one in running.items():
                if name == OURS:
                    shutil.rmtree(one.folder / ".images", ignore_errors=True)
                _start(one, found[name])
                if name == OURS:
                    _start(one, found[AGAIN])
    return [one for one in found.values() if one.seconds]


def _start(one: RealServer, figures: Starts) -> None:
    one.start()
    pids: list[int] = one.pids  # type: ignore[attr-defined]  # servers of the bench have it
    figures.seconds.append(round(one.seconds_to_start, 3))  # type: ignore[attr-defined]  # the same
    figures.cpu.append(round(cpu_seconds(pids), 3))
    figures.peak.append(round(sum(status_megabytes(pid, "VmHWM") for pid in pids), 1))
    figures.resident.append(round(resident_megabytes(pids), 1))
    one.stop()


def _ratio(found: list[Starts], ours: str, other: str, what: str, at_most: float | None) -> list[dict[str, Any]]:
    """Compare one kind of figure, start by start; nothing where one of the two was not measured."""
    of = {one.name: one.of(what) for one in found}
    if ours not in of or other not in of:
        return []
    values = [round(mine / theirs, 3) for mine, theirs in zip(of[ours], of[other], strict=True)]
    median = statistics.median(values)
    reached = None if at_most is None else median <= at_most
    return [{"of": ours, "to": other, "what": what, "values": values, "median": median, "at_most": at_most, "reached": reached}]
