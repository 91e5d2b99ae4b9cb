"""Measure mailname beside BIND, Knot and NSD on this machine, in turn, and print ratios.

Usage: ``make bench`` (``ARGS="--names 100000 --questions 50000"``). Peers that are not installed are left out. What is measured:

- server CPU per UDP answer: the user and system time of all of a server's processes, so that neither a slow client nor a busy
  machine is charged to it;
- reading a zone file: records read and checked per second, by our reader in this process and by each peer's own checker.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import dns.message
import dns.name

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.interop.programs import find  # noqa: E402 - the root of the repository is no installed package
from tests.interop.real_servers import Bind, Knot, Nsd, PrimaryZone, free_port  # noqa: E402 - the same

from mailname.zone.text import read_zone  # noqa: E402 - the same

if TYPE_CHECKING:
    from collections.abc import Iterator

APEX = "bench.example."
PEERS = {"BIND": (Bind, "named"), "Knot": (Knot, "knotd"), "NSD": (Nsd, "nsd")}
CHECKERS = {"BIND": "named-checkzone", "Knot": "kzonecheck", "NSD": "nsd-checkzone"}
WINDOW = 64  # questions on the way at once


def zone_text(names: int) -> str:
    head = f"$ORIGIN {APEX}\n$TTL 3600\n@ SOA ns1 hostmaster 1 7200 3600 1209600 3600\n@ NS ns1\n@ NS ns2\n"
    return f"{head}ns1 A 192.0.2.1\nns2 A 192.0.2.2\n" + "".join(
        f"n{i} A 198.51.{i // 250 % 256}.{i % 250}\n" for i in range(names)
    )


def questions(names: int, count: int) -> list[bytes]:
    """Return queries, every tenth for a name that is not there. The order is the same in each run."""
    chance = random.Random(1035)
    labels = [f"x{i}" if i % 10 == 0 else f"n{chance.randrange(names)}" for i in range(count)]
    return [dns.message.make_query(f"{label}.{APEX}", "A", use_edns=0).to_wire() for label in labels]


def ask(port: int, queries: list[bytes]) -> int:
    """Send all, a window at a time, and return how many were answered."""
    answered = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", port))
        client.settimeout(0.5)
        for start in range(0, len(queries), WINDOW):
            window = queries[start : start + WINDOW]
            for query in window:
                client.send(query)
            with contextlib.suppress(TimeoutError):
                for _ in window:
                    client.recv(4096)
                    answered += 1
    return answered


def cpu_seconds(session: int) -> float:
    """Return the user and system time of all processes of a session."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def sessions_of_children() -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == os.getpid():
                found.add(int(fields[3]))
    return found


@contextlib.contextmanager
def running_mailname(text: str) -> Iterator[tuple[int, int]]:
    """Start ``mailname serve`` and give (port, session) once it answers."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    (folder / "zones").mkdir()
    (folder / "zones" / f"{APEX}zone").write_text(text)
    port = free_port()
    command = [str(Path(sys.executable).parent / "mailname"), "serve", "--zones", str(folder / "zones")]
    command += ["--listen", f"127.0.0.1:{port}", "--control", str(folder / "control")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        probe = dns.message.make_query(APEX, "SOA").to_wire()
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and server.poll() is None:
            with contextlib.suppress(ConnectionRefusedError):
                if ask(port, [probe]):
                    break
            time.sleep(0.1)
        else:
            raise SystemExit(f"mailname serve does not start:\n{(folder / 'log').read_text()}")
        yield port, server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running_peer(name: str, text: str) -> Iterator[tuple[int, int]]:
    before = sessions_of_children()
    with PEERS[name][0]([PrimaryZone(APEX, text)]) as server:
        (session,) = sessions_of_children() - before
        yield server.port, session


def measure(running: contextlib.AbstractContextManager[tuple[int, int]], queries: list[bytes]) -> float:
    """Return microseconds of server CPU per answer."""
    with running as (port, session):
        ask(port, queries[:1000])
        before = cpu_seconds(session)
        answered = ask(port, queries)
        return (cpu_seconds(session) - before) / max(answered, 1) * 1e6


def reading(text: str, records: int) -> dict[str, float]:
    """Return records per second, by each reader."""
    start = time.process_time()
    read_zone(text, "bench.zone", dns.name.from_text(APEX))
    rates = {"mailname": records / (time.process_time() - start)}
    with tempfile.NamedTemporaryFile("w", suffix=".zone") as file:
        file.write(text)
        file.flush()
        for name, program in CHECKERS.items():
            path = find(program)
            if path is None:
                continue
            words = [path, "-o", APEX, file.name] if name == "Knot" else [path, APEX, file.name]
            before = os.times()
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            after = os.times()
            spent = after.children_user + after.children_system - before.children_user - before.children_system
            rates[name] = records / max(spent, 0.01)
    return rates


def print_table(title: str, unit: str, figures: dict[str, float], *, more_is_better: bool) -> None:
    ours = figures["mailname"]
    print(f"\n{title}\n  {'server':<10} {unit:>14}   mailname is")
    for name, figure in figures.items():
        ratio = ours / figure if more_is_better else figure / ours
        verdict = "" if name == "mailname" else f"{ratio:.2f} times as fast"
        print(f"  {name:<10} {figure:>14,.1f}   {verdict}".rstrip())


def main() -> None:
    options = argparse.ArgumentParser(description="Measure mailname beside the peers that are installed.")
    options.add_argument("--names", type=int, default=10_000, help="names in the zone")
    options.add_argument("--questions", type=int, default=20_000, help="questions to each server")
    given = options.parse_args()
    text = zone_text(given.names)
    queries = questions(given.names, given.questions)
    if not Path("/proc/self/stat").exists():
        raise SystemExit("bench: this needs /proc (Linux) to charge CPU time to the server alone.")
    answers = {"mailname": measure(running_mailname(text), queries)}
    for name, (_, program) in PEERS.items():
        if find(program):
            answers[name] = measure(running_peer(name, text), queries)
    print(f"one zone of {given.names:,} names, {given.questions:,} questions, {os.cpu_count()} CPUs")
    print_table("server CPU per UDP answer", "µs", answers, more_is_better=False)
    print_table("reading and checking the zone's text", "records/s", reading(text, given.names + 5), more_is_better=True)


if __name__ == "__main__":
    main()
