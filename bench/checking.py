"""How long a verdict takes, and how much is told: mailname beside Zonemaster and DNSViz, in a network namespace.

The world is the lab's (root, one TLD, two name servers, a mail host) on real addresses, IPv4 alone; what is broken is broken by
nftables. Needs root, ``ip`` and ``nft``; peers that are not installed are left out.
"""

from __future__ import annotations

import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.many_domains import Swept, measure
from tests.interop.programs import find

import mailname

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLAN = """
domain = "example.tech"
contact = "hostmaster@example.tech"
website = ["192.0.2.1"]
[[name_server]]
name = "ns1.example.tech"
addresses = ["192.0.2.1"]
role = "secondary"
[[name_server]]
name = "ns2.example.tech"
addresses = ["198.51.100.2"]
role = "primary"
[[mail_host]]
name = "mail.example.tech"
addresses = ["198.51.100.2"]
"""
ADDRESSES = (*(f"198.18.0.{number}" for number in range(1, 6)), "192.0.2.1", "198.51.100.2")
HINTS = ". 3600 IN NS a.root-servers.invalid.\na.root-servers.invalid. 3600 IN A 198.18.0.1\n"
SECONDARY = "ip daddr 192.0.2.1"
PRIMARY = "ip daddr 198.51.100.2"
BOTH = "ip daddr { 192.0.2.1, 198.51.100.2 }"
CASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("healthy", ()),
    ("UDP of one server dropped", (f"{SECONDARY} udp dport 53 drop",)),
    ("TCP of one server dropped", (f"{SECONDARY} tcp dport 53 drop",)),
    ("both of one server dropped", (f"{SECONDARY} udp dport 53 drop", f"{SECONDARY} tcp dport 53 drop")),
    ("all name servers dropped", (f"{BOTH} udp dport 53 drop", f"{BOTH} tcp dport 53 drop")),
)
# Whichever server it is: measured for mailname alone, as the others need most of a minute for each.
AT_THE_PRIMARY: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("UDP of the primary dropped", (f"{PRIMARY} udp dport 53 drop",)),
    ("TCP of the primary dropped", (f"{PRIMARY} tcp dport 53 drop",)),
    ("both of the primary dropped", (f"{PRIMARY} udp dport 53 drop", f"{PRIMARY} tcp dport 53 drop")),
)
SECONDS_AT_MOST = {"healthy": 0.4}
_AT_MOST = 4.0
_QUESTIONS_AT_MOST = 45
_PATIENCE = 300
_DOMAINS, _JOBS, _LIST_AT_MOST = 1000, 32, 20.0


@dataclass(slots=True)
class Told:
    """What one program said of one case, over several runs."""

    name: str
    seconds: list[float] = field(default_factory=list)
    questions: int | None = None
    messages: int = 0
    says: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "seconds": [round(one, 3) for one in self.seconds],
            "questions": self.questions,
            "messages": self.messages,
            "says": self.says,
        }


class Namespace:
    """A network namespace with a loopback interface, some addresses, and packets dropped at will."""

    def __init__(self, name: str) -> None:
        self._prefix = ["ip", "netns", "exec", name]

    def command(self, *words: str) -> list[str]:
        return [*self._prefix, *words]

    def run(self, *words: str) -> str:
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False, timeout=_PATIENCE)
        return done.stdout

    @contextmanager
    def dropping(self, rules: tuple[str, ...]) -> Iterator[None]:
        chain = "\n".join(("type filter hook input priority 0;", *rules))
        given = f"table inet bench {{\nchain into {{\n{chain}\n}}\n}}\n"
        subprocess.run(self.command("nft", "-f", "-"), input=given, text=True, check=True)
        try:
            yield
        finally:
            self.run("nft", "delete", "table", "inet", "bench")


@contextmanager
def namespace() -> Iterator[Namespace]:
    """Make a namespace; it is gone afterwards."""
    name = f"mailname-bench-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        for address in ADDRESSES:
            subprocess.run(["ip", "-n", name, "addr", "add", f"{address}/32", "dev", "lo"], check=True)
        yield Namespace(name)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


@contextmanager
def lab(inside: Namespace, folder: Path) -> Iterator[None]:
    """Run the lab in the namespace until it is left."""
    plan = folder / "example.tech.toml"
    plan.write_text(PLAN)
    (folder / "hints").write_text(HINTS)
    command = inside.command(_mailname(), "rehearse", str(plan), "--real-addresses", "--serve")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            if not any("It keeps running" in line for line in process.stdout):
                raise SystemExit("bench: the lab did not start in the network namespace")
            yield
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _mailname() -> str:
    return str(Path(sys.executable).with_name("mailname"))


def _ours(inside: Namespace, folder: Path, told: Told) -> None:
    words = ("check", str(folder / "example.tech.toml"), "--root-hints", str(folder / "hints"), "--ipv4", "--json")
    said = json.loads(inside.run(_mailname(), *words, "--resolver", "198.18.0.5"))
    told.questions = said["queries"]
    causes = [said["cause"], *said["also"]] if said["cause"] else []
    told.messages = len(causes)
    told.says = " ".join(one["code"] for one in causes) or said["verdict"]


def _zonemaster(inside: Namespace, folder: Path, told: Told) -> None:
    hints = folder / "zonemaster.hints"
    hints.write_text(". NS a.root-servers.invalid.\na.root-servers.invalid. A 198.18.0.1\n")
    words = ("--level", "NOTICE", "--no-ipv6", "--hints", str(hints), "--no-progress", "--raw", "example.tech")
    lines = [line for line in inside.run("zonemaster-cli", *words).splitlines() if " " in line.strip()]
    told.messages = len(lines)
    told.says = f"{told.messages} messages"


def _dnsviz(inside: Namespace, folder: Path, told: Told) -> None:
    seen = folder / "dnsviz.json"
    inside.run(
        "dnsviz", "probe", "-4", "-A", "-a", ".", "-x", ".:a.root-servers.invalid=198.18.0.1", "-o", str(seen), "example.tech"
    )
    lines = inside.run("dnsviz", "grok", "-l", "warning", "-r", str(seen)).splitlines() if seen.exists() else []
    told.messages = len(lines)
    told.says = f"{told.messages} lines"


_PROGRAMS: dict[str, tuple[str, Callable[[Namespace, Path, Told], None]]] = {
    "mailname": ("python3", _ours),
    "Zonemaster": ("zonemaster-cli", _zonemaster),
    "DNSViz": ("dnsviz", _dnsviz),
}


def check_row(runs: int) -> dict[str, Any]:
    """Measure how long each program takes for each case, and how many messages it tells."""
    entry: dict[str, Any] = {"key": "check", "title": "A verdict on a domain with two name servers, start-up included"}
    if os.geteuid() != 0 or not find("nft") or not find("ip"):
        return {**entry, "notes": ["A network namespace needs root, `ip` and `nft`: not measured."]}
    programs = {name: run for name, (program, run) in _PROGRAMS.items() if find(program)}
    cases = []
    # As pip leaves an installed package; where Python may not write bytecode, each start would compile all of it anew.
    compileall.compile_dir(Path(mailname.__file__).parent, quiet=1)
    with tempfile.TemporaryDirectory(prefix="bench-") as text, namespace() as inside, lab(inside, Path(text)):
        folder = Path(text)
        for title, rules in (*CASES, *AT_THE_PRIMARY):
            found = [Told(name) for name in programs if (title, rules) in CASES or name == "mailname"]
            with inside.dropping(rules):
                for _ in range(runs):
                    for told in found:
                        began = time.perf_counter()
                        programs[told.name](inside, folder, told)
                        told.seconds.append(time.perf_counter() - began)
            cases.append({"case": title, "told": [told.as_dict() for told in found]})
    aims = [*(_aim(case) for case in cases), _aim_of_a_list(measure(_DOMAINS, _JOBS))]
    reached = all(done for done, _ in aims)
    return {**entry, "cases": cases, "aims": [says for _, says in aims], "reached": reached}


def _aim_of_a_list(swept: Swept) -> tuple[bool, str]:
    done = swept.seconds <= _LIST_AT_MOST and not swept.wrong
    return done, f"{swept}; ≤ {_LIST_AT_MOST:.0f} s: {'reached' if done else 'not reached'}"


def _aim(case: dict[str, Any]) -> tuple[bool, str]:
    ours = case["told"][0]
    seconds, most = statistics.median(ours["seconds"]), SECONDS_AT_MOST.get(case["case"], _AT_MOST)
    one_cause = ours["messages"] == (0 if case["case"] == "healthy" else 1)
    few = case["case"] != "healthy" or ours["questions"] <= _QUESTIONS_AT_MOST
    done = seconds <= most and one_cause and few
    says = f"{case['case']}: {seconds:.2f} s (≤ {most} s), {ours['questions']} questions, {ours['says']}"
    return done, f"{says}: {'reached' if done else 'not reached'}"
