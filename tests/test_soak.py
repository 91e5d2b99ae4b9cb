"""The soak judges right: what no version explains is found, and what some version explains is not."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import dns.message
import dns.rrset
import pytest
from scripts.soak_zones import Versions, Window, WrongAnswerError, address

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
NEWEST = 40


@pytest.fixture
def versions() -> Versions:
    made = Versions("small.example", 12, seed=1)
    for _ in range(NEWEST):
        made.next()
    return made


def answer(versions: Versions, version: int, query: dns.message.Message) -> dns.message.Message:
    """Answer as a server that holds a version would."""
    made = dns.message.make_response(query)
    records = versions.records(version)
    owner = query.question[0].name.to_text().removesuffix(".").removesuffix(versions.zone).removesuffix(".") or "@"
    kind = query.question[0].rdtype.name

    def rrset(of: str, kind: str) -> list[dns.rrset.RRset]:
        full = f"{versions.zone}." if of == "@" else f"{of}.{versions.zone}."
        found = [data for where, what, data in sorted(records) if (where, what) == (of, kind)]
        return [dns.rrset.from_text_list(full, 300, "IN", kind, found, origin=query.question[0].name.parent())] if found else []

    if owner == "@":
        full = [f"{data}.{versions.zone}." for where, what, data in records if (where, what) == ("@", kind)]
        if kind == "SOA":
            full = [f"ns1.x. hostmaster.x. {version} 5 1 86400 60"]
        made.answer = [dns.rrset.from_text(f"{versions.zone}.", 300, "IN", kind, *full)]
        made.additional = rrset(f"m{version}", "A") if kind == "MX" else []
    else:
        made.answer = rrset(owner, kind)
    if not made.answer:
        made.set_rcode(dns.rcode.NXDOMAIN)
        made.authority = [
            dns.rrset.from_text(f"{versions.zone}.", 60, "IN", "SOA", f"ns1.x. hostmaster.x. {version} 5 1 86400 60")
        ]
    return made


class TestVersions:
    @pytest.mark.parametrize("version", [20, 30, NEWEST])
    def test_answer_of_a_version_between_is_right(self, versions: Versions, version: int) -> None:
        """From the highest that the server is known to hold to the newest."""
        chance = random.Random(2)
        for _ in range(200):
            query, judge = versions.question(chance, Window(20))
            assert 20 <= judge(answer(versions, version, query)) <= version

    def test_answer_of_a_version_before_is_found(self, versions: Versions) -> None:
        """Every kind of question finds it; names that did not change since give nothing away."""
        chance = random.Random(3)
        found = set()
        for _ in range(300):
            query, judge = versions.question(chance, Window(20))
            try:
                judge(answer(versions, 12, query))
            except WrongAnswerError:
                found.add(query.question[0].to_text().split()[0][:1] + query.question[0].rdtype.name)
        assert found == {"sSOA", "nTXT", "sMX", "mA"}

    def test_answer_of_a_version_that_is_not_yet_is_found(self, versions: Versions) -> None:
        query, judge = _question(versions, "SOA")
        with pytest.raises(WrongAnswerError, match="version 41, where 20 to 40"):
            judge(answer(versions, NEWEST + 1, query))

    def test_mixture_within_an_answer_is_found(self, versions: Versions) -> None:
        query, judge = _question(versions, "MX")
        mixed = answer(versions, 30, query)
        mixed.additional = [dns.rrset.from_text("m30.small.example.", 300, "IN", "A", address(29))]
        with pytest.raises(WrongAnswerError, match="m30"):
            judge(mixed)

    def test_mixture_within_a_transfer_is_found(self, versions: Versions) -> None:
        assert versions.judge_whole(versions.records(30), 20) == 30
        mixed = versions.records(30) - {("m30", "A", address(30))}
        with pytest.raises(WrongAnswerError, match="differs in 1 records"):
            versions.judge_whole(mixed, 20)


def _question(versions: Versions, kind: str) -> tuple[dns.message.Message, Callable[[dns.message.Message], int]]:
    chance = random.Random(4)
    while True:
        query, judge = versions.question(chance, Window(20))
        if query.question[0].rdtype.name == kind:
            return query, judge


class TestShortRun:
    def test_finds_nothing_wrong(self, tmp_path: Path) -> None:
        """A round of it: publications, kills and cuts, and in the end all hold the last version."""
        words = [sys.executable, "-m", "scripts.soak", "--seconds", "4", "--seed", "7", "--summary", str(tmp_path / "summary")]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "| wrong answers, lost publications, falls | 0 |" in (tmp_path / "summary" / "summary.md").read_text()
