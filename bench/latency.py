"""How long plain questions wait while the same process reads and lays out a large zone."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.machine import compiled, cores, pin, tree, wait_until_idle
from bench.measure import write_questions
from bench.servers import server
from bench.workloads import LARGE, SMALL, large_zone, mail_zone, small
from tests.interop.mailname_server import MailnameFolder

if TYPE_CHECKING:
    from tests.interop.real_servers import RealServer

_EVERY = 1000  # microseconds between questions
_STOOD = 500_000  # nanoseconds for which the generator itself stood still: what it then read off the clock says nothing
_IDLE = 2.0  # seconds asked before the first reload


def latency(name: str, names: int, reloads: int, nice: int) -> dict[str, Any]:
    """Ask one question each millisecond of a small zone while a large one is loaded anew, several times, by one server.

    All threads of the server share one core, and the generator has the other.

    Args:
        name: which server.
        names: in the large zone; there are one and a half records for each.
        reloads: how often its text changes and is read again.
        nice: the priority; a negative one keeps the machine's other work away.

    Returns:
        Median, 99th percentile and longest, in microseconds: while nothing happens, and during reloads. Questions during which
        the generator was not running are counted apart.

    """
    running = server(name, {SMALL: mail_zone(SMALL), LARGE: large_zone(names)})
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, running:
        real: RealServer = running  # type: ignore[assignment]
        for_server, for_generator = cores()
        pin(tree(real.pid), for_server, nice)
        file = Path(folder) / "questions"
        write_questions(file, small(5000).wire())
        texts = [large_zone(names, serial) for serial in range(2, 2 + reloads)]
        command = [str(compiled("pace")), str(running.port), str(file), str(_EVERY), "3600"]
        with (Path(folder) / "times").open("w+") as times:
            asking = subprocess.Popen(command, stdout=times)
            pin([asking.pid], for_generator, nice)
            try:
                began = time.monotonic_ns()
                time.sleep(_IDLE)
                spans = [_reload(real, text, serial) for serial, text in enumerate(texts, 2)]
            finally:
                asking.terminate()
                asking.wait()
            times.seek(0)
            lines = [line.split() for line in times if line.endswith("\n")]
    asked = [(int(line[0]), int(line[1]), int(line[2])) for line in lines if len(line) == 3]
    quiet = [(took, stood) for at, took, stood in asked if began <= at < spans[0][0]]
    busy = [(took, stood) for at, took, stood in asked if any(first <= at < last for first, last in spans)]
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


def _percentiles(asked: list[tuple[int, int]]) -> dict[str, float]:
    """Describe how long the answers took, those aside that the generator was not awake to see."""
    unanswered = sum(took < 0 for took, _ in asked)
    ordered = sorted(took for took, stood in asked if took >= 0 and stood < _STOOD)
    counts = {"asked": len(asked), "unanswered": unanswered, "unseen": len(asked) - unanswered - len(ordered)}
    if not ordered:
        return dict(counts)
    at = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "longest": 1.0}
    return {
        **counts,
        **{name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1000, 1) for name, share in at.items()},
    }
