"""A lab with a thousand domains in one server process, and how long the check of all of them takes.

    python bench/many_domains.py [--domains 1000] [--jobs 32]

Root, eight TLDs with two servers each, fifty providers with two name servers and a mail host each. Every tenth domain is
broken, in one of five ways. The server process answers in Python; it takes the second core, the check the first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import dns.name  # noqa: E402  after the path

from mailname.lab.authority import Authority  # noqa: E402  after the path
from mailname.lab.mail_host import MailHost  # noqa: E402  after the path
from mailname.lab.network import LabNetwork  # noqa: E402  after the path
from mailname.server.network import Endpoint  # noqa: E402  after the path
from mailname.zone.text import read_zone  # noqa: E402  after the path

if TYPE_CHECKING:
    from mailname.zone import Zone

TLDS = ("tech", "org", "net", "info", "name", "shop", "blog", "wiki")
PROVIDERS = 50
BREAKS = ("no glue", "no address", "not registered", "alias", "not loaded")
SOA = "@ SOA ns1 hostmaster 2026112201 14400 3600 1209600 3600"


def zone(text: str, apex: str) -> Zone:
    return read_zone(f"$TTL 3600\n{text}\n", apex, dns.name.from_text(apex)).zone


def address(kind: int, number: int) -> IPv4Address:
    return IPv4Address(int(IPv4Address("198.18.0.0")) + kind * 1024 + number)


def broken(number: int) -> str:
    return BREAKS[number // 10 % len(BREAKS)] if number % 10 == 7 else ""


class World:
    """All zones, and who serves them."""

    def __init__(self, domains: int) -> None:
        self.network = LabNetwork()
        self.names = [f"d{number}.{TLDS[number % len(TLDS)]}" for number in range(domains)]
        root_at = address(0, 1)
        self.network.root_hints = ((dns.name.from_text("a.root."), root_at),)
        lines = [SOA, "@ NS ns1", f"ns1 A {root_at}"]
        tlds: dict[str, list[str]] = {}
        for number, tld in enumerate(TLDS):
            servers = [address(1, 2 * number), address(1, 2 * number + 1)]
            lines += [f"{tld} NS {letter}.nic.{tld}\n{letter}.nic.{tld} A {at}" for letter, at in zip("ab", servers, strict=True)]
            tlds[tld] = [SOA.replace("ns1", "a.nic")] + [
                f"@ NS {letter}.nic\n{letter}.nic A {at}" for letter, at in zip("ab", servers, strict=True)
            ]
        hosted: dict[int, dict[str, str]] = {number: {} for number in range(PROVIDERS)}
        for number, name in enumerate(self.names):
            provider = number % PROVIDERS
            first, second, mail = (address(2 + kind, provider) for kind in range(3))
            how, (label, tld) = broken(number), name.split(".")
            if how != "not registered":
                glue = "" if how == "no glue" else f"ns1.{label} A {first}\nns2.{label} A {second}"
                tlds[tld].append(f"{label} NS ns1.{label}\n{label} NS ns2.{label}\n{glue}")
            host = {"no address": "", "alias": "mail CNAME real\nreal"}.get(how, "mail")
            text = [SOA, "@ NS ns1\n@ NS ns2", f"ns1 A {first}\nns2 A {second}", "@ MX 10 mail", '@ TXT "v=spf1 mx -all"']
            hosted[provider][name] = "\n".join([*text, f"{host} A {mail}" if host else ""])
        self.authorities = [self._authority([root_at], {".": "\n".join(lines)})]
        for number, (tld, entries) in enumerate(tlds.items()):
            at = [address(1, 2 * number), address(1, 2 * number + 1)]
            self.authorities.append(self._authority(at, {f"{tld}.": "\n".join(entries)}))
        self.mail_hosts = []
        for provider, zones in hosted.items():
            self.authorities.append(self._authority([address(2, provider)], zones))
            loaded = {name: text for name, text in zones.items() if broken(self.names.index(name)) != "not loaded"}
            self.authorities.append(self._authority([address(3, provider)], loaded))
            self.mail_hosts.append(MailHost(self.network, f"mx{provider}.example", (address(4, provider),), "example"))

    def _authority(self, at: list[IPv4Address], zones: dict[str, str]) -> Authority:
        authority = Authority(self.network, tuple(map(Endpoint, at)))
        for name, text in zones.items():
            authority.put(zone(text, f"{name.rstrip('.')}."))
        return authority

    async def serve(self, folder: Path) -> None:
        for part in (*self.authorities, *self.mail_hosts):
            await part.start()
        (folder / "names.txt").write_text("\n".join(self.names) + "\n", encoding="utf-8")
        self.network.save(folder / "network.json")
        print("ready", flush=True)
        await asyncio.Event().wait()


def serve(folder: Path, domains: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    asyncio.run(World(domains).serve(folder))


@dataclass(frozen=True, slots=True)
class Swept:
    """What one run over a list took; ``cpu`` is seconds of processor time of the check alone."""

    domains: int
    seconds: float
    cpu: float
    exit_code: int
    wrong: int
    told: str

    def __str__(self) -> str:
        return (
            f"{self.domains} domains in {self.seconds:.1f} s ({self.cpu:.1f} s of CPU in the check), exit code {self.exit_code},"
            f" {self.wrong} judged wrongly"
        )


def measure(domains: int, jobs: int) -> Swept:
    """Check a list of so many domains, so many at once, all of them in one lab."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = subprocess.Popen(
            [sys.executable, __file__, "--serve", name, "--domains", str(domains)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            command = [sys.executable, "-c", RUN]
            options = ["check", str(folder / "names.txt"), "--network", str(folder / "network.json"), "--rate", "0"]
            options += ["--jobs", str(jobs), "--out", str(folder / "out.jsonl")]
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            began = time.perf_counter()
            done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
            took = time.perf_counter() - began
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            lines = [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]
        finally:
            server.terminate()
            server.wait()
    wrong = [
        line["name"] for line in lines if bool(broken(int(line["name"].partition(".")[0][1:]))) == (line["verdict"] == "well")
    ]
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Swept(len(lines), took, used, done.returncode, len(wrong), done.stderr.strip())


RUN = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); from mailname.cli.main import main; main()"

if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--domains", type=int, default=1000)
    options.add_argument("--jobs", type=int, default=32)
    options.add_argument("--serve", metavar="FOLDER", type=Path)
    chosen = options.parse_args()
    if chosen.serve:
        serve(chosen.serve, chosen.domains)
    else:
        swept = measure(chosen.domains, chosen.jobs)
        print(swept.told, swept, sep="\n")
