"""Counters are exact: what dnsperf sent and received is what ``mailname traffic`` says, whichever program answers."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner
from tests.interop.programs import need

from mailname.checks import Place
from mailname.cli.publish import command as publish
from mailname.cli.traffic import command as traffic
from mailname.lab import Lab
from mailname.lab.driven_server import LabDrivenServer
from mailname.plan import load
from mailname.server.network import Endpoint
from mailname.web.check_log import CheckLog
from mailname.web.domain import Domain, Surroundings
from mailname.web.door import Door
from mailname.web.live import Live
from mailname.web.metrics import exposition
from mailname.web.rounds import Rounds
from mailname.web.site import Site
from mailname.web.traffic_drawing import columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PLAN = """
domain = "example.tech"
contact = "hostmaster@example.tech"
website = ["192.0.2.80", "2001:db8::80"]
[[mail_host]]
name = "mail.example.tech"
addresses = ["198.51.100.2"]
[[record]]
name = "@"
type = "TXT"
data = "v=spf1 mx -all"
"""
ENGINES = {"ns1": "bind", "ns2": "knot", "ns3": "nsd", "ns4": "builtin"}
#: Few enough of each, so that no limit of like answers holds anything back; www is not there.
QUESTIONS = [("example.tech", kind) for kind in ("MX", "TXT", "A", "AAAA")] + [
    ("mail.example.tech", "A"),
    ("www.example.tech", "A"),
]
ROUNDS = 40


def plan() -> str:
    servers = [
        f'[[name_server]]\nname = "{name}.example.tech"\naddresses = ["192.0.2.{number}"]\nengine = "{engine}"\n'
        f'role = "{"primary" if engine == "builtin" else "secondary"}"\n'
        for number, (name, engine) in enumerate(ENGINES.items(), 1)
    ]
    return PLAN + "".join(servers)


def dnsperf(at: tuple[str, int], file: Path, *words: str) -> tuple[int, int, Counter[str]]:
    """Ask all questions; return how many were sent and answered, and with which codes."""
    argv = [
        "dnsperf",
        "-s",
        at[0],
        "-p",
        str(at[1]),
        "-d",
        str(file),
        "-n",
        str(ROUNDS),
        "-c",
        "2",
        "-q",
        "10",
        "-t",
        "30",
        *words,
    ]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    sent, completed = (int(re.findall(rf"Queries {word}: +(\d+)", said)[0]) for word in ("sent", "completed"))
    codes = re.findall(r"Response codes: +(.+)", said)[0]
    return sent, completed, Counter({code: int(count) for code, count in re.findall(r"(\w+) (\d+) ", codes)})


async def told(lab: Lab, file: Path) -> dict[str, dict[str, Any]]:
    """Type ``mailname traffic`` for the plan; return the report of each server by its engine."""
    words = [str(file), "--network", str(lab.network_file), "--for", "0.1", "--json"]
    done = await asyncio.to_thread(CliRunner().invoke, traffic, words)
    assert done.exit_code == 0, done.output
    return {one["engine"]: one["traffic"] for one in json.loads(done.stdout)["servers"]}


def grown(after: Mapping[str, Any], before: Mapping[str, Any], name: str) -> dict[str, int]:
    """Return by how much the counts within a name have grown, without those of the SOA, which servers ask each other for."""
    parts = {key: count - before[name].get(key, 0) for key, count in after[name].items()}
    return {key: count for key, count in parts.items() if count and key != "SOA"}


async def page(lab: Lab) -> dict[str, str]:
    """Look at the page: return what its table and its metrics say."""
    around = Surroundings(lab.network, lab.world, Place(), dict(lab.world.control_sockets))
    domain = Domain(lab.plan, "plan.toml", lambda: around)
    await domain.ask_servers()
    live, log = Live(), CheckLog()
    site = Site(Rounds([domain], live, log, 300), live, log, Door())
    found = {f"{one['server']} questions": one["questions"] for one in columns(domain.traffic, [])}
    for line in exposition(site).decode().splitlines():
        name, _, value = line.rpartition(" ")
        found[name] = value
    return found


class TestTraffic:
    async def test_is_what_dnsperf_sent_and_received(self, tmp_path: Path) -> None:
        """By UDP and by TCP, with EDNS and the DO bit and without; of BIND, Knot, NSD and our own."""
        need("dnsperf", "named", "knotd", "nsd")
        file, asked = tmp_path / "plan.toml", tmp_path / "questions"
        file.write_text(plan())
        asked.write_text("".join(f"{name} {kind}\n" for name, kind in QUESTIONS))
        async with Lab(load(plan(), "plan.toml").plan, tmp_path, engines=True) as lab:
            engines = {one.driven.server.engine for one in lab.secondaries if isinstance(one, LabDrivenServer)}
            assert engines == {"bind", "knot", "nsd"}
            done = await asyncio.to_thread(
                CliRunner().invoke, publish, [str(file), "--network", str(lab.network_file), "--wait", "60"]
            )
            assert done.exit_code == 0, done.output
            before = await told(lab, file)
            sent: dict[str, int] = {}
            codes: dict[str, Counter[str]] = {}
            for server in lab.plan.name_servers:
                at = lab.network.places[Endpoint(server.addresses[0])]
                seen = [await asyncio.to_thread(dnsperf, at, asked, *words) for words in ((), ("-e", "-D"), ("-m", "tcp"))]
                assert [one[:2] for one in seen] == [(ROUNDS * len(QUESTIONS),) * 2] * 3, seen
                sent[server.engine] = sum(one[0] for one in seen)
                codes[server.engine] = sum((one[2] for one in seen), Counter())
            after = await told(lab, file)
            shown = await page(lab)
        server_of = {engine: f"{name}.example.tech" for name, engine in ENGINES.items()}
        kinds = Counter(kind for _, kind in QUESTIONS)
        for engine, count in sent.items():
            report, old = after[engine], before[engine]
            assert grown(report, old, "types") == {kind: 3 * ROUNDS * each for kind, each in kinds.items()}, engine
            assert report["edns"] - old["edns"] >= count // 3, engine
            if "do" not in report.get("not_counted", ()):
                assert report["do"] - old["do"] == count // 3, engine
            soa = report["types"].get("SOA", 0) - old["types"].get("SOA", 0)
            assert report["questions"] - old["questions"] - soa == count, engine
            rcodes = Counter(grown(report, old, "rcodes"))
            rcodes["NOERROR"] -= soa
            assert rcodes == codes[engine], engine
            assert int(shown[f"{server_of[engine]} questions"].replace(",", "")) >= report["questions"], engine  # and SOA since
            for kind in kinds:
                said = shown[f'mailname_questions_by_type_total{{server="{server_of[engine]}",type="{kind}"}}']
                assert float(said) == report["types"][kind], engine
        ours = after["builtin"]
        assert sum(ours["latency"].values()) == sum(one["questions"] for one in ours["names"]) == ours["answers"]
        assert {one["name"] for one in ours["names"]} == {name for name, _ in QUESTIONS}
        assert float(shown[f'mailname_answer_seconds_count{{server="{server_of["builtin"]}"}}']) >= ours["answers"]
