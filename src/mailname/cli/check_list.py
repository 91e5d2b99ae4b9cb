"""``mailname check LIST.txt``: thousands of domains, one JSON line each, and where it stopped it goes on."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from mailname.checks.sweep import Pace, Shared, jobs_that_fit, look_at
from mailname.checks.verdict_schema import LIST_SCHEMA as SCHEMA
from mailname.checks.wording import spoken
from mailname.cli.check_subject import read_name
from mailname.cli.console import err, out
from mailname.cli.event_loop import run
from mailname.cli.exits import EXIT_FINDINGS, EXIT_UNKNOWN, EXIT_WELL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from io import BufferedRandom
    from pathlib import Path

    from dns.name import Name

    from mailname.checks import Facts, Verdict, World
    from mailname.server.network import Network

_VERDICTS = ("well", "fragile", "broken", "unknown")
_KEEP_EVERY = 0.25  # seconds after which lines that were written are on the disk


def read_list(file: Path) -> tuple[Name, ...]:
    """Read the names: one on each line, or the first column; what follows '#' is not looked at.

    Raises:
        UsageError: a line has no domain, with all such lines.

    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"cannot read the list {file}: {error}") from error
    found: dict[Name, None] = {}
    mistakes = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].replace(",", " ").replace(";", " ").split()
        if not text:
            continue
        try:
            found[read_name(text[0])] = None
        except click.UsageError as error:
            mistakes.append(f"{file}:{number}: {error.message}")
    if mistakes:
        raise click.UsageError("\n".join(mistakes[:20]))
    if not found:
        raise click.UsageError(f"the list {file} has no domain.")
    return tuple(found)


def line_of(asked: Name, facts: Facts, verdict: Verdict) -> dict[str, Any]:
    """Return the line that tells of one domain."""
    cause = verdict.cause.finding if verdict.cause else None
    return {
        "schema": SCHEMA,
        "name": spoken(asked),
        "zone": spoken(facts.domain),
        "at": facts.at.isoformat(),
        "verdict": verdict.verdict,
        "cause": {"code": cause.code, "says": cause.says, "where": cause.where, "fix": cause.fix, "command": cause.command}
        if cause
        else None,
        "also": [one.finding.code for one in verdict.also],
        "queries": verdict.queries,
        "seconds": verdict.seconds,
    }


@dataclass(slots=True)
class Kept:
    """The file of lines: what it holds already is not asked again. A line that was cut off in the middle is taken away."""

    file: BufferedRandom
    done: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> Kept:
        """Open or begin the file.

        Raises:
            UsageError: it cannot be written, or holds something else; it is not touched then.

        """
        try:
            path.touch()
            file = path.open("r+b")
        except OSError as error:
            raise click.UsageError(f"cannot write {path}: {error.strerror}") from error
        kept, good = cls(file), 0
        for line in file:
            try:
                name, verdict = _told(line)
                kept.done[name] = verdict
            except (ValueError, KeyError, TypeError) as error:
                if not line.endswith(b"\n"):
                    break  # the last one, cut off
                file.close()
                raise click.UsageError(f"{path} holds something else than a list's verdicts; name another file.") from error
            good += len(line)
        file.seek(good)
        file.truncate()
        return kept

    def add(self, line: str) -> None:
        """Append a line; the system has it at once, the disk at the next ``keep``."""
        self.file.write(line.encode() + b"\n")
        self.file.flush()

    def keep(self) -> None:
        """Wait until all lines are on the disk."""
        os.fsync(self.file.fileno())


def _told(line: bytes) -> tuple[str, str]:
    """Return name and verdict of a line that was written whole; else raise ValueError, KeyError or TypeError."""
    told = json.loads(line)
    if not line.endswith(b"\n") or told["schema"] != SCHEMA or told["verdict"] not in _VERDICTS:
        raise ValueError(line)
    return str(told["name"]), told["verdict"]


@dataclass(slots=True)
class Sweep:
    """One run over a list.

    Attributes:
        tell: is given each line as it comes.

    """

    shared: Shared
    jobs: int
    tell: Callable[[dict[str, Any]], None]
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_VERDICTS, 0))
    codes: dict[str, int] = field(default_factory=dict)
    queries: int = 0

    async def run(self, names: Iterable[Name]) -> None:
        """Look at all of them, so many at once."""
        waiting = iter(names)

        async def work() -> None:
            for name in waiting:
                _, facts, verdict = await look_at(name, self.shared)
                self.counts[verdict.verdict] += 1
                if verdict.cause:
                    code = verdict.cause.finding.code
                    self.codes[code] = self.codes.get(code, 0) + 1
                self.queries += verdict.queries
                self.tell(line_of(name, facts, verdict))

        async with asyncio.TaskGroup() as group:
            for _ in range(self.jobs):
                group.create_task(work())


def check_list(
    names: tuple[Name, ...],
    network: Network,
    world: World,
    *,
    jobs: int,
    rate: float,
    into: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Check them all, tell of each as it comes, and return the exit code."""
    kept = Kept.open(into) if into is not None else None
    done = kept.done if kept else {}
    left = [name for name in names if spoken(name) not in done]

    def tell(line: dict[str, Any]) -> None:
        text = json.dumps(line, ensure_ascii=False)
        if kept is not None:
            kept.add(text)
        elif as_json:
            out.print(text, markup=False)
        elif line["verdict"] != "well" and not quiet:
            cause = f": {line['cause']['code']} {line['cause']['says']}" if line["cause"] else ""
            out.print(f"{line['name']} {line['verdict']}{cause}", markup=False)

    sweep = Sweep(Shared(network, world, Pace(rate)), jobs_that_fit(jobs), tell)
    for name in names:
        if verdict := done.get(spoken(name)):
            sweep.counts[verdict] += 1
    run(_with_progress(sweep, left, kept, quiet=quiet))
    if not quiet:
        _sum_up(sweep, len(names), len(names) - len(left))
    if sweep.counts["fragile"] or sweep.counts["broken"]:
        return EXIT_FINDINGS
    return EXIT_UNKNOWN if sweep.counts["unknown"] else EXIT_WELL


async def _with_progress(sweep: Sweep, left: list[Name], kept: Kept | None, *, quiet: bool) -> None:
    keeping = asyncio.ensure_future(_keep_often(kept)) if kept is not None else None
    try:
        if quiet or not err.is_terminal:
            await sweep.run(left)
        else:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TaskProgressColumn(show_speed=True),
                TextColumn("{task.fields[rate]} a second, left"),
                TimeRemainingColumn(),
            )
            with Progress(*columns, console=err, transient=True) as progress:
                shown = progress.add_task("domains", total=len(left), rate="-")
                told = sweep.tell

                def tell(line: dict[str, Any]) -> None:
                    told(line)
                    speed = progress.tasks[shown].speed
                    progress.update(shown, advance=1, rate=f"{speed:.0f}" if speed else "-")

                sweep.tell = tell
                await sweep.run(left)
    finally:
        if keeping is not None and kept is not None:
            keeping.cancel()
            kept.keep()
            kept.file.close()


async def _keep_often(kept: Kept) -> None:
    while True:
        await asyncio.sleep(_KEEP_EVERY)
        await asyncio.to_thread(kept.keep)


def _sum_up(sweep: Sweep, names: int, before: int) -> None:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sweep.counts.items() if count)
    earlier = f", {before} of them from before" if before else ""
    err.print(escape(f"{names} domains{earlier}: {counts}; {sweep.queries} questions"))
    for code, count in sorted(sweep.codes.items(), key=lambda one: (-one[1], one[0]))[:10]:
        from mailname.checks import CODES

        err.print(escape(f"  {count:6} {code} {CODES[code]}"))
