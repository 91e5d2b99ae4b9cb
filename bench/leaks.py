"""Ask ``mailname serve`` millions of questions and reload its zones a thousand times: does it hold more afterwards than before?

Usage: ``make leaks`` (``ARGS="--questions 10000000 --reloads 1000"``). Printed are resident memory and open descriptors of the
server, after each tenth of the work. What a server must hold (a larger heap, the memory of clients) it holds after the first
tenth; what grows on from there leaks.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dns.edns
import dns.message

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.interop.real_servers import free_port  # noqa: E402 - the root of the repository is no installed package

from mailname.server.control import ask  # noqa: E402 - the same

WINDOW = 48  # questions on the way at once
NAMES = 500  # laid out in a thread


def zone_text(serial: int, names: int) -> str:
    head = f"$TTL 3600\n@ SOA ns1 hostmaster {serial} 7200 3600 1209600 3600\n@ NS ns1\n@ MX 10 mail\n"
    return f"{head}ns1 A 192.0.2.1\nmail A 192.0.2.2\n" + "".join(
        f"n{number} A 192.0.2.{serial % 250}\n" for number in range(names)
    )


def questions() -> list[bytes]:
    """Return questions of all kinds: plain ones, with cookies, refused, malformed."""
    made = []
    for number in range(400):
        name, rdtype = [
            (f"n{number}.small.example.", "A"),
            ("small.example.", "MX"),
            (f"x{number}.large.example.", "A"),
            (f"n{number}.large.example.", "AAAA"),
            ("large.example.", "SOA"),
            (f"n{number}.elsewhere.example.", "A"),
            ("large.example.", "ANY"),
            (f"n{number}.large.example.", "A"),
        ][number % 8]
        query = dns.message.make_query(name, rdtype, use_edns=0 if number % 3 else False)
        if number % 9 == 1:
            query.use_edns(0, options=[dns.edns.GenericOption(dns.edns.OptionType.COOKIE, random.randbytes(8))])
        made.append(query.to_wire())
    made.append(made[0][:-6])
    return made


def pour(port: int, count: int, asked: list[bytes]) -> int:
    """Ask questions, WINDOW at once; return how many were answered."""
    answered = 0
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.connect(("127.0.0.1", port))
        udp.settimeout(0.2)
        for start in range(0, count, WINDOW):
            try:
                for number in range(start, start + WINDOW):
                    udp.send(asked[number % len(asked)])
                for _ in range(WINDOW):
                    udp.recv(2000)
                    answered += 1
            except (TimeoutError, ConnectionRefusedError):
                continue
        with contextlib.suppress(TimeoutError, ConnectionRefusedError):  # what comes late, after a wait ran out, is an answer too
            while answered < count:
                udp.recv(2000)
                answered += 1
    return answered


def held(pid: int) -> tuple[int, int, int]:
    """Return KiB resident, descriptors, threads."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmRSS"].split()[0]), len(list(Path(f"/proc/{pid}/fd").iterdir())), int(status["Threads"])


def reload(folder: Path, serial: int) -> None:
    for zone, names in (("small", 10), ("large", NAMES)):
        (folder / f"{zone}.example.zone").write_text(zone_text(serial, names))
    answer = asyncio.run(ask(folder / "control", {"do": "reload"}))
    assert answer["ok"], answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=2_000_000)
    parser.add_argument("--reloads", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for zone, names in (("small", 10), ("large", NAMES)):
            (folder / f"{zone}.example.zone").write_text(zone_text(1, names))
        words = [str(Path(sys.executable).with_name("mailname")), "serve", "--zones", name, "--listen", f"127.0.0.1:{port}"]
        words += ["--control", str(folder / "control"), "--workers", str(options.workers)]
        server = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        try:
            measure(server.pid, port, folder, options)
        finally:
            server.terminate()
            server.wait(30)


def measure(pid: int, port: int, folder: Path, options: argparse.Namespace) -> None:
    asked, answered, serial = questions(), 0, 1
    while not (folder / "control").exists() or not pour(port, WINDOW, asked):
        time.sleep(0.1)
    print("questions  answered  reloads  KiB resident  descriptors  threads")
    for tenth in range(11):
        if tenth:
            answered += pour(port, options.questions // 10, asked)
            for _ in range(options.reloads // 10):
                serial += 1
                reload(folder, serial)
        resident, descriptors, threads = held(pid)
        done = tenth * (options.questions // 10)
        print(f"{done:9}  {answered:8}  {serial - 1:7}  {resident:12}  {descriptors:11}  {threads:7}", flush=True)


if __name__ == "__main__":
    main()
