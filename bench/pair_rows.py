"""The rows for pairs: how soon a secondary has what was published, and what transfers cost."""

from __future__ import annotations

import shutil
import socket
import statistics
import struct
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.loading import APEX, write_zone_of
from bench.machine import cpu_seconds, status_megabytes, wait_until_idle
from bench.pair_figures import CPU, MILLISECONDS, ORDER, PEAK, SECONDS, WRITTEN, PairFigures, ratios
from bench.pairs import KINDS, PATIENCE, PAUSE, QUIET, Pair, Watch, changed_zone, pairs_of
from bench.servers import OURS
from bench.storm import storm_row
from bench.workloads import question
from tests.interop.real_servers import LOOPBACK, PrimaryZone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.pairs import Order

KEYS = ("publish", "mixed", "edits", "axfr", "fresh", "change", "storm")
SMALL = "pair.example."
_AXFR = 252


def pair_row(key: str, records: int, zones: int, rounds: int, servers: list[str]) -> dict[str, Any]:
    """Measure one of these rows.

    Args:
        key: which.
        records: of the large zone.
        zones: how many change at once.
        rounds: how often each pair gets its turn; twice as often in the rows of small zones.
        servers: who may take part.

    """
    names = pairs_of(servers)
    match key:
        case "publish":
            return _publish_row(2 * rounds + 1, names)
        case "mixed":
            return _mixed_row(2 * rounds + 1, names)
        case "edits":
            return _edits_row(4 * rounds, names)
        case "storm":
            return storm_row(zones, rounds, names)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "large.zone"
        write_zone_of(records, file)
        if key == "axfr":
            return _axfr_row(file, records, 3 * rounds, names)
        if key == "fresh":
            return _fresh_row(file, records, rounds, names)
        return _change_row(file, records, rounds, names)


def _started(stack: ExitStack, name: str, secondary: str = "") -> Pair:
    """Return a pair with one small zone that both answer for."""
    pair = stack.enter_context(Pair(name, [SMALL], secondary=secondary))
    pair.primary.write(SMALL, changed_zone(1))
    pair.primary.start()
    pair.secondary.start()
    with Watch(pair.secondary.port, SMALL) as watch:
        watch.until(1)
    return pair


def _publish_row(edits: int, names: list[str]) -> dict[str, Any]:
    found = {name: PairFigures(name) for name in names}
    with ExitStack() as stack:
        pairs = [_started(stack, name) for name in names]
        for serial in range(2, 2 + edits):
            for pair in pairs:
                time.sleep(QUIET / len(pairs))
                _publish(pair, serial, found[pair.name])
    ours = found[OURS].values[MILLISECONDS]
    reached = statistics.median(ours) <= 5
    return {
        "key": "publish",
        "title": f"Publish until the secondary answers the new serial: a small zone, edits {QUIET:.0f} s apart",
        "pairs": [one.as_dict() for one in found.values()],
        "ratios": ratios(found, MILLISECONDS, None),
        "aims": [f"median ≤ 5 ms: {_word(reached)} ({statistics.median(ours):.1f} ms)"],
        "reached": reached,
    }


def _mixed_row(edits: int, names: list[str]) -> dict[str, Any]:
    """Measure every primary with every secondary; all pairs are up at once and take turns."""
    with ExitStack() as stack:
        pairs = [_started(stack, one, other) for one in names for other in names]
        found = {pair.name: PairFigures(pair.name) for pair in pairs}
        for serial in range(2, 2 + edits):
            for pair in pairs:
                time.sleep(QUIET / len(pairs))
                _publish(pair, serial, found[pair.name])
    return {
        "key": "mixed",
        "title": f"The same between every primary and every secondary (primary → secondary), edits {QUIET:.0f} s apart",
        "pairs": [one.as_dict() for one in found.values()],
        "ratios": [],
    }


def _publish(pair: Pair, serial: int, figures: PairFigures) -> None:
    text = changed_zone(serial)
    with Watch(pair.secondary.port, SMALL) as watch:
        begin = time.monotonic()
        pair.primary.write(SMALL, text)
        written = time.monotonic()
        order = pair.primary.begin_reload(SMALL)
        seen, done = _watched(watch, order, serial)
    figures.add(MILLISECONDS, (seen - begin) * 1000)
    figures.add(WRITTEN, (written - begin) * 1000)
    figures.add(ORDER, (done - begin) * 1000)


def _watched(watch: Watch, order: Order, serial: int) -> tuple[float, float]:
    """Return when the secondary answered a serial, and when the order was done."""
    done: float | None = None
    seen: float | None = None
    deadline = time.monotonic() + PATIENCE
    while seen is None or done is None:
        if seen is None and (watch.serial() or 0) >= serial:
            seen = time.monotonic()
        if done is None and order.is_done():
            done = time.monotonic()
        if time.monotonic() > deadline:
            raise SystemExit(f"bench: the secondary at port {watch.port} never answers serial {serial}")
        time.sleep(PAUSE)
    order.wait()
    return seen, done


def _edits_row(edits: int, names: list[str]) -> dict[str, Any]:
    found = {name: PairFigures(name) for name in names}
    for name in names:
        with ExitStack() as stack:
            pair = _started(stack, name)
            time.sleep(QUIET)
            for milliseconds in _each_second(pair, edits):
                found[name].add(MILLISECONDS, milliseconds)
    ours = found[OURS].values[MILLISECONDS]
    reached = statistics.median(ours) <= 5 and max(ours) <= 50
    return {
        "key": "edits",
        "title": "The same with edits one second apart",
        "pairs": [one.as_dict() for one in found.values()],
        "ratios": ratios(found, MILLISECONDS, None),
        "aims": [f"median ≤ 5 ms, worst ≤ 50: {_word(reached)} ({statistics.median(ours):.1f} ms, worst {max(ours):.1f})"],
        "reached": reached,
    }


def _each_second(pair: Pair, edits: int) -> Iterator[float]:
    """Publish once a second, whether the secondary has the last version or not; give each edit's milliseconds until it had it."""
    begun: dict[int, float] = {}
    orders: list[Order] = []
    start = time.monotonic()
    last = edits + 1
    held = 1
    with Watch(pair.secondary.port, SMALL) as watch:
        while held < last:
            following = 2 + len(begun)
            if following <= last and time.monotonic() >= start + len(begun):
                begun[following] = time.monotonic()
                pair.primary.write(SMALL, changed_zone(following))
                orders.append(pair.primary.begin_reload(SMALL))
            answered = watch.serial() or held
            now = time.monotonic()
            for serial in range(held + 1, answered + 1):
                yield (now - begun[serial]) * 1000
            held = max(held, answered)
            if now > start + edits + PATIENCE:
                raise SystemExit(f"bench: the secondary of {pair.name} stays at serial {held}")
            time.sleep(PAUSE)
        for order in orders:
            order.wait()


def _axfr_row(file: Path, records: int, runs: int, names: list[str]) -> dict[str, Any]:
    found = {name: PairFigures(name) for name in names}
    with ExitStack() as stack:
        servers = {}
        for name in names:
            server = servers[name] = stack.enter_context(_with_text(name, file))
            wait_until_idle(server.pids)
        for _ in range(runs):
            for name, server in servers.items():
                before, begin = cpu_seconds(server.pids), time.monotonic()
                octets = read_transfer(server.port, records)
                found[name].add(SECONDS, time.monotonic() - begin)
                time.sleep(0.05)
                found[name].add(CPU, cpu_seconds(server.pids) - before)
                found[name].add("MB sent", octets / 1e6)
    return {
        "key": "axfr",
        "title": f"AXFR of {records:,} records to a client that only reads",
        "pairs": [one.as_dict() for one in found.values()],
        "ratios": [*ratios(found, SECONDS, {"Knot": 1.0}), *ratios(found, CPU, None)],
    }


def _with_text(name: str, file: Path) -> Any:
    server = KINDS[name][0]([PrimaryZone(APEX, "")])
    server.put(APEX, file)
    return server


def read_transfer(port: int, records: int) -> int:
    """Transfer the large zone and return how many octets came; it is over when all records and the SOA once more have come."""
    name = question(APEX, "SOA", 1)[12:].split(b"\0", 1)[0] + b"\0"
    query = struct.pack("!6H", 1, 0, 1, 0, 0, 0) + name + struct.pack("!HH", _AXFR, 1)
    block = bytearray(1 << 20)
    view = memoryview(block)
    octets = seen = held = 0
    with socket.create_connection((LOOPBACK, port), PATIENCE) as client:
        client.sendall(struct.pack("!H", len(query)) + query)
        while seen <= records:
            received = client.recv_into(view[held:])
            if not received:
                raise SystemExit(f"bench: the transfer ended after {seen} records")
            octets += received
            end, at = held + received, 0
            while end - at >= 10 and end - at >= (size := 2 + (block[at] << 8 | block[at + 1])):
                seen += block[at + 8] << 8 | block[at + 9]
                at += size
            held = end - at
            block[:held] = block[at:end]
    return octets


def _fresh_row(file: Path, records: int, runs: int, names: list[str]) -> dict[str, Any]:
    found = {name: PairFigures(name) for name in names}
    with ExitStack() as stack:
        pairs = []
        for name in names:
            pair = stack.enter_context(Pair(name, [APEX]))
            pair.primary.put(APEX, file)
            pair.primary.start()
            wait_until_idle(pair.primary.pids)
            pairs.append(pair)
        for _ in range(runs):
            for pair in pairs:
                secondary = pair.secondary
                with Watch(secondary.port, APEX) as watch:
                    begin = time.monotonic()
                    with _Beside(secondary.start):
                        seen = watch.until(1)
                found[pair.name].add(SECONDS, seen - begin)
                wait_until_idle(secondary.pids)
                found[pair.name].add(CPU, cpu_seconds(secondary.pids))
                found[pair.name].add(PEAK, sum(status_megabytes(pid, "VmHWM") for pid in secondary.pids))
                secondary.stop()
                shutil.rmtree(secondary.folder)
                secondary.folder.mkdir()
    return {
        "key": "fresh",
        "title": f"A secondary with nothing, from its start until it answers: one zone of {records:,} records",
        "pairs": [one.as_dict() for one in found.values()],
        "ratios": [
            *ratios(found, SECONDS, {"Knot": 1.0}),
            *ratios(found, PEAK, {"Knot": 1.0}),
            *ratios(found, CPU, None),
        ],
    }


def _change_row(file: Path, records: int, runs: int, names: list[str]) -> dict[str, Any]:
    found = {name: PairFigures(name) for name in names}
    for name in names:
        with Pair(name, [APEX]) as pair, ExitStack() as stack:
            pair.primary.put(APEX, file)
            pair.primary.start()
            pair.secondary.start()
            watch = stack.enter_context(Watch(pair.secondary.port, APEX))
            watch.until(1)
            for serial in range(2, 2 + runs):
                wait_until_idle([*pair.primary.pids, *pair.secondary.pids])
                time.sleep(QUIET)
                text = file.read_text().replace("hostmaster 1 ", f"hostmaster {serial} ", 1)
                text = text.replace("n500 A 198.51.2.0", f"n500 A 203.0.113.{serial}", 1)
                pair.primary.write(APEX, text)
                before = cpu_seconds([*pair.primary.pids, *pair.secondary.pids])
                begin = time.monotonic()
                order = pair.primary.begin_reload(APEX)
                seen, done = _watched(watch, order, serial)
                found[name].add(SECONDS, seen - begin)
                found[name].add("of which the order, seconds", done - begin)
                wait_until_idle([*pair.primary.pids, *pair.secondary.pids])
                found[name].add(CPU, cpu_seconds([*pair.primary.pids, *pair.secondary.pids]) - before)
    return {
        "key": "change",
        "title": f"One record of {records:,} changed: from the order to reload until the secondary answers the new serial",
        "pairs": [one.as_dict() for one in found.values()],
        "ratios": [*ratios(found, SECONDS, {"Knot": 0.5}), *ratios(found, CPU, None)],
    }


class _Beside:
    """Something that runs in a thread while something else is watched."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=act)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()


def _word(reached: bool) -> str:
    return "reached" if reached else "not reached"
