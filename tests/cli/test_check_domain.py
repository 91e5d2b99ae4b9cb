"""The command ``mailname check`` of a domain without a plan, and of a saved look."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner
from tests.checks.small_world import PLAN, ROOT, SmallWorld, name
from tests.cli.test_check import running

from mailname.cli.check import command

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def check(tmp_path: Path, world: SmallWorld, *arguments: str) -> tuple[int, str, str]:
    """Run the command in a world that has root hints and no resolver."""
    with running(world) as network:
        network.root_hints = ((name("a.root."), ROOT),)
        network.save(tmp_path / "network.json")
        return run(*arguments, "--network", str(tmp_path / "network.json"), "--timeout", "0.6")


class TestDomain:
    def test_is_checked_without_a_plan(self, tmp_path: Path) -> None:
        code, stdout, _ = check(tmp_path, SmallWorld(), "example.tech", "--quiet")
        assert (code, stdout) == (0, "example.tech well\n")

    def test_may_be_written_in_its_own_letters(self, tmp_path: Path) -> None:
        world = SmallWorld(PLAN.replace("example.tech", "bücher.tech"))
        code, stdout, _ = check(tmp_path, world, "Bücher.tech", "--quiet")
        assert (code, stdout) == (0, "xn--bcher-kva.tech well\n")

    def test_below_a_cut_is_checked_as_its_zone(self, tmp_path: Path) -> None:
        """And it is said."""
        code, stdout, _ = check(tmp_path, SmallWorld(), "mail.example.tech")
        assert code == 0
        assert "mail.example.tech is a name in the zone example.tech" in stdout

    def test_over_the_other_family_alone_cannot_be_found_out(self, tmp_path: Path) -> None:
        """A world that has IPv4 only, asked over IPv6."""
        code, _, _ = check(tmp_path, SmallWorld(), "example.tech", "--ipv6", "--quiet")
        assert code == 3

    def test_that_is_none_exits_2(self) -> None:
        for text, word in (("tech", "top-level"), ("a b.tech", "a b.tech"), ("nobody@example.tech", "mailbox")):
            code, _, stderr = run(text)
            assert code == 2
            assert word in stderr

    def test_without_anything_to_check_exits_2(self) -> None:
        assert run()[0] == 2

    def test_with_a_plan_that_is_not_there_exits_2(self) -> None:
        code, _, stderr = run("nowhere.toml")
        assert code == 2
        assert "cannot read the plan nowhere.toml" in stderr


class TestReplay:
    def test_of_a_domain_prints_the_same(self, tmp_path: Path) -> None:
        world = SmallWorld()
        world.delegate({})
        file = str(tmp_path / "facts.json")
        looked = check(tmp_path, world, "example.tech", "--save", file, "--json")
        assert run("--replay", file, "--json") == looked
        assert looked[0] == 1

    def test_of_a_plan_prints_the_same(self, tmp_path: Path) -> None:
        """On the terminal, too; the plan's file may be gone."""
        plan = tmp_path / "plan.toml"
        plan.write_text(PLAN, encoding="utf-8")
        world = SmallWorld()
        world.delegate({})
        file = str(tmp_path / "facts.json")
        looked = check(tmp_path, world, str(plan), "--save", file)
        plan.unlink()
        assert run("--replay", file) == looked
        assert looked[0] == 1
        assert f"{plan} --registrar" in looked[1]

    def test_of_another_file_exits_2(self, tmp_path: Path) -> None:
        file = tmp_path / "foreign.json"
        file.write_text(json.dumps({"schema": "mailname.network/1"}), encoding="utf-8")
        code, _, stderr = run("--replay", str(file))
        assert code == 2
        assert "cannot be read as a saved look" in stderr

    def test_takes_no_plan(self, tmp_path: Path) -> None:
        file = tmp_path / "facts.json"
        file.touch()
        assert run("example.tech", "--replay", str(file))[0] == 2


class TestWatch:
    def test_of_a_change_that_has_arrived_ends_with_the_verdict(self, tmp_path: Path) -> None:
        plan = tmp_path / "plan.toml"
        plan.write_text(PLAN, encoding="utf-8")
        code, stdout, stderr = check(tmp_path, SmallWorld(), str(plan), "--watch", "--from", "root", "--quiet")
        assert (code, stdout, stderr) == (0, "example.tech well\n", "")

    def test_needs_a_plan(self, tmp_path: Path) -> None:
        """Without one nobody knows what is waited for."""
        code, _, stderr = check(tmp_path, SmallWorld(), "example.tech", "--watch")
        assert code == 2
        assert "give a PLAN" in stderr
