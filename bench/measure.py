"""One row: servers with the same zones, measured in turn, again and again, so that the machine's other work hits all alike."""

from __future__ import annotations

import re
import statistics
import struct
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.machine import compiled, cpu_seconds, pin, resident_megabytes, run_pinned
from bench.same_answers import differences
from bench.servers import ECHO, server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.servers import Measured
    from bench.workloads import Workload

WINDOW = 256  # questions on the way at once
_FIRST_WARM_UP = 1.0  # seconds in which a server may fill its caches
_WARM_UP = 0.1  # seconds before each measurement that do not count
_COMPARED = 500  # questions for which the servers' answers are compared before anything is measured


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to measure, and with which priority (``nice``): a negative one keeps the machine's other work away."""

    seconds: float
    rounds: int
    nice: int = 0


@dataclass(slots=True)
class Figures:
    """What was measured of one subject, a value for each round."""

    name: str
    microseconds: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    lost: int = 0
    odd: int = 0
    megabytes: float = 0.0
    seconds_to_start: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return them for the JSON."""
        return {
            "name": self.name,
            "cpu_microseconds_per_answer": self.microseconds,
            "answers_per_second": self.rates,
            "share_of_the_core_used": self.busy,
            "lost": self.lost,
            "odd_answers": self.odd,
            "resident_megabytes": self.megabytes,
            "seconds_to_start": self.seconds_to_start,
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """A server and what it is asked; usually all servers of a row are asked the same."""

    name: str
    server: str
    questions: list[bytes]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How ours compares with another, round by round."""

    ours: str
    other: str
    values: list[float]
    at_most: float | None

    @property
    def median(self) -> float:
        """The figure that counts."""
        return statistics.median(self.values)

    @property
    def reached(self) -> bool | None:
        """Tell whether the aim is reached; None where there is none."""
        return None if self.at_most is None else self.median <= self.at_most

    def as_dict(self) -> dict[str, Any]:
        """Return it for the JSON."""
        return {
            "of": self.ours,
            "to": self.other,
            "values": self.values,
            "median": self.median,
            "at_most": self.at_most,
            "reached": self.reached,
        }


@dataclass(frozen=True, slots=True)
class Measurement:
    """A row of the result."""

    key: str
    title: str
    figures: list[Figures]
    ratios: list[Ratio]
    notes: list[str]
    differences: list[str]


class DifferentAnswersError(Exception):
    """The servers do not answer alike, so that there is nothing to compare."""


def measure(
    subjects: Sequence[Subject], workload: Workload, pace: Pace, on: tuple[int, int], *, dnsperf: str | None = None
) -> tuple[list[Figures], list[str]]:
    """Start the servers, compare their answers, and measure each subject in each round.

    Args:
        subjects: in the order in which they take their turns.
        workload: the zones, and the questions by which the answers are compared.
        pace: how long.
        on: the server's core and the generator's.
        dnsperf: the path of dnsperf, to ask with it instead of our own generator.

    Returns:
        The figures, and what is to be noted with them.

    Raises:
        DifferentAnswersError: some servers differ.

    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        running: dict[str, Measured] = {}
        for subject in subjects:
            if subject.server not in running:
                running[subject.server] = stack.enter_context(server(subject.server, workload.zones))
        sample = workload.wire()[:: max(1, len(workload.questions) // _COMPARED)]
        real = {name: one.port for name, one in running.items() if name != ECHO}
        if found := differences(real, sample, signed=workload.dnssec):
            raise DifferentAnswersError("\n".join(found))
        pids = {name: one.pids for name, one in running.items()}
        for name in running:
            pin(pids[name], on[0], pace.nice)
        figures = [Figures(subject.name) for subject in subjects]
        files = _question_files(folder, subjects, workload, dnsperf)
        if not dnsperf:
            for subject, file in zip(subjects, files, strict=True):
                _blast(running[subject.server].port, file, min(_FIRST_WARM_UP, pace.seconds), on[1], pace.nice)
        for _ in range(pace.rounds):
            for subject, file, figure in zip(subjects, files, figures, strict=True):
                port, processes = running[subject.server].port, pids[subject.server]
                if dnsperf:
                    _dnsperf_once(dnsperf, port, file, pace, on[1], processes, figure)
                else:
                    _blast(port, file, _WARM_UP, on[1], pace.nice)
                    _blast_once(port, file, pace, on[1], processes, figure)
        for subject, figure in zip(subjects, figures, strict=True):
            figure.megabytes = round(resident_megabytes(pids[subject.server]), 1)
            figure.seconds_to_start = round(running[subject.server].seconds_to_start, 2)
    notes = [f"{one.name}: {one.odd:,} answers were not as they should be" for one in figures if one.odd]
    notes += [f"{one.name}: {one.lost:,} questions got no answer" for one in figures if one.lost]
    return figures, notes


def _question_files(folder: Path, subjects: Sequence[Subject], workload: Workload, dnsperf: str | None) -> list[Path]:
    if dnsperf:
        file = folder / "questions"
        file.write_text("".join(f"{owner} {rdtype}\n" for owner, rdtype in workload.questions))
        return [file] * len(subjects)
    files: dict[int, Path] = {}
    for subject in subjects:
        if id(subject.questions) not in files:
            file = files[id(subject.questions)] = folder / f"questions{len(files)}"
            write_questions(file, subject.questions)
    return [files[id(subject.questions)] for subject in subjects]


def write_questions(file: Path, questions: Sequence[bytes]) -> None:
    """Write a file for blast and pace."""
    file.write_bytes(b"".join(struct.pack("!H", len(one)) + one for one in questions))


def _blast(port: int, file: Path, seconds: float, core: int, nice: int) -> list[str]:
    command = [str(compiled("blast")), str(port), str(file), str(seconds), str(WINDOW)]
    return run_pinned(command, core, seconds + 60, nice).split()


def _blast_once(port: int, file: Path, pace: Pace, core: int, pids: list[int], figure: Figures) -> None:
    before = cpu_seconds(pids)
    answered, took, lost, _, odd = _blast(port, file, pace.seconds, core, pace.nice)
    _add(figure, cpu_seconds(pids) - before, int(answered), float(took))
    figure.lost += int(lost)
    figure.odd += int(odd)


def _dnsperf_once(program: str, port: int, file: Path, pace: Pace, core: int, pids: list[int], figure: Figures) -> None:
    command = [program, "-s", "127.0.0.1", "-p", str(port), "-d", str(file), "-e", "-c", "1", "-T", "1", "-q", "200"]
    before = cpu_seconds(pids)
    said = run_pinned([*command, "-l", str(max(1, round(pace.seconds)))], core, pace.seconds + 60, pace.nice)
    spent = cpu_seconds(pids) - before
    answered = re.search(r"Queries completed:\s+(\d+)", said)
    took = re.search(r"Run time \(s\):\s+([\d.]+)", said)
    lost = re.search(r"Queries lost:\s+(\d+)", said)
    if not (answered and took and lost):
        raise SystemExit(f"bench: dnsperf says what is not understood:\n{said}")
    _add(figure, spent, int(answered[1]), float(took[1]))
    figure.lost += int(lost[1])


def _add(figure: Figures, cpu: float, answered: int, took: float) -> None:
    figure.microseconds.append(round(cpu / max(answered, 1) * 1e6, 3))
    figure.rates.append(round(answered / took))
    figure.busy.append(round(cpu / took, 3))


def ratio(figures: Sequence[Figures], ours: str, other: str, at_most: float | None) -> Ratio | None:
    """Compare CPU per answer; None where one of the two was not measured."""
    of = {figure.name: figure.microseconds for figure in figures}
    if ours not in of or other not in of:
        return None
    values = [round(mine / theirs, 3) for mine, theirs in zip(of[ours], of[other], strict=True)]
    return Ratio(ours, other, values, at_most)
