"""Measure mailname beside BIND, NSD, Knot and a bare echo on this machine, in turn, and print ratios.

Usage: ``make bench`` (``ARGS="--quick"`` for about a minute, ``ARGS="--rows small,names"``, ``ARGS=--help``). Peers that are not
installed are left out. One worker each, on one core; the generator on another; each server gets its turn in each round. What
counts is the CPU time that a server's processes spend per answer, as the kernel accounts for it: neither a slow generator nor a
busy machine is charged to it.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import signal
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.checking import check_row  # noqa: E402 - the same
from bench.latency import latency  # noqa: E402 - the same
from bench.loading import load_row, starts_row  # noqa: E402 - the same
from bench.machine import BUILT, cores, describe, prefer  # noqa: E402 - the same
from bench.measure import DifferentAnswersError, Pace, Subject, measure, ratio  # noqa: E402 - the same
from bench.pair_rows import KEYS as PAIR_KEYS  # noqa: E402 - the same
from bench.pair_rows import pair_row  # noqa: E402 - the same
from bench.rows import FULL, ORDINARY, QUICK, ROWS, Row, Size  # noqa: E402 - the same
from bench.servers import ECHO, OURS, PACKAGES, PEERS, UNCOMPILED, installed, is_compiled  # noqa: E402 - the same
from tests.interop.programs import find  # noqa: E402 - the root of the repository is no installed package

from bench import report, workloads  # noqa: E402 - the same

PAGE = ROOT / "docs" / "performance.md"
KEYS = (*(row.key for row in ROWS), "latency", "load", "starts", *PAIR_KEYS, "check")
_P99_WHILE_LOADING = 1000.0  # microseconds


def measured_row(row: Row, size: Size, pace: Pace, servers: list[str]) -> dict[str, Any]:
    """Measure one row and return it for the JSON."""
    entry: dict[str, Any] = {"key": row.key, "title": row.title.format(**asdict(size))}
    dnsperf = find("dnsperf") if row.dnsperf else None
    if row.dnsperf and dnsperf is None:
        return {**entry, "notes": ["dnsperf is not installed. Debian and Ubuntu: `apt-get install dnsperf`"]}
    workload = row.make(size)
    asked = workload.wire()
    subjects = []
    for name in row.subjects:
        if name == ORDINARY:
            subjects.append(Subject(name, OURS, workloads.present(size.questions).wire()))
        elif name in servers:
            subjects.append(Subject(name, name, asked))
    try:
        figures, notes = measure(subjects, workload, pace, cores(), dnsperf=dnsperf)
    except DifferentAnswersError as error:
        return {**entry, "differences": str(error).splitlines()}
    ratios = [ratio(figures, aim.ours, aim.other, aim.at_most) for aim in row.aims]
    return {
        **entry,
        "figures": [one.as_dict() for one in figures],
        "ratios": [one.as_dict() for one in ratios if one],
        "notes": notes,
    }


def latency_row(size: Size, nice: int, servers: list[str]) -> dict[str, Any]:
    """Measure how long answers take while the same server loads a large zone."""
    measured = [
        latency(name, size.records_while_asking * 2 // 3, size.reloads, nice) for name in (OURS, "Knot") if name in servers
    ]
    p99 = measured[0]["during"].get("p99", float("inf"))
    reached = p99 <= _P99_WHILE_LOADING
    return {
        "key": "latency",
        "title": f"A question each millisecond while a zone of {size.records_while_asking:,} records loads",
        "latency": measured,
        "aims": [f"p99 while it loads ≤ 1 ms: {'reached' if reached else 'not reached'} ({p99:,.0f} µs)"],
        "reached": reached,
    }


def unreached(rows: list[dict[str, Any]]) -> list[str]:
    """Return one line for each aim, reached or not."""
    lines = []
    for row in rows:
        for one in row.get("ratios", []):
            if one["at_most"] is not None:
                verdict = "reached    " if one["reached"] else "NOT REACHED"
                what = f", {one['what']}" if "what" in one else ""
                lines.append(
                    f"{verdict}  {row['key']:<8} {one['of']} ÷ {one['to']}{what}: {one['median']:.2f} (≤ {one['at_most']:.2f})"
                )
        if "reached" in row:
            lines.append(f"{'reached    ' if row['reached'] else 'NOT REACHED'}  {row['key']:<8} {row['aims'][0]}")
        if row.get("differences"):
            lines.append(f"DIFFERENT    {row['key']:<8} the servers answer differently: not measured")
    return lines


def describe_load(machine: dict[str, Any]) -> str:
    """Return how busy the machine was."""
    return f"{machine['load average at the start']} to {machine['load average at the end']}"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    options = argparse.ArgumentParser(description="Measure mailname beside the peers that are installed.")
    options.add_argument("--quick", action="store_true", help="about a minute: fewer and shorter rounds, fewer zones")
    options.add_argument("--rows", default=",".join(KEYS), help=f"some of {','.join(KEYS)}")
    options.add_argument("--rounds", type=int, help="how often each server gets its turn")
    options.add_argument("--seconds", type=float, help="how long a turn lasts")
    options.add_argument("--zones", type=int, help="small zones in the rows 'zones' and 'starts'")
    options.add_argument("--names", type=int, help="names in the row 'names'")
    options.add_argument("--questions", type=int, help="different questions")
    options.add_argument(
        "--records", type=int, help="records in the zone that loads in the rows 'latency' and 'load', and of pairs"
    )
    options.add_argument("--storm", type=int, help="zones that change at once in the row 'storm'")
    options.add_argument(
        "--starts", type=int, help="how often each server is started in the rows 'load' and 'starts', and of pairs"
    )
    options.add_argument("--without", default="", metavar="PEER,...", help="leave out some of " + ",".join(PEERS))
    options.add_argument("--first", action="store_true", help="run before the machine's other work (needs root)")
    options.add_argument("--json", type=Path, default=BUILT / "results.json", help="where to write all figures (%(default)s)")
    options.add_argument("--write-page", action="store_true", help="put the tables into docs/performance.md")
    given = options.parse_args()
    given.rows = given.rows.split(",")
    if unknown := set(given.rows) - set(KEYS):
        options.error(f"no such row: {', '.join(sorted(unknown))}")
    return given


def sizes(given: argparse.Namespace) -> tuple[Size, Pace]:
    """Return how large and how long."""
    size, pace = (QUICK, Pace(0.4, 3)) if given.quick else (FULL, Pace(0.5, 11))
    changes = {"zones": given.zones, "names": given.names, "questions": given.questions, "records_while_asking": given.records}
    changes |= {"loaded": given.records, "starts": given.starts, "storm": given.storm}
    size = replace(size, **{name: value for name, value in changes.items() if value})
    pace = replace(
        pace, rounds=given.rounds or pace.rounds, seconds=given.seconds or pace.seconds, nice=-10 if given.first else 0
    )
    return size, pace


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whoever stops us stops the servers, too
    given = arguments()
    if not Path("/proc/self/stat").exists():
        raise SystemExit("bench: this needs /proc (Linux) to charge CPU time to the server alone.")
    size, pace = sizes(given)
    compileall.compile_dir(ROOT / "src", quiet=2)  # as the set-up does it: byte code is no part of what is measured
    if given.first:
        prefer(os.getpid(), pace.nice)
    machine = describe()
    peers = [name for name in installed() if name not in given.without.split(",")]
    for name in PEERS:
        if name not in installed():
            print(f"{name} is not installed. Debian and Ubuntu: apt-get install {PACKAGES[name]}", flush=True)
    machine["mailname's core"] = "compiled" if is_compiled() else "uncompiled (no compiler was at hand)"
    machine["pace"] = (
        f"{pace.rounds} rounds of {pace.seconds} s each, server on core {cores()[0]}, generator on core {cores()[1]}"
    )
    servers = [OURS, *([UNCOMPILED] if is_compiled() else []), *peers, ECHO]
    rows = []
    for key in given.rows:
        found = [row for row in ROWS if row.key == key]
        if found:
            entry = measured_row(found[0], size, pace, servers)
        elif key == "latency":
            entry = latency_row(size, pace.nice, servers)
        elif key == "load":
            entry = load_row(size.loaded, size.starts, [OURS, *peers])
        elif key == "check":
            entry = check_row(size.starts)
        elif key in PAIR_KEYS:
            entry = pair_row(key, size.loaded, size.storm, size.starts, [OURS, *peers])
        else:
            entry = starts_row(size.zones, size.starts, [OURS, *peers])
        rows.append(entry)
        print(report.row_text(entry), flush=True)
    machine["load average at the end"] = round(os.getloadavg()[0], 2)
    command = " ".join(["make bench", *([f'ARGS="{" ".join(sys.argv[1:])}"'] if sys.argv[1:] else [])])
    result = {
        "schema": "mailname.bench/1",
        "when": time.strftime("%Y-%m-%d"),
        "command": command,
        "machine": machine,
        "rows": rows,
    }
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(result, indent=1) + "\n")
    print("\n".join(unreached(rows)))
    print(f"\nload average {describe_load(machine)}; all figures: {given.json}")
    if given.write_page:
        PAGE.write_text(report.into_page(PAGE.read_text(), report.whole(result)))


if __name__ == "__main__":
    main()
