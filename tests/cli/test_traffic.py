"""``mailname traffic``: of one server, and of those of a plan side by side."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import dns.message
import dns.query
import pytest
from tests.cli.serving import serving
from tests.cli.test_control_commands import mailname
from tests.engines.pair import PLAN
from tests.server.running import free_port, zone_text

from mailname.server.traffic_file import FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("ns1.example.tech", "ns2.example.tech")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run two servers; the first is asked three times as much as the second, one question by TCP."""
    folder = tmp_path_factory.mktemp("pair")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    ports = [free_port(), free_port()]
    for name, port in zip(NAMES, ports, strict=True):
        own = folder / name
        own.mkdir()
        (own / "example.tech.zone").write_text(zone_text(1), encoding="utf-8")
        (own / "server.toml").write_text(
            f'listen = ["127.0.0.1:{port}"]\nstate = "state"\ncontrol = "control"\n'
            '[[zone]]\nname = "example.tech"\nrole = "primary"\nfile = "example.tech.zone"\n',
            encoding="utf-8",
        )
    first, second = (folder / name for name in NAMES)
    with serving(first, "--config", str(first / "server.toml")), serving(second, "--config", str(second / "server.toml")):
        for port, questions in zip(ports, (11, 4), strict=True):
            for _ in range(questions):
                dns.query.udp(dns.message.make_query("example.tech.", "MX"), "127.0.0.1", 30, port)
            dns.query.tcp(dns.message.make_query("no.example.tech.", "A"), "127.0.0.1", 30, port)
        yield folder


def sockets(pair: Path) -> list[str]:
    return [word for name in NAMES for word in ("--control", f"{name}={pair / name / 'control'}")]


class TestServer:
    def test_tells_what_it_was_asked(self, pair: Path) -> None:
        """In a table; and all of it as JSON."""
        control = pair / NAMES[0] / "control"
        seen = mailname("traffic", "--control", control)
        assert seen.returncode == 0, seen.stderr
        for text in (
            "MX 92 %",
            "NXDOMAIN 8 %",
            "UDP 92 %",
            "IPv4 100 %",
            "127.0.0.0/24 12",
            "example.tech 12",
            "no.example.tech 1",
            "half within ",
        ):
            assert text in seen.stdout
        report = json.loads(mailname("traffic", "--control", control, "--json").stdout)
        assert report["schema"] == "mailname.traffic/1"
        assert (report["questions"], report["types"]) == (12, {"MX": 11, "A": 1})
        assert report["now"]["seconds"] > 0

    def test_that_is_not_there_is_an_error(self, tmp_path: Path) -> None:
        """With the next command to type."""
        seen = mailname("traffic", "--control", tmp_path / "none")
        assert seen.returncode == 3
        assert "mailname serve" in seen.stderr

    def test_needs_a_plan_for_several(self, pair: Path) -> None:
        """A usage error."""
        assert mailname("traffic", *sockets(pair)).returncode == 2


class TestPlan:
    def test_tells_whom_resolvers_prefer(self, pair: Path) -> None:
        """A share for each with its uncertainty, and the plain sentence."""
        seen = mailname("traffic", pair / "plan.toml", *sockets(pair))
        assert seen.returncode == 0, seen.stderr
        assert "Resolvers ask ns1.example.tech in 71 % of cases (±24), of 17 questions." in seen.stdout
        told = json.loads(mailname("traffic", pair / "plan.toml", *sockets(pair), "--json").stdout)
        assert told["schema"] == "mailname.traffic-plan/1"
        assert [(one["server"], one["questions"]) for one in told["shares"]] == list(zip(NAMES, (12, 5), strict=True))
        assert [one["traffic"]["questions"] for one in told["servers"]] == [12, 5]

    def test_whose_servers_tell_nothing_cannot_be_told(self, pair: Path) -> None:
        """Each with why; the exit code says that nothing was found out."""
        seen = mailname("traffic", pair / "plan.toml")
        assert seen.returncode == 3
        assert seen.stdout.count("not asked: there is no ssh in the plan, and no --control") == 2

    def test_over_time_is_from_what_was_kept(self, pair: Path) -> None:
        """Minutes of before are told, with the uncertainty of how they varied: so many that those of this test do not matter."""
        for name, questions in zip(NAMES, (3000, 1000), strict=True):
            with closing(sqlite3.connect(pair / name / "state" / FILE)) as rows, rows:
                rows.execute(
                    "CREATE TABLE IF NOT EXISTS traffic (span INTEGER, start INTEGER, counts TEXT, PRIMARY KEY (span, start))"
                )
                for minute in range(30):
                    by_name = {"types": "AAAA", "rcodes": "NOERROR", "transports": "udp", "families": "ipv6"}
                    kept: dict[str, object] = {name: {part: 4000} for name, part in by_name.items()}
                    kept |= {"questions": questions + minute, "answers": 4000, "limited": 0, "edns": 2000, "do": 1000}
                    rows.execute(
                        "INSERT OR REPLACE INTO traffic VALUES (60, ?, ?)", (1_800_000_000 + 60 * minute, json.dumps(kept))
                    )
        seen = mailname("traffic", pair / "plan.toml", *sockets(pair), "--over", "hour")
        assert seen.returncode == 0, seen.stderr
        for text in ("of the last hour", "AAAA 100 %", "IPv6 100 %", "EDNS", "50 %, DO 25 %", "█", "75 % (±1)"):
            assert text in seen.stdout
        told = json.loads(mailname("traffic", pair / "plan.toml", *sockets(pair), "--over", "hour", "--json").stdout)
        assert told["shares"][0]["spans"] >= 30
