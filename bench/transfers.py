"""Measure how long mailname and its peers take to transfer a zone, in turn, on this machine.

Usage: ``.venv/bin/python bench/transfers.py [--records 1000000] [--runs 5]``. First each server, as the primary, sends it to
a client that does nothing but count the messages' records; then each one, as a secondary with nothing, fetches it from Knot (from
mailname, where there is no Knot), from its start until it answers. What counts is the wall time, and the CPU time of the server
that is measured. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import statistics
import struct
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.loading import APEX, write_zone_of
from bench.machine import cpu_seconds, tree, wait_until_idle
from bench.workloads import question
from tests.interop.mailname_server import Mailname
from tests.interop.programs import find
from tests.interop.real_servers import (
    Bind,
    Knot,
    Nsd,
    PrimaryZone,
    RealServer,
    SecondaryZone,
    until,
)

KINDS: dict[str, type[RealServer]] = {"mailname": Mailname, "BIND": Bind, "NSD": Nsd, "Knot": Knot}
PROGRAMS = {"BIND": "named", "NSD": "nsd", "Knot": "knotd"}
_AXFR = 252
_PATIENCE = 600.0  # seconds for one transfer


def _fetch(port: int, records: int) -> int:
    """Transfer the zone and return how many octets came; it is over when all records and the SOA once more have come."""
    query = question(APEX, "SOA", 1)
    head, name = query[:12], query[12:].split(b"\0", 1)[0] + b"\0"
    query = head[:2] + struct.pack("!5H", 0, 1, 0, 0, 0) + name + struct.pack("!HH", _AXFR, 1)
    with socket.create_connection(("127.0.0.1", port), _PATIENCE) as client:
        client.sendall(struct.pack("!H", len(query)) + query)
        octets = seen = 0
        rest = b""
        while seen <= records:
            block = client.recv(1 << 20)
            if not block:
                raise SystemExit(f"the transfer ended after {seen} records")
            octets += len(block)
            rest += block
            at = 0
            while len(rest) - at >= 14 and len(rest) - at >= 2 + int.from_bytes(rest[at : at + 2], "big"):
                seen += int.from_bytes(rest[at + 8 : at + 10], "big")
                at += 2 + int.from_bytes(rest[at : at + 2], "big")
            rest = rest[at:]
    return octets


def _primary(kind: type[RealServer], file: Path) -> RealServer:
    one = kind([PrimaryZone(APEX, "")])
    shutil.copy(file, one._file(APEX))  # noqa: SLF001 - the text is put where it would write it
    return one


def outgoing(kinds: dict[str, type[RealServer]], file: Path, records: int, runs: int) -> None:
    """All serve at once, and send in turn."""
    with ExitStack() as stack:
        servers = {name: stack.enter_context(_primary(kind, file)) for name, kind in kinds.items()}
        results: dict[str, list[tuple[float, float, int]]] = {name: [] for name in servers}
        for server in servers.values():
            wait_until_idle(tree(server.pid))
        for _ in range(runs):
            for name, server in servers.items():
                pids = tree(server.pid)
                before, begin = cpu_seconds(pids), time.monotonic()
                octets = _fetch(server.port, records)
                wall = time.monotonic() - begin
                time.sleep(0.05)
                results[name].append((wall, cpu_seconds(pids) - before, octets))
        for name, all_of in results.items():
            _show(f"{name} sends", [one[0] for one in all_of], [one[1] for one in all_of], f"{all_of[-1][2] / 1e6:6.1f} MB")


def incoming(kinds: dict[str, type[RealServer]], file: Path, runs: int) -> None:
    """Each begins with nothing, in turn."""
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    source = "Knot" if "Knot" in kinds else "mailname"
    with _primary(kinds[source], file) as primary:
        wait_until_idle(tree(primary.pid))
        for _ in range(runs):
            for name, kind in kinds.items():
                begin = time.monotonic()
                with kind([SecondaryZone(APEX, (primary.address, primary.port))]) as one:
                    if not until(lambda one=one: one.serial(APEX) == 1, _PATIENCE):  # type: ignore[misc]  # bound at once
                        raise SystemExit(f"{name} does not fetch the zone:\n{one.log()}")
                    results[name].append((time.monotonic() - begin, cpu_seconds(tree(one.pid))))
    for name, all_of in results.items():
        _show(f"{name}, new, fetches it from {source}", [one[0] for one in all_of], [one[1] for one in all_of], "")


def _show(what: str, walls: list[float], cpus: list[float], more: str) -> None:
    wall = f"{statistics.median(walls):7.3f} s ({min(walls):.3f} to {max(walls):.3f})"
    cpu = f"{statistics.median(cpus):7.3f} s CPU ({min(cpus):.3f} to {max(cpus):.3f})"
    print(f"{what:34} {wall} {cpu} {more}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    kinds = {name: kind for name, kind in KINDS.items() if name not in PROGRAMS or find(PROGRAMS[name])}
    print(f"One zone of {arguments.records} records")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{APEX}zone"
        write_zone_of(arguments.records, file)
        outgoing(kinds, file, arguments.records, arguments.runs)
        incoming(kinds, file, arguments.runs)


if __name__ == "__main__":
    main()
