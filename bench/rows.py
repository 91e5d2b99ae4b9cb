"""The rows of the table: what is measured, between whom, and which ratio is to be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.servers import ECHO, OURS, UNCOMPILED

from bench import workloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.workloads import Workload


@dataclass(frozen=True, slots=True)
class Size:
    """How large the zones are and how many different questions there are."""

    names: int
    zones: int
    signed_names: int
    questions: int
    records_while_asking: int
    reloads: int
    loaded: int
    starts: int
    storm: int


QUICK = Size(
    names=100_000,
    zones=2_000,
    signed_names=1_000,
    questions=50_000,
    records_while_asking=200_000,
    reloads=1,
    loaded=100_000,
    starts=1,
    storm=500,
)
FULL = Size(
    names=100_000,
    zones=100_000,
    signed_names=10_000,
    questions=200_000,
    records_while_asking=1_000_000,
    reloads=3,
    loaded=1_000_000,
    starts=3,
    storm=10_000,
)


@dataclass(frozen=True, slots=True)
class Aim:
    """``ours`` is to need at most ``at_most`` times the CPU of ``other`` per answer."""

    ours: str
    other: str
    at_most: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """A workload and who has to stand it."""

    key: str
    title: str
    make: Callable[[Size], Workload]
    subjects: tuple[str, ...]
    aims: tuple[Aim, ...]
    dnsperf: bool = False


ORDINARY = "mailname, names that exist"

ROWS = (
    Row(
        "small",
        "CPU per UDP answer, a small mail zone: MX, A, NS, TXT and NXDOMAIN, a fifth each, EDNS",
        lambda size: workloads.small(size.questions),
        (OURS, UNCOMPILED, "BIND", "NSD", "Knot", ECHO),
        (
            Aim(OURS, "Knot", 0.85),
            Aim(OURS, "NSD", 0.80),
            Aim(OURS, "BIND", 0.45),
            Aim(OURS, ECHO, 1.15),
            Aim(UNCOMPILED, "BIND", 1.0),
        ),
    ),
    Row(
        "names",
        "CPU per UDP answer, one zone of {names:,} names, at random: 60 % A, 20 % MX, 10 % NODATA, 10 % NXDOMAIN",
        lambda size: workloads.large(size.names, size.questions),
        (OURS, "BIND", "NSD", "Knot", ECHO),
        (Aim(OURS, "Knot", 0.75), Aim(OURS, "NSD", None), Aim(OURS, "BIND", None), Aim(OURS, ECHO, None)),
    ),
    Row(
        "zones",
        "CPU per UDP answer, {zones:,} small mail zones, at random",
        lambda size: workloads.many(size.zones, size.questions),
        (OURS, "BIND", "NSD", "Knot", ECHO),
        (Aim(OURS, "NSD", 0.80), Aim(OURS, "Knot", None), Aim(OURS, "BIND", None), Aim(OURS, ECHO, None)),
    ),
    Row(
        "flood",
        "A flood of names that do not exist below one small zone, and what exists in the same zone",
        lambda size: workloads.flood(size.questions),
        (ORDINARY, OURS, "BIND", "NSD", "Knot"),
        (Aim(OURS, ORDINARY, 1.10), Aim(OURS, "Knot", None), Aim(OURS, "NSD", None), Aim(OURS, "BIND", None)),
    ),
    Row(
        "signed",
        "CPU per UDP answer, a zone of {signed_names:,} names signed with NSEC3: NXDOMAIN with the DO bit",
        lambda size: workloads.signed_flood(size.signed_names, size.questions),
        (OURS, "BIND", "NSD", "Knot"),
        (Aim(OURS, "Knot", 1.0), Aim(OURS, "NSD", None), Aim(OURS, "BIND", None)),
    ),
    Row(
        "dnsperf",
        "The small mail zone again, asked by dnsperf (which is the bottleneck, so that batches stay small)",
        lambda size: workloads.small(size.questions),
        (OURS, "BIND", "NSD", "Knot"),
        (Aim(OURS, "Knot", None), Aim(OURS, "NSD", None), Aim(OURS, "BIND", None)),
        dnsperf=True,
    ),
)
