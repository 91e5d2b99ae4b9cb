"""A plan's two servers as docs/server.md sets them up, at their own addresses and port 53, each a process of its own.

Updates and key rotations while they run, are killed, and transfer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.interop.mailname_server import mailname_program
from tests.interop.namespace import namespace
from tests.interop.programs import go_without, need

from mailname.errors import HostError
from mailname.server.control import ask
from mailname.server.keyfile import load_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NS1, NS2 = "192.0.2.1", "198.51.100.2"
PLAN = f"""
domain = "example.tech"
contact = "hostmaster@example.tech"
website = ["192.0.2.80"]
[soa]
refresh = 14400
retry = 3600
expire = 1209600
[[name_server]]
name = "ns1.example.tech"
addresses = ["{NS1}"]
role = "secondary"
[[name_server]]
name = "ns2.example.tech"
addresses = ["{NS2}"]
role = "primary"
[[mail_host]]
name = "mail.example.tech"
preference = 10
addresses = ["{NS2}"]
[transfer_key]
name = "transfer.example.tech"
[[update]]
key = "acme.example.tech"
names = ["_acme-challenge", "*.dyn.example.tech"]
types = ["TXT"]
"""
CERTBOT = """
import sys
from types import SimpleNamespace
from certbot_dns_rfc2136._internal.dns_rfc2136 import Authenticator
config = SimpleNamespace(dns_rfc2136_credentials=sys.argv[1], dns_rfc2136_propagation_seconds=0, noninteractive_mode=True)
one = Authenticator(config, "dns-rfc2136")
one._setup_credentials()
getattr(one, sys.argv[2])("example.tech", "_acme-challenge.example.tech", sys.argv[3])
"""
_PATIENCE = 60.0


def until(so: Callable[[], object], says: Callable[[], str] = str) -> None:
    ends = time.monotonic() + _PATIENCE
    while not so():
        assert time.monotonic() < ends, says()
        time.sleep(0.02)


@dataclass
class Machine:
    """One server's folder, and the process in it."""

    name: str
    folder: Path
    inside: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None

    @property
    def control(self) -> Path:
        return self.folder / "control.sock"

    @property
    def key(self) -> Path:
        return self.folder / "transfer.example.tech.key"

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command of ours on this machine."""
        done = subprocess.run(
            [*self.inside, mailname_program(), *words],
            cwd=self.folder,
            env=os.environ | {"MAILNAME_CONTROL": str(self.control), "NO_COLOR": "1", "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def configure(self) -> None:
        """Write the configuration as the page says, with the socket where no other test has one."""
        text = self.run("show", "plan.toml", "--server", f"{self.name}.example.tech")
        (self.folder / "server.toml").write_text(text.replace("/run/mailname/control.sock", str(self.control)))

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            words = [*self.inside, mailname_program(), "serve", "--config", "server.toml"]
            self.process = subprocess.Popen(words, cwd=self.folder, stdout=log, stderr=log)
        until(lambda: self.order("status").get("ok"), (self.folder / "log").read_text)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(_PATIENCE)
            self.process = None

    def order(self, do: str, **more: int) -> dict[str, Any]:
        with contextlib.suppress(HostError):
            return asyncio.run(ask(self.control, {"do": do, **more}))
        return {}

    def zone(self) -> dict[str, Any]:
        """Return what the server says of the zone, once it has loaded it."""
        until(lambda: (self.order("status").get("zones") or [{}])[0].get("serial"), (self.folder / "log").read_text)
        found: dict[str, Any] = self.order("status")["zones"][0]
        return found

    def failures(self, since: str) -> list[dict[str, Any]]:
        """Return what the history tells of transfers that did not come about since then (ISO time)."""
        late = [one for one in self.order("history", most=1000)["events"] if one["end"] >= since]
        return [one for one in late if one["what"] != "notify" and one["result"] not in (None, "ok")]


@dataclass
class PlanPair:
    """The two servers."""

    primary: Machine
    secondary: Machine
    inside: tuple[str, ...]
    acknowledged: list[int] = field(default_factory=list)

    def nsupdate(self, commands: str) -> bool:
        """Send an update with the plan's key; tell whether it was acknowledged."""
        (program,) = need("nsupdate")
        done = subprocess.run(
            [*self.inside, program, "-v", "-t", "5", "-k", str(self.primary.folder / "keys/acme.example.tech.key")],
            input=f"server {NS2}\nzone example.tech\n{commands}\nsend\n",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode == 0

    def answer(self, address: str, owner: str, kind: str) -> list[str]:
        """Return what a server answers to a question."""
        (dig,) = need("dig")
        words = [*self.inside, dig, "+short", "+norec", "+timeout=20", f"@{address}", owner, kind]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()

    def texts(self, address: str, owner: str = "", key: Path | None = None) -> list[list[str]]:
        """Return all records, of one owner or of all, as a transfer brings them; empty where it is refused."""
        (dig,) = need("dig")
        signed = ["-k", str(key or self.primary.key)]
        words = [*self.inside, dig, *signed, "+noall", "+answer", "+onesoa", "+timeout=20", f"@{address}", "example.tech", "AXFR"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        lines = [line.split() for line in done.stdout.splitlines() if line and not line.startswith(";")]
        return [line for line in lines if owner in ("", line[0])]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlanPair]:
    """Follow docs/server.md."""
    folder = tmp_path_factory.mktemp("pair")
    with namespace() as inside:
        for address in (NS1, NS2):
            subprocess.run([*inside, "ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
        primary, secondary = (Machine(name, folder / name, inside) for name in ("ns2", "ns1"))
        for one in (primary, secondary):
            one.folder.mkdir()
            (one.folder / "plan.toml").write_text(PLAN)
            one.configure()
        primary.run("key", "make", "transfer.example.tech")
        (primary.folder / "keys").mkdir()
        primary.run("key", "make", "acme.example.tech", "--output", "keys/acme.example.tech.key")
        shutil.copy(primary.key, secondary.key)
        try:
            primary.start()
            secondary.start()
            primary.run("publish", "plan.toml")
            yield PlanPair(primary, secondary, inside)
        finally:
            primary.end()
            secondary.end()


class TestUpdates:
    def test_outlive_kills_and_publications(self, pair: PlanPair) -> None:
        """What was acknowledged is there, what was not is whole or absent; ``publish`` keeps it, and shows it."""
        chance = random.Random(20261123)
        sent = 0
        ended = threading.Event()

        def update() -> None:
            nonlocal sent
            while not ended.is_set():
                sent += 1
                owner = f"n{sent}.dyn.example.tech."
                if pair.nsupdate(f"update add {owner} 60 TXT one\nupdate add {owner} 60 TXT two"):
                    pair.acknowledged.append(sent)

        sender = threading.Thread(target=update)
        sender.start()
        try:
            for _ in range(3):
                enough = len(pair.acknowledged) + chance.randint(2, 8)
                until(partial(_has, pair.acknowledged, enough))
                time.sleep(chance.random() / 50)  # anywhere in the next one
                seen = pair.primary.zone()["serial"]
                pair.primary.end(signal.SIGKILL)
                pair.primary.start()
                assert pair.primary.zone()["serial"] >= seen
        finally:
            ended.set()
            sender.join()
        found = Counter(line[0] for line in pair.texts(NS2) if ".dyn." in line[0])
        assert {f"n{number}.dyn.example.tech." for number in pair.acknowledged} <= set(found)
        assert set(found.values()) == {2}

        plan = pair.primary.folder / "plan.toml"
        plan.write_text(PLAN.replace("192.0.2.80", "192.0.2.81"))
        for words in (["show", "plan.toml", "--diff"], ["publish", "plan.toml"]):
            told = pair.primary.run(*words, code=0)
            assert "192.0.2.81" in told
            if words[0] == "publish":
                assert f'kept, by update: n{pair.acknowledged[-1]}.dyn.example.tech. TXT "two"' in told
        pair.primary.end(signal.SIGKILL)
        pair.primary.start()
        last = f"n{pair.acknowledged[-1]}.dyn.example.tech."
        for address in (NS1, NS2):
            assert pair.answer(address, "example.tech.", "A") == ["192.0.2.81"]
            assert sorted(pair.answer(address, last, "TXT")) == ['"one"', '"two"']
        assert Counter(line[0] for line in pair.texts(NS2) if ".dyn." in line[0]) == found

    def test_of_certbot_prove_the_domain(self, pair: PlanPair, tmp_path: Path) -> None:
        """Its authenticator for RFC 2136, with nothing but its file of credentials: ``_acme-challenge`` comes, and goes."""
        need("certbot")
        if subprocess.run(["/usr/bin/python3", "-c", "import certbot_dns_rfc2136"], capture_output=True, check=False).returncode:
            go_without("not installed: python3-certbot-dns-rfc2136")
        (key,) = load_keys(pair.primary.folder / "keys/acme.example.tech.key")
        secret = (pair.primary.folder / "keys/acme.example.tech.key").read_text().split('secret "')[1].split('"')[0]
        words = {"server": NS2, "name": key.name.to_text(), "secret": secret, "algorithm": "HMAC-SHA256"}
        credentials = tmp_path / "rfc2136.ini"
        credentials.touch(0o600)
        credentials.write_text("".join(f"dns_rfc2136_{word} = {value}\n" for word, value in words.items()))
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        for step, left in (("_perform", 1), ("_cleanup", 0)):
            words_of_python = ["/usr/bin/python3", "-c", CERTBOT, str(credentials), step, "the-token"]
            done = subprocess.run(
                [*pair.inside, *words_of_python], capture_output=True, text=True, timeout=60, check=False, env=clean
            )
            assert done.returncode == 0, done.stderr
            assert len(pair.texts(NS2, "_acme-challenge.example.tech.")) == left


class TestRotation:
    def test_refuses_no_transfer_meanwhile(self, pair: PlanPair, tmp_path: Path) -> None:
        """A server that is behind keeps the old key alive; at its end that key opens nothing."""
        old = tmp_path / "old.key"
        shutil.copy(pair.primary.key, old)
        ended, fetched = threading.Event(), []

        def transfer() -> None:
            while not ended.is_set():
                fetched.append(len(pair.texts(NS2, key=first_of(pair.secondary.key))))
                pair.secondary.order("retransfer")

        began = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        client = threading.Thread(target=transfer)
        client.start()
        try:
            until(lambda: len(fetched) > 2)
            for _ in range(2):  # the secondary has not got the file: whatever is tried, the old key stays good
                told = pair.primary.run("key", "rotate", "plan.toml", "--wait", "1", code=1)
                assert "ns1.example.tech: has not used the new key yet" in told
                assert [key.name.labels[0] for key in load_keys(pair.primary.key)] == [b"k2", b"transfer"]
                assert pair.texts(NS2, key=old)
            assert "REPL-" not in pair.secondary.run("status") + pair.primary.run("status")
            copied(pair)
            told = pair.primary.run("key", "rotate", "plan.toml", "--wait", "60")
            assert "the old key is gone" in told
            assert "ns1.example.tech still takes the old key" in told
            copied(pair)
            enough = len(fetched) + 3
            until(lambda: len(fetched) >= enough)
        finally:
            ended.set()
            client.join()
        assert min(fetched) > 5, fetched
        assert pair.primary.run("key", "rotate", "plan.toml", "--finish", "--json").count('"k2.transfer.example.tech."') >= 1
        assert pair.primary.failures(began) == []
        assert pair.secondary.failures(began) == []  # a NOTIFY comes with the key that it has been seen to know
        assert pair.texts(NS2, key=old) == []
        plan = pair.primary.folder / "plan.toml"
        plan.write_text(PLAN.replace("192.0.2.80", "192.0.2.82"))
        assert "every server answers with the new serial" in pair.primary.run("publish", "plan.toml", "--wait", "60")


def _has(those: list[int], enough: int) -> bool:
    return len(those) >= enough


def first_of(keys: Path) -> Path:
    """Write a file with the first of several keys, with which a server signs; dig would take any."""
    alone = keys.with_name("first.key")
    alone.touch(0o600)
    alone.write_text(keys.read_text().partition("};")[0] + "};\n")
    return alone


def copied(pair: PlanPair) -> None:
    """Do what the operator is asked to: copy the primary's key file, as a whole, and let the secondary read it."""
    new = pair.secondary.folder / "new.key"
    shutil.copy(pair.primary.key, new)
    new.replace(pair.secondary.key)
    assert json.loads(pair.secondary.run("status", "--json"))["zones"]
    pair.secondary.run("reload")
