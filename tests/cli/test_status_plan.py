"""``mailname status PLAN``: both servers asked, from outside and from inside, and their accounts put together."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import dns.name
import pytest
from click.testing import CliRunner
from tests.engines.pair import APEX, PLAN, Pair, plan_of
from tests.server.running import until, zone_text

from mailname.checks.over_ssh import status_over_ssh
from mailname.cli.status import command
from mailname.cli.status_plan import tell
from mailname.engines.publish import Publishing
from mailname.errors import PlanError
from mailname.server.keyfile import make_key_file
from mailname.server.secondary_zone import SecondaryZone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dns.name import Name

    from mailname.plan import Plan
    from mailname.server.network import Network


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


async def publish(pair: Pair, text: str = PLAN) -> None:
    """Write the zone, load it, and wait for both servers where they run."""
    run = Publishing(plan_of(text), pair.control, pair.network, date(2026, 6, 8))
    await run.prepare()
    await run.write_and_load()


async def asked(
    plan: Plan, network: Network, controls: Mapping[Name, Path], *unnamed: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the JSON document."""
    code = await asyncio.to_thread(tell, plan, network, controls, unnamed, as_json=True)
    return code, json.loads(capsys.readouterr().out)


def controls(pair: Pair, *names: str) -> dict[Name, Path]:
    """Return the control sockets of these servers."""
    return {one.name: pair.folder / f"{name}.sock" for one in pair.plan.name_servers for name in names if name in str(one.name)}


def server(told: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what is told of one server and the plan's only zone."""
    found: dict[str, Any] = next(one for one in told["zones"][0]["servers"] if one["server"].startswith(name))
    return found


class TestWell:
    async def test_both_are_in_step(self, pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
        """Exit code 0; the secondary tells when it expires, to whoever asks (RFC 7314)."""
        async with pair.server("ns2"), pair.server("ns1") as secondary:
            await publish(pair)
            await until(lambda: secondary.serial() == 2026060800)
            code, told = await asked(pair.plan, pair.network, controls(pair, "ns1", "ns2"), capsys=capsys)
            assert (code, told["schema"], told["well"]) == (0, "mailname.status-plan/1", True)
            (seen,) = server(told, "ns1")["addresses"]
            assert (seen["serial"], seen["udp"], seen["tcp"]) == (2026060800, True, True)
            assert 1209500 < seen["expires_in"] <= 1209600
            assert server(told, "ns1")["status"]["state"] == "serving"
            assert await asyncio.to_thread(tell, pair.plan, pair.network, {}, (), as_json=False) == 0
            shown = capsys.readouterr().out
            for words in ("example.tech in step", "192.0.2.1 serial 2026060800, expires in 13d 23h", "UDP and TCP", "not asked"):
                assert words in shown

    async def test_socket_is_found_by_the_addresses_that_its_server_listens_on(
        self, pair: Pair, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """On the host itself nobody needs to say which of the plan's servers it is."""
        async with pair.server("ns2"):
            await publish(pair)
            _, told = await asked(pair.plan, pair.network, {}, pair.control, capsys=capsys)
            assert server(told, "ns2")["status"]["role"] == "primary"
            assert server(told, "ns1")["status"] is None


class TestCatalog:
    async def test_is_told_as_a_zone_of_the_plan(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Both servers in step; and what is wrong once the secondary is gone."""
        text = PLAN + '[catalog]\nname = "catalog.example.tech"\n'
        pair = Pair(tmp_path, plan_of(text))
        async with pair.server("ns2") as primary:

            def tried(times: int) -> bool:
                return any(one["tries"] >= times for one in primary.zone_status(catalog)["secondaries"])

            async with pair.server("ns1") as secondary:
                await publish(pair, text)
                await until(lambda: secondary.serial() == 2026060800)
                catalog = dns.name.from_text("catalog.example.tech.")
                await until(lambda: primary.serial(catalog) == secondary.serial(catalog))
                code, told = await asked(pair.plan, pair.network, controls(pair, "ns1", "ns2"), capsys=capsys)
                assert [zone["zone"] for zone in told["zones"]] == ["example.tech.", "catalog.example.tech."]
                serials = {one["status"]["serial"] for one in told["zones"][1]["servers"]}
                assert (code, serials) == (0, {primary.serial(catalog)})
                code, told = await asked(pair.plan, pair.network, controls(pair, "ns2"), capsys=capsys)
                assert (code, [server["status"] is None for server in told["zones"][1]["servers"]]) == (0, [True, False])
            (pair.folder / "ns2-zones" / "example.org.zone").write_text(zone_text(1), encoding="utf-8")
            await primary.reconfigure(primary.config)
            for tries in range(1, 4):
                await until(partial(tried, tries))
                primary.clock.move(60)
            code, told = await asked(pair.plan, pair.network, controls(pair, "ns2"), capsys=capsys)
            causes = [one["cause"] and one["cause"]["code"] for one in told["zones"][1]["servers"]]
            assert (code, causes) == (1, ["REPL-22", None])


class TestUnwell:
    async def test_both_sides_name_the_cause(self, pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
        """Another secret on one side: one cause, what each side says, and what to type."""
        async with pair.server("ns2"):
            await publish(pair)
            (pair.folder / "transfer.key").unlink()
            make_key_file(pair.folder / "transfer.key", dns.name.from_text("transfer.example.tech"))
            async with pair.server("ns1") as secondary:
                await until(lambda: secondary.zone_status()["last_failure"])
                code, told = await asked(pair.plan, pair.network, controls(pair, "ns1", "ns2"), capsys=capsys)
                cause = server(told, "ns1")["cause"]
                assert (code, cause["code"]) == (1, "REPL-04")
                assert [one["server"] for one in cause["heard"]] == ["ns1.example.tech", "ns2.example.tech"]
                assert await asyncio.to_thread(tell, pair.plan, pair.network, {}, (), as_json=False) == 1
                assert "REPL-29 does-not-serve" in capsys.readouterr().out
                code, told = await asked(pair.plan, pair.network, controls(pair, "ns2"), capsys=capsys)
                assert server(told, "ns1")["cause"]["code"] == "REPL-04"

    async def test_older_version_without_a_failure(self, pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
        """From outside alone: who has what, and that nothing is known of a failure."""
        async with pair.server("ns2"), pair.server("ns1") as secondary:
            await publish(pair)
            await until(lambda: secondary.serial() == 2026060800)
            await until(lambda: not secondary.zone_status()["busy"])
            zone = secondary.zones[APEX]
            assert isinstance(zone, SecondaryZone)
            zone.logic.primaries = ()  # it is deaf from now on
            await publish(pair, PLAN.replace("192.0.2.80", "192.0.2.81"))
            code, told = await asked(pair.plan, pair.network, {}, capsys=capsys)
            cause = server(told, "ns1")["cause"]
            assert (code, cause["code"]) == (1, "REPL-27")
            assert "still has serial 2026060800, ns2.example.tech has 2026060801" in cause["says"]

    async def test_nobody_answers(self, pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
        """Exit code 3: nothing could be found out."""
        code, told = await asked(pair.plan, pair.network, controls(pair, "ns2"), capsys=capsys)
        assert code == 3
        assert "no server listens" in server(told, "ns2")["asked"]["says"]
        assert server(told, "ns1")["addresses"][0]["says"] == "refused"


class TestOverSsh:
    @pytest.fixture
    def ssh(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
        """Put a program ssh in the way that writes down how it is called and runs what it is given."""
        program = tmp_path / "bin" / "ssh"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called\n. {tmp_path}/remote\n', encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        return (tmp_path / "remote").write_text

    async def told_over(self, pair: Pair, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
        plan = plan_of(PLAN.replace('role = "primary"', 'role = "primary"\nssh = "admin@ns2.example.tech"'))
        _, told = await asked(plan, pair.network, {}, capsys=capsys)
        return server(told, "ns2")

    async def test_status_comes_from_the_host_itself(
        self, pair: Pair, ssh: Callable[[str], object], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without a password prompt and without guessing host keys; exit code 1 there is an answer too."""
        async with pair.server("ns2") as primary:
            await publish(pair)
            answer = await primary.obey({"do": "status"})
            (pair.folder / "status.json").write_text(json.dumps(answer), encoding="utf-8")
            ssh(f"cat {pair.folder}/status.json; exit 1\n")
            told = await self.told_over(pair, capsys)
            assert told["asked"] == {"how": "ssh admin@ns2.example.tech mailname status --json", "says": ""}
            assert told["status"]["serial"] == 2026060800
            called = (pair.folder / "called").read_text(encoding="utf-8")
            assert "BatchMode=yes" in called
            assert called.strip().endswith("-- admin@ns2.example.tech mailname status --json")

    @pytest.mark.parametrize(
        ("script", "says"),
        [
            ("echo 'Permission denied (publickey).' >&2; exit 255", "exit code 255): Permission denied"),
            ("echo '[1]'", "no status over SSH (exit code 0)"),
            ("exec sleep 60", "no answer over SSH within 0 seconds"),
            ("yes x", "no answer over SSH within 0 seconds"),
        ],
    )
    async def test_what_goes_wrong_is_told(
        self,
        pair: Pair,
        ssh: Callable[[str], object],
        script: str,
        says: str,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """No access, another program, a host that hangs or never stops talking: bounded, and the rest is told all the same."""
        if "within" in says:
            monkeypatch.setattr("mailname.checks.over_ssh.SSH_TIMEOUT", 0.4)
        ssh(f"{script}\n")
        assert says in (await self.told_over(pair, capsys))["asked"]["says"]

    async def test_prepared_host_lets_in_its_administrator_alone(self, ssh: Callable[[str], object]) -> None:
        """Who is not let in by the plan's ``ssh`` is tried as the plan's administrator, and as nobody else."""
        refused = "echo 'root@ns2: Permission denied (publickey).' >&2; exit 255"
        ssh(f"""case "$*" in *admin@ns2*) echo '{{"zones": []}}';; *) {refused};; esac\n""")
        assert await status_over_ssh("root@ns2.example.tech", administrator="admin") == ({"zones": []}, "")
        assert await status_over_ssh("ns2.example.tech", administrator="admin") == ({"zones": []}, "")
        status, says = await status_over_ssh("ns2.example.tech", administrator="other")
        assert status is None
        assert "Permission denied" in says

    async def test_without_ssh_is_told(
        self, pair: Pair, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is installed: one line."""
        monkeypatch.setenv("PATH", str(pair.folder))
        assert "ssh cannot be started" in (await self.told_over(pair, capsys))["asked"]["says"]

    @pytest.mark.parametrize("target", ["-oProxyCommand=x", "a b", "", "x;y", "$(x)"])
    def test_target_cannot_be_an_option(self, target: str) -> None:
        """A plan is data: nothing in it is run."""
        with pytest.raises(PlanError, match="is no SSH target"):
            plan_of(PLAN.replace('role = "primary"', f'role = "primary"\nssh = "{target}"'))


class TestRehearsal:
    def test_is_looked_at_by_its_network_file(self, tmp_path: Path) -> None:
        """Addresses and control sockets are the file's; here nobody is left."""
        (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
        network = tmp_path / "network.json"
        socket = {"ns2.example.tech.": str(tmp_path / "gone.sock")}
        network.write_text(
            json.dumps({"schema": "mailname.network/1", "places": [], "root_hints": [], "control": socket}), encoding="utf-8"
        )
        result = CliRunner().invoke(command, [str(tmp_path / "plan.toml"), "--network", str(network), "--json"])
        assert result.exit_code == 3
        told = server(json.loads(result.output), "ns2")
        assert told["asked"]["how"] == str(tmp_path / "gone.sock")
        assert "No route to host" in told["addresses"][0]["says"] or "nobody" in told["addresses"][0]["says"]


class TestOptions:
    def test_of_a_plan_want_a_plan(self, tmp_path: Path) -> None:
        """Exit code 2, and what to type."""
        for options in (["--network", str(tmp_path / "n")], ["--control", "ns1=/x"], ["--control", "a", "--control", "b"]):
            result = CliRunner().invoke(command, ["example.tech", *options])
            assert (result.exit_code, "mailname status PLAN" in result.output) == (2, True)
        plan = tmp_path / "plan.toml"
        plan.write_text(PLAN, encoding="utf-8")
        result = CliRunner().invoke(command, [str(plan), "--control", "ns9.example.tech=/x"])
        assert (result.exit_code, "no name server ns9" in result.output) == (2, True)
