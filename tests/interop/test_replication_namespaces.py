"""A primary and a secondary on machines of their own, a packet filter and a bad line between them; and clocks that are wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.interop.mailname_server import mailname_program
from tests.interop.programs import go_without, need
from tests.interop.rough_link import ADDRESSES, Namespaces, two_machines
from tests.server.running import free_port

from mailname.errors import HostError
from mailname.server.control import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ZONE = "example.tech."
_PATIENCE = 60.0
_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


def zone_text(serial: int, names: int = 1, *, refresh: int = 3600, retry: int = 1, expire: int = 86400) -> str:
    hosts = "\n".join(f"host{number} A 198.51.100.{number % 250}" for number in range(names))
    return f"$TTL 3600\n@ SOA ns1 hostmaster {serial} {refresh} {retry} {expire} 60\n NS ns1\n NS ns2\n" + (
        f"ns1 A 192.0.2.1\nns2 A 192.0.2.2\n{hosts}\n"
    )


@dataclass
class Serving:
    """``mailname serve`` somewhere; its control socket is a file and is reached from here."""

    folder: Path
    listen: str
    zone: str
    prefix: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Serving:
        self.folder.mkdir(exist_ok=True)
        text = f'listen = ["{self.listen}"]\nstate = "state"\ncontrol = "control"\n[[zone]]\nname = "{ZONE}"\n{self.zone}\n'
        (self.folder / "serve.toml").write_text(text)
        command = [*self.prefix, mailname_program(), "serve", "--config", str(self.folder / "serve.toml")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | self.environment)
        self.wait(lambda _: True)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def order(self, do: str) -> dict[str, Any]:
        return asyncio.run(ask(self.folder / "control", {"do": do}))

    def wait(self, so: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait until the zone's status is ``so``."""
        ends = time.monotonic() + _PATIENCE
        status: dict[str, Any] = {}
        while time.monotonic() < ends:
            with contextlib.suppress(HostError, KeyError, IndexError):
                status = self.order("status")["zones"][0]
                if so(status):
                    return status
            time.sleep(0.02)
        raise AssertionError(f"{json.dumps(status, indent=1)}\n{self.log()}")


def primary(folder: Path, listen: str, secondary: str, port: int = 53) -> Serving:
    zone = f'role = "primary"\nfile = "zone"\n[[zone.secondary]]\naddress = "{secondary}"\nport = {port}'
    return Serving(folder, listen, zone)


def secondary(folder: Path, listen: str, *primaries: str, port: int = 53) -> Serving:
    peers = "\n".join(f'[[zone.primary]]\naddress = "{address}"\nport = {port}' for address in primaries)
    return Serving(folder, listen, f'role = "secondary"\n{peers}')


def has_serial(serial: int) -> Callable[[dict[str, Any]], bool]:
    """Return the question whether a zone's status tells this serial."""
    return lambda status: bool(status["serial"] == serial)


def publish(at: Serving, text: str) -> None:
    at.folder.mkdir(exist_ok=True)
    (at.folder / "zone").write_text(text)
    if at.process is not None:
        assert at.order("reload")["ok"]


@pytest.fixture
def machines() -> Iterator[Namespaces]:
    with two_machines() as made:
        yield made


@contextlib.contextmanager
def pair(machines: Namespaces, tmp_path: Path, text: str) -> Iterator[tuple[Serving, Serving]]:
    """Run a primary on the first machine and a secondary on the second, in step."""
    one = primary(tmp_path / "one", f"{ADDRESSES[0]}:53", ADDRESSES[1])
    two = secondary(tmp_path / "two", f"{ADDRESSES[1]}:53", ADDRESSES[0])
    one.prefix, two.prefix = machines.inside(0), machines.inside(1)
    publish(one, text)
    with one, two:
        two.wait(lambda status: status["serial"] == 1)
        yield one, two


class TestPacketFilter:
    def test_that_drops_tcp_between_them_is_named_and_survived(self, machines: Namespaces, tmp_path: Path) -> None:
        """NOTIFY comes through, the transfer does not: exactly that is told, by the server that can know it."""
        with pair(machines, tmp_path, zone_text(1)) as (one, two):
            machines.filter(1, "tcp dport 53 drop", "tcp sport 53 drop")
            publish(one, zone_text(2))
            told = two.wait(lambda status: (status["last_failure"] or {}).get("reason") == "timeout-tcp")
            assert "UDP gets through, TCP does not" in told["last_failure"]["remedy"]
            assert (told["serial"], told["state"], told["last_notify"]["serial"]) == (1, "serving", 2)
            machines.filter(1)
            two.wait(lambda status: status["serial"] == 2 and status["last_failure"] is None)

    def test_that_drops_notify_costs_no_change(self, machines: Namespaces, tmp_path: Path) -> None:
        """The primary repeats it until it is answered."""
        with pair(machines, tmp_path, zone_text(1)) as (one, two):
            machines.filter(0, "udp dport 53 drop")
            publish(one, zone_text(2))
            one.wait(lambda status: status["secondaries"][0]["tries"] >= 2)
            assert two.order("status")["zones"][0]["serial"] == 1
            machines.filter(0)
            two.wait(lambda status: status["serial"] == 2)
            one.wait(lambda status: status["secondaries"][0]["state"] == "acknowledged")


class TestBadLine:
    def test_that_loses_delays_and_reorders_keeps_nothing_back(self, machines: Namespaces, tmp_path: Path) -> None:
        """A fifth of all packets is lost, others overtake each other: every version arrives, whole, until enough were lost."""
        with pair(machines, tmp_path, zone_text(1, 2000)) as (one, two):
            machines.line.loss, machines.line.delay, machines.line.jitter = 0.2, 0.01, 0.03
            for serial in range(2, 60):
                publish(one, zone_text(serial, 2000 + serial))
                status = two.wait(has_serial(serial))
                assert status["records"] == 2000 + serial + 5
                if serial > 5 and machines.line.lost > 5:
                    break
            assert machines.line.lost > 5


@pytest.fixture
def faketime(tmp_path: Path) -> dict[str, str]:
    """Return the environment in which the wall clock is what ``clock`` says, and the clock that never jumps is left alone."""
    need("faketime")
    if not _LIBRARIES:
        go_without("libfaketime is not where Debian puts it")
    (tmp_path / "clock").write_text("+0\n")
    return {
        "LD_PRELOAD": str(_LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(tmp_path / "clock"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


class TestWrongClock:
    @pytest.mark.parametrize("jump", ["+1y", "-1d"])
    def test_of_a_process_that_runs_or_is_started_again_expires_nothing(
        self, tmp_path: Path, faketime: dict[str, str], jump: str
    ) -> None:
        """The zone may live for an hour; the wall clock says that a day or a year has passed, or that it is yesterday."""
        port = free_port()
        one = primary(tmp_path / "one", f"127.0.0.2:{port}", "127.0.0.3", port)
        two = secondary(tmp_path / "two", f"127.0.0.3:{port}", "127.0.0.2", port=port)
        two.environment = faketime
        publish(one, zone_text(1, expire=3600))
        with two:
            with one:
                two.wait(lambda status: status["serial"] == 1 and not status["busy"])
            (tmp_path / "clock").write_text(f"{jump}\n")
            told = two.wait(lambda status: status["clock"])
            seconds = told["clock"]["jumped"]
            assert (told["state"], seconds > 0) == ("serving", jump.startswith("+"))
            assert "by the wall clock it would have been" in told["clock"]["says"]
        (tmp_path / "clock").write_text("+0\n")
        with two:
            told = two.wait(lambda status: status["state"] != "not loaded")
            assert told["state"] == "serving"
            (tmp_path / "clock").write_text(f"{jump}\n")
        with two:
            told = two.wait(lambda status: status["state"] != "not loaded")
            assert (told["state"], abs(told["clock"]["jumped"]) > 80_000) == ("serving", True)
            with one:
                told = two.wait(lambda status: status["clock"] is None)
                assert told["state"] == "serving"
