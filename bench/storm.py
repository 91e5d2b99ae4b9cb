"""Many zones that change at once, and one secondary that has to fetch them all."""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING, Any

from bench.machine import cpu_seconds, status_megabytes, wait_until_idle
from bench.pair_figures import CPU, PEAK, SECONDS, PairFigures, ratios
from bench.pairs import MANY, PATIENCE, QUIET, Pair, changed_zone, serial_in
from bench.workloads import question
from tests.interop.real_servers import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ROUND = 500  # zones that are asked for at once
_SOME = 10  # as many while nothing is measured


def storm_row(zones: int, runs: int, names: list[str]) -> dict[str, Any]:
    found = {name: PairFigures(name) for name in names}
    apexes = [f"z{number}.example." for number in range(zones)]
    for name in names:
        with Pair(name, apexes, MANY[name]) as pair:
            for apex in apexes:
                pair.primary._file(apex).write_text(changed_zone(1))  # noqa: SLF001 - not on the disk, so that all are written soon
            pair.primary.start()
            pair.secondary.start()
            _until_all(pair.secondary.port, apexes, 1, _SOME)  # not measured: whoever has nothing yet needs the core for that
            for serial in range(2, 2 + runs):
                wait_until_idle([*pair.primary.pids, *pair.secondary.pids])
                time.sleep(QUIET)
                for apex in apexes:
                    pair.primary._file(apex).write_text(changed_zone(serial))  # noqa: SLF001 - the same
                before = cpu_seconds([*pair.primary.pids, *pair.secondary.pids])
                begin = time.monotonic()
                order = pair.primary.begin_reload(None)
                found[name].add(SECONDS, _until_all(pair.secondary.port, apexes, serial) - begin)
                order.wait()
                found[name].add(CPU, cpu_seconds([*pair.primary.pids, *pair.secondary.pids]) - before)
                found[name].add(PEAK, sum(status_megabytes(pid, "VmHWM") for pid in pair.secondary.pids))
    return {
        "key": "storm",
        "title": f"{zones:,} zones changed at once: from the order to reload until the secondary answers all new serials",
        "pairs": [one.as_dict() for one in found.values()],
        "ratios": [*ratios(found, SECONDS, dict.fromkeys(names, 1.0)), *ratios(found, CPU, None)],
    }


def _until_all(port: int, zones: Sequence[str], serial: int, at_once: int = _ROUND) -> float:
    """Return when a server had answered this serial for all zones; those that it lacks are asked for again, some at once."""
    missing = list(zones)
    deadline = time.monotonic() + PATIENCE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((LOOPBACK, port))
        client.setblocking(False)
        while missing:
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: {len(missing)} zones of the server at port {port} stay behind serial {serial}")
            some, missing = missing[:at_once], missing[at_once:]
            arrived = _asked(client, some, serial)
            behind = [zone for number, zone in enumerate(some) if number not in arrived]
            missing = missing + behind if at_once == _ROUND else behind + missing
            if at_once == _ROUND or behind:
                time.sleep(0.02)  # the servers need the core more
    return time.monotonic()


def _asked(client: socket.socket, zones: Sequence[str], serial: int) -> set[int]:
    """Return the numbers of the zones that are answered with this serial."""
    arrived: set[int] = set()
    for number, zone in enumerate(zones):
        _ignoring_refusal(lambda number=number, zone=zone: client.send(question(zone, "SOA", number)))  # type: ignore[misc]
    answers = 0
    while answers < len(zones) and select.select([client], [], [], 0.05)[0]:
        answer = _ignoring_refusal(lambda: client.recv(4096))
        answers += 1
        if answer and serial_in(answer) == serial:
            arrived.add(int.from_bytes(answer[:2], "big"))
    return arrived


def _ignoring_refusal(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except (ConnectionRefusedError, BlockingIOError):
        return None
