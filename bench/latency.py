"""How long plain questions wait while the same process reads and lays out a large zone."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.machine import compiled, prefer, tree, wait_until_idle
from bench.measure import write_questions
from bench.servers import server
from bench.workloads import LARGE, SMALL, large_zone, mail_zone, small
from tests.interop.mailname_server import MailnameFolder

if TYPE_CHECKING:
    from tests.interop.real_servers import RealServer

_EVERY = 1000  # microseconds between questions
_IDLE = 2.0  # seconds asked before the first reload


def latency(name: str, names: int, reloads: int, nice: int) -> dict[str, Any]:
    """Ask one question each millisecond of a small zone while a large one is loaded anew, several times, by one server.

    Args:
        name: which server.
        names: in the large zone; there are one and a half records for each.
        reloads: how often its text changes and is read again.
        nice: the priority; a negative one keeps the machine's other work away.

    Returns:
        Median, 99th percentile and longest, in microseconds: while nothing happens, and during reloads.

    """
    running = server(name, {SMALL: mail_zone(SMALL), LARGE: large_zone(names)})
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, running:
        real: RealServer = running  # type: ignore[assignment]
        if nice:
            prefer(real.pid, nice)
        file = Path(folder) / "questions"
        write_questions(file, small(5000).wire())
        texts = [large_zone(names, serial) for serial in range(2, 2 + reloads)]
        command = [str(compiled("pace")), str(running.port), str(file), str(_EVERY), "3600"]
        with (Path(folder) / "times").open("w+") as times:
            asking = subprocess.Popen(command, stdout=times)
            try:
                began = time.monotonic_ns()
                time.sleep(_IDLE)
                spans = [_reload(real, text, serial) for serial, text in enumerate(texts, 2)]
            finally:
                asking.terminate()
                asking.wait()
            times.seek(0)
            lines = [line.split() for line in times if line.endswith("\n")]
    asked = [(int(at), int(took)) for at, took in (line for line in lines if len(line) == 2)]
    quiet = [took for at, took in asked if began <= at < spans[0][0]]
    busy = [took for at, took in asked if any(first <= at < last for first, last in spans)]
    return {
        "name": name,
        "records": names * 3 // 2,
        "seconds_per_reload": [round((last - first) / 1e9, 2) for first, last in spans],
        "idle": _percentiles(quiet),
        "during": _percentiles(busy),
    }


def _reload(real: RealServer, text: str, serial: int) -> tuple[int, int]:
    """Load the zone anew and return from when to when that took, until nothing is left to be laid out."""
    first = time.monotonic_ns()
    if isinstance(real, MailnameFolder):  # its order would wait for the end
        (real.folder / f"{LARGE.rstrip('.')}.zone").write_text(text)
        real.begin_reload(LARGE, 0.1)
    else:
        real.publish(LARGE, text)
    real.wait_serial(LARGE, serial, 600)
    wait_until_idle(tree(real.pid))
    return first, time.monotonic_ns()


def _percentiles(took: list[int]) -> dict[str, float]:
    ordered = sorted(one for one in took if one >= 0)
    if not ordered:
        return {"asked": len(took), "unanswered": len(took)}
    at = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "longest": 1.0}
    return {
        "asked": len(took),
        "unanswered": len(took) - len(ordered),
        **{name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1000, 1) for name, share in at.items()},
    }
