"""Thousands of domains from plans: written, served, and brought to a secondary of another program by a catalog alone.

    python bench/domains_by_catalog.py [--domains 10000] [--pairs builtin-knot,bind-builtin]

For each pair: the zones from their plans, until the secondary answers for all of them, one change until it is there, and a
change of all. Seconds by the clock, and of processor time and the most memory of each server.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import dns.exception  # noqa: E402  after the path
import dns.message  # noqa: E402  after the path
import dns.rdatatype  # noqa: E402  after the path
from bench.machine import cpu_seconds, status_megabytes  # noqa: E402  after the path
from bench.pairs import MANY  # noqa: E402  after the path
from tests.interop import catalog_servers  # noqa: E402  after the path
from tests.interop.real_servers import LOOPBACK, free_port  # noqa: E402  after the path

from mailname.plan import expand_all, load  # noqa: E402  after the path
from mailname.zone import Serial  # noqa: E402  after the path
from mailname.zone.large_text import zone_text  # noqa: E402  after the path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PLAN = """
domain = "{name}"
contact = "hostmaster@{name}"
website = ["192.0.2.80"]
[[name_server]]
name = "ns1.hoster.example"
addresses = ["192.0.2.1"]
role = "secondary"
[[name_server]]
name = "ns2.hoster.example"
addresses = ["198.51.100.2"]
role = "primary"
[[mail_host]]
name = "mail.{name}"
addresses = ["198.51.100.{host}"]
[catalog]
name = "catalog.invalid"
"""
PRODUCERS = {"builtin": catalog_servers.MailnameProducer, "bind": catalog_servers.BindProducer}
CONSUMERS = {
    "builtin": catalog_servers.MailnameConsumer,
    "bind": catalog_servers.BindConsumer,
    "knot": catalog_servers.KnotConsumer,
}
_AT_ONCE = 200
_PATIENCE = 600.0


def texts(names: Iterable[str], serial: int) -> dict[str, str]:
    """Return each domain's zone, from a plan of its own."""
    found = {}
    for number, name in enumerate(names):
        plan = load(PLAN.format(name=name, host=number % 250 + 3), "plan.toml").plan
        (zone,) = expand_all(plan, Serial(serial))
        found[f"{name}."] = b"".join(zone_text(zone)).decode()
    return found


def wait_for(port: int, names: Iterable[str], serial: int) -> float:
    """Ask for each zone until it is answered with this serial; return the seconds that it took."""
    began = time.perf_counter()
    queries = {name: dns.message.make_query(name, "SOA") for name in names}
    pending = {(query.id, name): query.to_wire() for name, query in queries.items()}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        asking.settimeout(0.05)
        while pending:
            if time.perf_counter() - began > _PATIENCE:
                raise SystemExit(f"{len(pending)} zones did not come within {_PATIENCE:.0f} s")
            for wire in list(pending.values())[:_AT_ONCE]:
                asking.sendto(wire, (LOOPBACK, port))
            before = len(pending)
            with contextlib.suppress(TimeoutError):
                while True:
                    _take(asking.recv(4096), pending, serial)
            if len(pending) == before:  # those in front are not there yet: ask others as well
                first = list(pending)[:_AT_ONCE]
                pending |= {one: pending.pop(one) for one in first}
                time.sleep(0.05)
    return time.perf_counter() - began


def _take(octets: bytes, pending: dict[tuple[int, str], bytes], serial: int) -> None:
    try:
        answer = dns.message.from_wire(octets)
    except dns.exception.DNSException:
        return
    for rrset in answer.answer:
        if rrset.rdtype == dns.rdatatype.SOA and rrset[0].serial == serial:
            pending.pop((answer.id, rrset.name.to_text()), None)


def step(what: str, count: int, pids: list[int], act: Callable[[], float]) -> None:
    """Do one step, and print what it took."""
    before = [cpu_seconds([pid]) for pid in pids]
    began = time.perf_counter()
    act()
    took = time.perf_counter() - began
    used = [cpu_seconds([pid]) - was for pid, was in zip(pids, before, strict=True)]
    each = f"{used[0] / count * 1e3:.2f} and {used[1] / count * 1e3:.2f} ms of processor time for each zone"
    print(f"  {what}: {took:.1f} s; primary {used[0]:.1f} s, secondary {used[1]:.1f} s ({each})", flush=True)


def measure(primary: str, secondary: str, domains: int) -> None:
    """Go through all steps with one pair."""
    names = [f"d{number}.example" for number in range(domains)]
    began = time.process_time()
    zones = texts(names, 1)
    print(f"{primary} → {secondary}, {domains} domains")
    print(f"  from plans to zones: {time.process_time() - began:.1f} s of processor time", flush=True)
    port = free_port()
    producer = PRODUCERS[primary](port)
    producer.options += MANY["BIND"] if primary == "bind" else ""
    with producer:
        consumer = CONSUMERS[secondary](producer.port, port)
        consumer.options += {"bind": MANY["BIND"], "knot": MANY["Knot"]}.get(secondary, "")
        with consumer:
            pids = [producer.pid, consumer.pid]

            def put(every: dict[str, str]) -> None:
                producer.put(every)
                if primary == "bind":  # an order for all may pass over a zone while many others are loaded
                    producer.reload(catalog_servers.CATALOG)

            def first() -> float:
                put(zones)
                return wait_for(port, zones, 1)

            def one() -> float:
                name = next(iter(zones))
                text = texts([name.rstrip(".")], 2)[name]
                if isinstance(producer, catalog_servers.MailnameProducer):  # it has them in a folder of their own
                    (producer.folder / "zones" / f"{name}zone").write_text(text)
                    producer.reload(name)
                else:
                    producer.publish(name, text)
                return wait_for(port, [name], 2)

            def all_of_them() -> float:
                put(texts(names, 3))
                return wait_for(port, zones, 3)

            step("published, and at the secondary by the catalog", domains, pids, first)
            step("one changed", 1, pids, one)
            step("all changed", domains, pids, all_of_them)
            most = [status_megabytes(pid, "VmHWM") for pid in pids]
            print(f"  the most memory: primary {most[0]:.0f} MB, secondary {most[1]:.0f} MB", flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--domains", type=int, default=10_000)
    options.add_argument("--pairs", default="builtin-knot,bind-builtin")
    chosen = options.parse_args()
    for pair in chosen.pairs.split(","):
        measure(*pair.split("-"), chosen.domains)
