"""What the bench needs of the machine: two cores, CPU time per server, the compiled generators, its own description."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.interop.programs import find

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "build" / "bench"
_VERSIONS = {"BIND": ("named", "-v"), "NSD": ("nsd", "-v"), "Knot": ("knotd", "--version"), "dnsperf": ("dnsperf", "-h")}


def cores() -> tuple[int, int]:
    """Return a core for the server and one for the generator: two real ones, where there are two."""
    usable = sorted(os.sched_getaffinity(0))
    first = usable[0]
    siblings = Path(f"/sys/devices/system/cpu/cpu{first}/topology/thread_siblings_list")
    shared = _numbers(siblings.read_text()) if siblings.exists() else {first}
    others = [core for core in usable if core not in shared] or usable[1:] or usable
    return first, others[0]


def _numbers(text: str) -> set[int]:
    """Read ``0-1,4``."""
    found: set[int] = set()
    for part in text.strip().split(","):
        low, _, high = part.partition("-")
        found |= set(range(int(low), int(high or low) + 1))
    return found


def tree(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def pin(pids: Iterable[int], core: int, nice: int = 0) -> None:
    """Let all threads of these processes run on one core only, before others if ``nice`` is negative."""
    for pid in pids:
        if nice:
            prefer(pid, nice)
        for task in Path(f"/proc/{pid}/task").glob("*"):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(task.name), {core})
                if nice:
                    os.setpriority(os.PRIO_PROCESS, int(task.name), nice)


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the user and system time of all threads of these processes.

    Read from the scheduler's own account, in nanoseconds; where the kernel keeps none, from ``stat``, in ticks of 10 ms.
    """
    nanoseconds = ticks = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*"):
            with contextlib.suppress(OSError):
                nanoseconds += int((task / "schedstat").read_text().split()[0])
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return nanoseconds / 1e9 if nanoseconds else ticks / os.sysconf("SC_CLK_TCK")


def resident_megabytes(pids: Iterable[int]) -> float:
    """Return the memory of these processes; pages that they share are counted once."""
    kilobytes = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024


def status_megabytes(pid: int, what: str) -> float:
    """Return what ``/proc/PID/status`` tells of a process's memory, such as VmHWM, the most that it has held."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{what}:")), 0.0)


def wait_until_idle(pids: list[int], patience: float = 300.0) -> None:
    """Wait until a server has nothing left to do, such as laying out what it has loaded."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        before = cpu_seconds(pids)
        time.sleep(0.2)
        if cpu_seconds(pids) - before < 0.02:  # a tenth of the core: somebody may be asking it something
            return


def compiled(name: str) -> Path:
    """Return the program made from ``bench/NAME.c``."""
    source, program = ROOT / "bench" / f"{name}.c", BUILT / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise SystemExit(
                "bench: there is no C compiler for the load generator. Debian and Ubuntu: apt-get install gcc libc6-dev"
            )
        BUILT.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler, "-O2", "-Wall", "-o", str(program), str(source)], check=True)
    return program


def prefer(pid: int, nice: int) -> None:
    """Put a process's session before others: Linux shares a core among sessions first ("autogroup"), then among threads."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(nice))


def run_pinned(command: list[str], core: int, timeout: float, nice: int = 0) -> str:
    """Run a program on one core and return what it prints."""

    def prepare() -> None:
        os.sched_setaffinity(0, {core})
        os.nice(nice)

    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
        preexec_fn=prepare,
    )
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def describe() -> dict[str, Any]:
    """Return what a reader must know of the machine to judge the figures."""
    model = "unknown"
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    versions = {}
    for name, (program, option) in _VERSIONS.items():
        path = find(program)
        if path:
            done = subprocess.run([path, option], capture_output=True, text=True, check=False)
            versions[name] = (done.stdout or done.stderr).splitlines()[0].strip()
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load average at the start": round(os.getloadavg()[0], 2),
        **versions,
    }
