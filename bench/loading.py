"""Measure how long mailname and its peers take to load zones, in turn, on this machine.

Usage: ``.venv/bin/python bench/loading.py [--records 1000000] [--zones 10000] [--runs 3]``. Each run is a process of its own;
what counts is the wall time from its start to its end, its CPU time, and its largest memory. Peers that are not installed are
left out. mailname reads text into an image (what serving needs), or maps the images that an earlier run has kept. The peers'
checkers read text and check it; their servers are measured from their start until they answer.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.interop.programs import find  # noqa: E402 - the root of the repository is no installed package
from tests.interop.real_servers import Bind, Knot, Nsd, PrimaryZone  # noqa: E402 - the same

APEX = "bench.example."
CHECKERS = {
    "BIND, named-checkzone": ["named-checkzone", "-q", "-i", "none", APEX],
    "Knot, kzonecheck": ["kzonecheck", "-o", APEX],
    "NSD, nsd-checkzone": ["nsd-checkzone", APEX],
}
SERVERS = {"BIND": (Bind, "named"), "Knot": (Knot, "knotd"), "NSD": (Nsd, "nsd")}
TEXT_TO_IMAGES = """
import dns.name, sys
from pathlib import Path
from mailname.server.image_cache import load_or_build, save_image, stamp_of
from mailname.zone.load import Loader
loader, images, keep = Loader(), [], sys.argv[2] != "-"
for path in Path(sys.argv[1]).glob("*.zone"):
    apex = dns.name.from_text(path.stem)
    if keep:
        images.append(load_or_build(path, apex, Path(sys.argv[2]), loader=loader).image)
    else:
        images.append(loader.load(path.read_bytes(), str(path), apex).image)
"""


def write_zone_of(records: int, path: Path) -> None:
    """Write a large zone. It is never held in this process: its children would be charged with our memory."""
    head = f"$ORIGIN {APEX}\n$TTL 3600\n@ SOA ns1 hostmaster 1 7200 3600 1209600 3600\n@ NS ns1\n@ NS ns2\n"
    with path.open("w") as file:
        file.write(f"{head}ns1 A 192.0.2.1\nns2 A 192.0.2.2\n")
        file.writelines(f"n{i} A 198.51.{i // 250 % 256}.{i % 250}\n" for i in range(records - 5))


def small_zone() -> str:
    head = "$TTL 3600\n@ SOA ns1 hostmaster 1 7200 3600 1209600 3600\n@ NS ns1\n@ NS ns2\n@ MX 10 mail\n"
    hosts = "ns1 A 192.0.2.1\nns2 A 192.0.2.2\nmail A 192.0.2.3\nmail AAAA 2001:db8::3\nwww CNAME mail\n"
    return f'{head}{hosts}@ TXT "v=spf1 mx -all"\n@ A 192.0.2.4\n'


def measured(command: list[str]) -> tuple[float, float, float]:
    """Run a program; return its wall seconds, CPU seconds and largest memory in MB."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def until_it_answers(server: type[Bind | Knot | Nsd], file: Path) -> tuple[float, float, float]:
    """Start a server; return how long until it answers, and the CPU seconds and largest memory of its process until then."""
    one = server([PrimaryZone(APEX, "")])
    shutil.copy(file, one._file(APEX))  # noqa: SLF001 - the text is put where it would write it
    begin = time.monotonic()
    with one:
        wall = time.monotonic() - begin
        process = one._process  # noqa: SLF001 - what it costs is read from /proc
        assert process is not None
        folder = Path(f"/proc/{process.pid}")
        ticks = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        cpu = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        return wall, cpu, int(status["VmHWM"].split()[0]) / 1024


def show(what: str, results: list[tuple[float, float, float]]) -> None:
    walls, cpus, sizes = zip(*results, strict=True)
    wall = f"{statistics.median(walls):7.2f} s ({min(walls):.2f} to {max(walls):.2f})"
    print(f"{what:46} {wall} {statistics.median(cpus):7.2f} s CPU {max(sizes):6.0f} MB", flush=True)


def ours(folder: Path, cache: str, runs: int) -> list[tuple[float, float, float]]:
    return [measured([sys.executable, "-c", TEXT_TO_IMAGES, str(folder), cache]) for _ in range(runs)]


def one_zone(records: int, runs: int) -> None:
    print(f"One zone of {records} records")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "images").mkdir()
        file = folder / f"{APEX}zone"
        write_zone_of(records, file)
        rows: dict[str, list[tuple[float, float, float]]] = {}
        ours(folder, str(folder / "images"), 1)
        for _ in range(runs):  # in turn, so that a busy minute of the machine hits all
            rows.setdefault("mailname, text to image", []).extend(ours(folder, "-", 1))
            rows.setdefault("mailname, image mapped and checked", []).extend(ours(folder, str(folder / "images"), 1))
            for checker, command in CHECKERS.items():
                if program := find(command[0]):
                    rows.setdefault(checker, []).append(measured([str(program), *command[1:], str(file)]))
            for server, (kind, program_name) in SERVERS.items():
                if find(program_name):
                    rows.setdefault(f"{server}, start until it answers", []).append(until_it_answers(kind, file))
        for what, results in rows.items():
            show(what, results)


def many_zones(zones: int, runs: int) -> None:
    print(f"{zones} zones of 11 records")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cache = folder / "images"
        cache.mkdir()
        for i in range(zones):
            (folder / f"z{i}.example.zone").write_text(small_zone())
        show("mailname, text to images", ours(folder, "-", runs))
        show("mailname, text to images, which are kept", ours(folder, str(cache), 1))
        show("mailname, images mapped and checked", ours(folder, str(cache), runs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--zones", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    one_zone(arguments.records, arguments.runs)
    many_zones(arguments.zones, arguments.runs)


if __name__ == "__main__":
    main()
