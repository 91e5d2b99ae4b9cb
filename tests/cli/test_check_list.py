"""``mailname check LIST.txt``: one line for each domain, kept as it comes, and gone on with where it stopped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
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


def check(tmp_path: Path, text: str, *options: str, world: SmallWorld | None = None) -> tuple[int, str, str]:
    names = tmp_path / "names.txt"
    names.write_text(text, encoding="utf-8")
    with running(world or SmallWorld(PLAN)) as network:
        network.root_hints = ((name("a.root."), ROOT),)
        network.save(tmp_path / "network.json")
        return run(str(names), "--network", str(tmp_path / "network.json"), "--timeout", "0.6", *options)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


LIST = "# ours\nexample.tech\nmissing.tech, a column more\n\nexample.tehc # another\nexample.tech\n"


class TestList:
    def test_gives_a_line_for_each_domain(self, tmp_path: Path) -> None:
        """Doubles, comments and further columns are left out; what is not well makes exit code 1."""
        out = tmp_path / "out.jsonl"
        code, stdout, stderr = check(tmp_path, LIST, "--out", str(out))
        found = {line["name"]: (line["verdict"], line["cause"] and line["cause"]["code"]) for line in lines(out)}
        assert found == {
            "example.tech": ("well", None),
            "missing.tech": ("broken", "DELEG-01"),
            "example.tehc": ("broken", "TLD-02"),
        }
        assert (code, stdout) == (1, "")
        assert "3 domains: 1 well, 2 broken" in stderr
        assert len(lines(out)) == 3

    def test_of_well_domains_exits_0(self, tmp_path: Path) -> None:
        code, stdout, _ = check(tmp_path, "example.tech\n", "--json")
        assert code == 0
        assert json.loads(stdout)["schema"] == "mailname.check-list/1"

    def test_tells_what_is_not_well_on_the_terminal(self, tmp_path: Path) -> None:
        _, stdout, _ = check(tmp_path, LIST)
        assert {line.split(":")[0] for line in stdout.splitlines()} == {"missing.tech broken", "example.tehc broken"}

    @pytest.mark.parametrize(
        ("text", "why"),
        [("example.tech\na b@c\nfoo..bar\n", "names.txt:3"), ("# none\n", "has no domain"), ("tech\n", "names.txt:1")],
    )
    def test_with_a_mistake_asks_nobody_and_exits_2(self, tmp_path: Path, text: str, why: str) -> None:
        names = tmp_path / "names.txt"
        names.write_text(text, encoding="utf-8")
        code, _, stderr = run(str(names), "--resolver", "127.0.0.1:1")
        assert code == 2
        assert why in stderr

    def test_refuses_what_is_for_one_domain(self, tmp_path: Path) -> None:
        names = tmp_path / "names.txt"
        names.write_text("example.tech\n", encoding="utf-8")
        assert run(str(names), "--html", str(tmp_path / "x.html"))[0] == 2


class TestResuming:
    def test_goes_on_where_it_stopped(self, tmp_path: Path) -> None:
        """What has a whole line is not asked again, a line that was cut off is; old lines count for the exit code."""
        out = tmp_path / "out.jsonl"
        check(tmp_path, "missing.tech\n", "--out", str(out))
        before = out.read_bytes()
        out.write_bytes(before + b'{"schema": "mailname.check-list/1", "name": "example.te')
        code, _, stderr = check(tmp_path, LIST, "--out", str(out))
        assert out.read_bytes().startswith(before)
        assert next(line["name"] for line in lines(out)) == "missing.tech"
        assert {line["name"] for line in lines(out)} == {"missing.tech", "example.tech", "example.tehc"}
        assert code == 1
        assert "3 domains, 1 of them from before" in stderr

    def test_of_a_list_that_is_done_asks_nobody(self, tmp_path: Path) -> None:
        out = tmp_path / "out.jsonl"
        check(tmp_path, "missing.tech\n", "--out", str(out))
        code, _, stderr = run(str(tmp_path / "names.txt"), "--out", str(out), "--resolver", "127.0.0.1:1")
        assert code == 1
        assert "0 questions" in stderr

    @pytest.mark.parametrize("content", [b"precious\n", b'{"schema": "mailname.facts/1"}\n'])
    def test_leaves_a_foreign_file_alone(self, tmp_path: Path, content: bytes) -> None:
        out = tmp_path / "letters.txt"
        out.write_bytes(content)
        code, _, stderr = check(tmp_path, "example.tech\n", "--out", str(out))
        assert code == 2
        assert "name another file" in stderr
        assert out.read_bytes() == content
