"""Two secondaries and a primary under questions, publications, kills and cuts at random: ``make soak SECONDS=3600``.

The primary publishes two zones by file and order and a third one by ``mailname publish``; the first secondary transfers from it,
the second one from either of the two. Everything that they say to each other passes links that drop, stall, reset, cut, delay,
duplicate or spoil it (all transfers are signed). Any of the three is killed at random, but the second secondary never, and the
primary only in the first part, so that what a process holds after a long time can be told.

Asked all the time, and at the end of each round once it is quiet: is every answer one of the versions that were published, whole;
does what a server answers never fall, across kills too; is what was confirmed there after any kill; is no question unanswered
while the process is up; do all hold the last version soon after the last fault. A summary goes to build/soak.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.tsig
from scripts.soak_link import FAULTS, Link
from scripts.soak_servers import KEY, PROGRAM, Held, ServerProcess, free_port, question, transferred
from scripts.soak_zones import Versions, Window, WrongAnswerError, plan_text

from mailname.errors import HostError
from mailname.server.atomic import write_atomic
from mailname.server.keyfile import load_key_file, make_key_file
from mailname.server.network import Endpoint
from mailname.server.network_map import MappedNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("primary", "secondary", "third")
TEXT_ZONES = {"small.example": 12, "large.example": 1200}
PLANNED = "example.tech"
IN_PLAN = {"primary": "198.51.100.2", "secondary": "192.0.2.1"}
QUIET = 240.0  # seconds until all must hold the last version after the last fault
PATIENCE = 9.0  # seconds for the second try of a question; the machine may be busy
MOST_GROWTH = 10_240  # KiB between the first sample and the last one of a process that lives long


@dataclass(slots=True)
class Tally:
    """What happened."""

    publications: int = 0
    confirmed: int = 0
    spoiled: int = 0
    cli_runs: int = 0
    cli_kills: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    cuts: Counter[str] = field(default_factory=Counter)
    questions: Counter[str] = field(default_factory=Counter)
    transfers: int = 0
    second_tries: int = 0
    unanswered: int = 0
    rounds: int = 0
    catch_up: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Soak:
    """One run."""

    def __init__(self, folder: Path, seconds: float, seed: int, rate: float) -> None:
        self.folder, self.seconds, self.rate = folder, seconds, rate
        self.chance = random.Random(seed)
        self.port = free_port()
        self.servers = {name: ServerProcess(name, f"127.0.0.{2 + at}", self.port, folder) for at, name in enumerate(NAMES)}
        self.zones = {zone: Versions(zone, names, seed) for zone, names in TEXT_ZONES.items()}
        self.planned = Versions(PLANNED, 1, seed)
        self.windows = {(name, zone): Window() for name in NAMES for zone in (*TEXT_ZONES, PLANNED)}
        self.serials = dict.fromkeys(NAMES, 0)  # of the planned zone, whose serials are dates
        self.links = {
            (one, other): Link(_face(other, one), self.servers[other].address, _face(one, other), self.port, self.chance)
            for one in NAMES
            for other in NAMES
            if one != other
        }
        self.tally = Tally()
        self.held: dict[str, list[Held]] = {name: [] for name in NAMES}
        self.began = time.monotonic()
        self.ending = False
        self.rows: list[str] = []
        make_key_file(folder / "key", dns.name.from_text(KEY))
        key = load_key_file(folder / "key")
        self.key = dns.tsig.Key(key.name, key.secret, key.algorithm)

    def _elapsed(self) -> float:
        return time.monotonic() - self.began

    def _wrong(self, says: str) -> None:
        said = f"{self._elapsed():.1f} s: {says}"
        self.tally.wrong.append(said)
        print(f"WRONG {said}", flush=True)

    # Configuration

    def configure(self) -> None:
        """Write what the servers read."""
        for name, server in self.servers.items():
            lines = [f'listen = ["{server.address}:{self.port}"]', f'state = "{name}"', f'control = "{server.control}"']
            lines += ["[[key]]", 'file = "key"']
            for zone in (*TEXT_ZONES, PLANNED):
                role = "primary" if name == "primary" else "secondary"
                lines += ["[[zone]]", f'name = "{zone}"', f'role = "{role}"']
                lines += [f'file = "{zone}.zone"'] if role == "primary" else []
                lines += ['allow_transfer = ["127.0.0.0/8"]']  # to us, who transfer from each of them
                above = NAMES[: NAMES.index(name)]
                below = NAMES[NAMES.index(name) + 1 :]
                for kind, peers in (("primary", above), ("secondary", below)):
                    for peer in peers:
                        lines += [f"[[zone.{kind}]]", f'address = "{_face(peer, name)}"', f"port = {self.port}", f'key = "{KEY}"']
            server.config.write_text("\n".join(lines) + "\n")
        network = MappedNetwork(
            {Endpoint(ip_address(IN_PLAN[name])): (self.servers[name].address, self.port) for name in IN_PLAN}
        )
        network.save(self.folder / "network.json")

    # Publishing

    def _write(self, zone: str, text: str) -> None:
        write_atomic(self.folder / f"{zone}.zone", text.encode())

    async def publish_text(self, zone: str) -> bool:
        """Write a new version and order it; what was confirmed must never be lost."""
        versions = self.zones[zone]
        version = versions.next()
        self._write(zone, versions.text(version))
        self.tally.publications += 1
        if await self.servers["primary"].order("reload", zone):
            self.windows["primary", zone].raise_to(version)
            self.tally.confirmed += 1
            return True
        return False

    async def publish_spoiled(self, zone: str) -> None:
        """Offer an older version, one that is cut or one with a mistake: refused, and what is served stays."""
        versions = self.zones[zone]
        good = (self.folder / f"{zone}.zone").read_bytes()
        older = versions.text(max(versions.newest - self.chance.randint(1, 5), 1)).encode()
        bad = self.chance.choice([older, good + b"x A 999.9.9.9\n", b"", good.replace(b"NS ns1", b"NS", 1)])
        write_atomic(self.folder / f"{zone}.zone", bad)
        self.tally.spoiled += 1
        if await self.servers["primary"].order("reload", zone) and bad != good:
            self._wrong(f"{zone}: a spoiled file was taken over")
        await asyncio.sleep(self.chance.random())
        write_atomic(self.folder / f"{zone}.zone", good)

    async def publish_plan(self, *, kill: bool) -> bool:
        """Run ``mailname publish``, and kill it somewhere, or not."""
        self.planned.newest += 1
        version = self.planned.newest
        plan = self.folder / "plan.toml"
        plan.write_text(plan_text(version, IN_PLAN["primary"], IN_PLAN["secondary"]))
        words = ["publish", str(plan), "--network", str(self.folder / "network.json"), "--wait", "0.1"]
        words += ["--control", str(self.servers["primary"].control), "--yes-really"]
        self.tally.publications += 1
        self.tally.cli_runs += 1
        with (self.folder / "publish.log").open("ab") as log:
            run = await asyncio.create_subprocess_exec(PROGRAM, *words, stdout=log, stderr=log)
            if kill:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(run.wait(), 0.3 + self.chance.random() * 1.2)
                if run.returncode is None:
                    run.kill()
                    self.tally.cli_kills += 1
            status = await run.wait()
        if status in (0, 1):  # published; whether all servers had it within the time is another matter
            self.windows["primary", PLANNED].raise_to(version)
            self.tally.confirmed += 1
            return True
        return False

    async def _publishing(self, until: float) -> None:
        while time.monotonic() < until:
            await asyncio.sleep(self.chance.uniform(0.3, 3.5))
            zone = self.chance.choice(list(TEXT_ZONES))
            what = self.chance.random()
            if what < 0.15:
                await self.publish_plan(kill=self.chance.random() < 0.5)
            elif what < 0.25:
                await self.publish_spoiled(zone)
            else:
                await self.publish_text(zone)

    # Faults

    async def _restarted(self, server: ServerProcess) -> None:
        how = signal.SIGTERM if self.chance.random() < 0.1 else signal.SIGKILL
        self.tally.kills[f"{server.name} {how.name}"] += 1
        await server.end(how)
        await asyncio.sleep(self.chance.uniform(0, 2))
        await server.start()

    async def _killing(self, until: float) -> None:
        while time.monotonic() < until:
            await asyncio.sleep(self.chance.uniform(2, 14))
            early = self._elapsed() < 0.6 * self.seconds
            victims = ["primary", "secondary"] if early else ["secondary"]
            chosen = victims if self.chance.random() < 0.15 else [self.chance.choice(victims)]
            await asyncio.gather(*(self._restarted(self.servers[name]) for name in chosen))

    async def _cutting(self, until: float) -> None:
        while time.monotonic() < until:
            await asyncio.sleep(self.chance.uniform(0.5, 5))
            links = self.chance.sample(list(self.links.values()), self.chance.randint(1, len(self.links)))
            fault = self.chance.choice(FAULTS)
            self.tally.cuts[fault] += 1
            for link in links:
                link.spoil(fault)
            await asyncio.sleep(min(self.chance.uniform(0.2, 7), max(until - time.monotonic(), 0)))
            for link in links:
                link.heal()

    # Questions

    async def _asking(self, name: str) -> None:
        chance = random.Random(f"{name} {self.chance.random()}")
        server = self.servers[name]
        while not self.ending:
            await asyncio.sleep(chance.expovariate(self.rate))
            if not server.up:
                continue
            if chance.random() < 0.1:
                zone, ask = PLANNED, self._planned_question(name, chance)
            else:
                zone = chance.choice(list(TEXT_ZONES))
                ask = self.zones[zone].question(chance, self.windows[name, zone])
            with contextlib.suppress(WrongAnswerError):
                await self._asked(name, zone, *ask, tcp=chance.random() < 0.03)

    def _planned_question(
        self, name: str, chance: random.Random
    ) -> tuple[dns.message.Message, Callable[[dns.message.Message], int]]:
        window, serial = self.windows[name, PLANNED], self.serials[name]
        floor = window.floor
        if chance.random() < 0.5:

            def judge(answer: dns.message.Message) -> int:
                found = [one.serial for rrset in answer.answer for one in rrset if rrset.rdtype == dns.rdatatype.SOA]
                if len(found) != 1 or found[0] < serial:
                    raise WrongAnswerError(f"{PLANNED}: serials {found} where {serial} was seen")
                self.serials[name] = max(self.serials[name], found[0])
                return floor

            return dns.message.make_query(PLANNED, "SOA"), judge
        return dns.message.make_query(f"now.{PLANNED}", "TXT"), lambda answer: self.planned.now(answer, floor)

    async def _asked(
        self, name: str, zone: str, query: dns.message.Message, judge: Callable[[dns.message.Message], int], *, tcp: bool = False
    ) -> None:
        """Ask, again if need be, and judge the answer. A process that was killed meanwhile owes none."""
        server = self.servers[name]
        generation = server.generation
        self.tally.questions[name] += 1
        for patience in (PATIENCE / 3, PATIENCE):
            try:
                answer = await question(query, server.address, self.port, timeout=patience, tcp=tcp)
                break
            except (OSError, dns.exception.DNSException) as error:
                if not server.up or server.generation != generation:
                    return
                self.tally.second_tries += 1
                last = repr(error)
        else:
            self.tally.unanswered += 1
            self._wrong(f"{name}: {query.question[0]} was not answered: {last}")
            return
        try:
            self.windows[name, zone].raise_to(judge(answer))
        except (WrongAnswerError, ValueError, LookupError) as error:
            self._wrong(f"{name} (process {server.generation}): {error}\n{answer}")

    async def _transferring(self) -> None:
        """Transfer a whole zone now and then, and look whether it is one version."""
        while not self.ending:
            await asyncio.sleep(self.chance.uniform(5, 15))
            name, zone = self.chance.choice(NAMES), self.chance.choice(list(TEXT_ZONES))
            if self.servers[name].up:
                await self._transferred(name, zone)

    async def _transferred(self, name: str, zone: str) -> None:
        server = self.servers[name]
        generation, floor = server.generation, self.windows[name, zone].floor
        try:
            records = await asyncio.to_thread(transferred, zone, server.address, self.port, self.key, 30.0)
        except (OSError, EOFError, dns.exception.DNSException) as error:
            if server.up and server.generation == generation:
                self._wrong(f"{name}: {zone} could not be transferred: {error!r}")
            return
        self.tally.transfers += 1
        try:
            self.windows[name, zone].raise_to(self.zones[zone].judge_whole(records, floor))
        except WrongAnswerError as error:
            self._wrong(f"{name}: {error}")

    # Rounds

    async def run(self) -> None:
        """Go on until the time is over."""
        self.configure()
        for zone, versions in self.zones.items():
            self._write(zone, versions.text(versions.next()))
        self._write(
            PLANNED, "@ SOA ns1 hostmaster 1 14400 3600 1209600 60\n@ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\nns2 A 192.0.2.2\n"
        )
        watchers: list[asyncio.Task[None]] = []
        try:
            for link in self.links.values():
                await link.start()
            for server in self.servers.values():
                await server.start()
            await self._all_in_step()
            self.began = time.monotonic()
            watchers = [asyncio.create_task(self._asking(name)) for name in NAMES]
            watchers.append(asyncio.create_task(self._transferring()))
            while self._elapsed() < self.seconds:
                await self._round(min(60.0, max(self.seconds / 5, 8.0)))
        finally:
            self.ending = True
            await asyncio.gather(*watchers)
            self.rows = self._growth()
            for link in self.links.values():
                await link.stop()
            for server in self.servers.values():
                await server.end(signal.SIGTERM)
        for server in self.servers.values():
            if any(server.exits):
                self._wrong(f"{server.name} ended with {server.exits}")

    async def _round(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        await asyncio.gather(self._publishing(until), self._killing(until), self._cutting(until))
        await self._all_in_step()
        for name, server in self.servers.items():
            if (held := server.held()) is not None:
                self.held[name].append(held)
            for zone in TEXT_ZONES:
                await self._transferred(name, zone)
        self.tally.rounds += 1
        latest = {name: held[-1].resident // 1024 for name, held in self.held.items() if held}
        print(
            f"{self._elapsed():6.0f} s: {self.tally.publications} publications, {self.tally.kills.total()} kills,"
            f" {self.tally.cuts.total()} cuts, {self.tally.questions.total()} questions, {len(self.tally.wrong)} wrong,"
            f" in step after {self.tally.catch_up[-1]:.1f} s; MiB {latest}",
            flush=True,
        )

    async def _all_in_step(self) -> None:
        """Wait until all hold the last version; first without, then with something new: a NOTIFY that is lost must not matter."""
        began = time.monotonic()
        for zone, versions in self.zones.items():
            if not await self.servers["primary"].order("reload", zone):
                self._wrong(f"{zone}: the last version could not be loaded: {await self.servers['primary'].status()}")
            self.windows["primary", zone].raise_to(versions.newest)
        await self._hold({zone: versions.newest for zone, versions in self.zones.items()})
        self.tally.catch_up.append(time.monotonic() - began)
        for zone in self.zones:
            if not await self.publish_text(zone):
                self._wrong(f"{zone}: could not be published in quiet")
        if not await self.publish_plan(kill=False):
            self._wrong(f"{PLANNED}: could not be published in quiet; see publish.log")
        await self._hold({zone: versions.newest for zone, versions in self.zones.items()} | {PLANNED: self.planned.newest})

    async def _hold(self, wanted: dict[str, int]) -> None:
        """Wait until every server answers with these versions."""
        deadline = time.monotonic() + QUIET
        missing = {(name, zone) for name in NAMES for zone in wanted}
        while missing:
            for name, zone in sorted(missing):
                with contextlib.suppress(OSError, dns.exception.DNSException, ValueError, LookupError):
                    query = dns.message.make_query(f"now.{zone}", "TXT")
                    answer = await question(query, self.servers[name].address, self.port, timeout=PATIENCE)
                    found = int(b"".join(answer.answer[0][0].strings).split()[0])
                    if found == wanted[zone]:
                        self.windows[name, zone].raise_to(found)
                        missing.discard((name, zone))
            if missing and time.monotonic() > deadline:
                for name, zone in sorted(missing):
                    status = [one for one in (await self.servers[name].status()).get("zones", ()) if one["zone"] == f"{zone}."]
                    self._wrong(f"{name}: {zone} is not at {wanted[zone]} after {QUIET:.0f} quiet seconds: {json.dumps(status)}")
                return
            await asyncio.sleep(0.05 if missing else 0)

    # Summary

    def _growth(self) -> list[str]:
        """Return a row for each server: what its last process held at first and at last. Growth is a fault."""
        rows = []
        for name, samples in self.held.items():
            last = [held for held in samples if held.generation == self.servers[name].generation]
            if not last:
                continue
            first, latest = last[min(1, len(last) - 1)], last[-1]
            minutes = (latest.age - first.age) / 60
            rows.append(
                f"| {name}, {minutes:.0f} min | {first.resident / 1024:.1f} → {latest.resident / 1024:.1f}"
                f" | {first.descriptors} → {latest.descriptors} | {first.threads} → {latest.threads} |"
            )
            if latest.resident - first.resident > MOST_GROWTH or latest.descriptors - first.descriptors > 64:
                self._wrong(f"{name} has grown: {first} → {latest}")
        return rows

    def summary(self, seed: int) -> dict[str, Any]:
        """Return what happened, for people and programs."""
        tally = self.tally
        return {
            "schema": "mailname.soak/1",
            "seconds": round(self._elapsed()),
            "seed": seed,
            "rounds": tally.rounds,
            "publications": {"all": tally.publications, "confirmed": tally.confirmed, "spoiled": tally.spoiled},
            "mailname publish": {"runs": tally.cli_runs, "killed": tally.cli_kills},
            "kills": dict(tally.kills),
            "cuts": dict(tally.cuts),
            "questions": dict(tally.questions),
            "second tries": tally.second_tries,
            "unanswered": tally.unanswered,
            "whole zones transferred": tally.transfers,
            "longest catch-up, seconds": round(max(tally.catch_up, default=0), 1),
            "median catch-up, seconds": round(sorted(tally.catch_up)[len(tally.catch_up) // 2], 1) if tally.catch_up else None,
            "memory": self.rows,
            "wrong": tally.wrong,
        }


def _face(of: str, seen_by: str) -> str:
    """Return the address under which one server sees another: a link's."""
    return f"127.1.{2 + NAMES.index(of)}.{2 + NAMES.index(seen_by)}"


def as_table(summary: dict[str, Any]) -> str:
    """Write a summary for docs/reliability.md."""
    plain = {key: value for key, value in summary.items() if key not in ("schema", "memory", "wrong")}
    rows = [f"| {key} | {_cell(value)} |" for key, value in plain.items()]
    rows.append(f"| wrong answers, lost publications, falls | {len(summary['wrong'])} |")
    held = ["| process, sampled over | resident, MiB | descriptors | threads |", "|---|---|---|---|", *summary["memory"]]
    return "\n".join(["| what | |", "|---|---|", *rows, "", *held, ""])


def _cell(value: object) -> str:
    return ", ".join(f"{name} {count}" for name, count in value.items()) if isinstance(value, dict) else str(value)


def main() -> int:
    """Run, and write the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--rate", type=float, default=50, help="questions a second to each server")
    parser.add_argument("--folder", type=Path, help="where the servers live; else a temporary folder")
    parser.add_argument("--summary", type=Path, default=ROOT / "build" / "soak", help="the folder for the summary")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        folder.mkdir(parents=True, exist_ok=True)
        soak = Soak(folder, options.seconds, options.seed, options.rate)
        try:
            asyncio.run(soak.run())
        except HostError as error:
            soak.tally.wrong.append(str(error))
        summary = soak.summary(options.seed)
    options.summary.mkdir(parents=True, exist_ok=True)
    (options.summary / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    (options.summary / "summary.md").write_text(as_table(summary))
    print(as_table(summary))
    for one in summary["wrong"]:
        print(one)
    return bool(summary["wrong"])


if __name__ == "__main__":
    sys.exit(main())
