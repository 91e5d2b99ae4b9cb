"""Every pair of engines, from one plan, by the commands that people type: in a namespace of their own, at port 53.

Who adds an engine adds its name to ``ENGINES`` and the program that must be installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.interop.namespace import namespace
from tests.interop.pair_story import KEY_CAUSES, PLAN
from tests.interop.programs import need

from mailname.cli.rehearse import command as rehearse

#: An engine -> the programs that it needs.
ENGINES: dict[str, tuple[str, ...]] = {
    "builtin": (),
    "bind": ("named", "rndc", "named-checkconf", "named-checkzone"),
    "knot": ("knotd", "knotc"),
    "nsd": ("nsd", "nsd-control", "nsd-checkconf", "nsd-checkzone", "dig"),
}
#: Pairs in which one side cannot transfer what changed alone: RFC 1995 is not spoken by who serves it, or not well.
WITHOUT_IXFR = frozenset(("nsd", one) for one in ENGINES)
_ROOT = Path(__file__).parents[2]
#: Who makes a catalog, and who follows it; ``test_catalogs`` goes through more pairs, configured by hand.
CATALOGS = [("builtin", "bind"), ("bind", "bind"), ("bind", "builtin"), ("bind", "knot")]
PAIRS = [pair for pair in product(ENGINES, ENGINES) if pair != ("builtin", "builtin")]


@pytest.fixture(scope="module")
def stories(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Tell the story of each pair that is to be tested, one after the other; what they need is loaded once."""
    wanted = [f"{one}-{other}" for one, other in PAIRS if any(f"[{one}-{other}]" in item.name for item in request.session.items)]
    folder = tmp_path_factory.mktemp("pairs")
    need(*(program for pair in wanted for engine in pair.split("-") for program in ENGINES[engine]))
    with namespace() as inside:
        story = [sys.executable, "-m", "tests.interop.pair_story", str(folder), *wanted]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(_ROOT)])}
        done = subprocess.run([*inside, *story], capture_output=True, text=True, check=False, cwd=_ROOT, env=environment)
    told = dict(zip(wanted, map(json.loads, done.stdout.splitlines()), strict=False))
    for pair in wanted:
        logs = "\n".join(file.read_text(errors="replace")[-3000:] for file in (folder / pair).glob("*/log"))
        told.setdefault(pair, {"ended": done.stderr})["logs"] = logs
    return told


class TestPair:
    @pytest.mark.parametrize(("primary", "secondary"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
    def test_of_engines_follows_the_plan(self, stories: dict[str, Any], primary: str, secondary: str) -> None:
        """First transfer, a change, a wrong key that is named, a primary that is killed: the serial never falls."""
        told = stories[f"{primary}-{secondary}"]
        logs = told["logs"]
        assert "ended" not in told, f"{told['ended']}\n{logs}"
        expected = ["LabNameServer" if one == "builtin" else "LabDrivenServer" for one in (primary, secondary)]
        assert told["engines"] == expected
        for step in ("first", "change", "retransfer", "mended", "after"):
            assert told[step][0] == 0, f"{step}: {told[step]}\n{logs}"
        assert told["kind"] == ("AXFR" if (primary, secondary) in WITHOUT_IXFR else "IXFR"), logs
        assert told["refused"][0] == 1, told["refused"]
        assert told["cause"].get("code") in KEY_CAUSES, f"{told['cause']}\n{logs}"
        serials = [told["first"][1]["serial"], told["change"][1]["serial"], told["refused"][1]["serial"], *told["restart"]]
        serials.append(told["after"][1]["serial"])
        assert None not in serials, f"{serials}\n{logs}"
        assert serials == sorted(serials)
        assert told["restart"][0] == told["restart"][1]
        assert len(set(serials)) == 4


class TestRehearsal:
    @pytest.mark.parametrize(("primary", "secondary"), [("bind", "bind"), ("knot", "nsd")])
    def test_runs_the_programs_that_the_plan_names(self, primary: str, secondary: str, tmp_path: Path) -> None:
        """Without a privilege: each on a port of loopback of its own, and speaking from an address of its own."""
        need(*ENGINES[primary], *ENGINES[secondary])
        plan = tmp_path / "plan.toml"
        plan.write_text(PLAN.replace("@PRIMARY@", primary).replace("@SECONDARY@", secondary))
        folder = tmp_path / "kept"
        done = CliRunner().invoke(rehearse, [str(plan), "--json", "--folder", str(folder)])
        logs = "\n".join(file.read_text(errors="replace")[-3000:] for file in folder.glob("*/log"))
        assert done.exit_code == 0, f"{done.output}\n{logs}"
        assert json.loads(done.stdout)["verdict"] == "well"
        fetched = "transferred serial" if secondary == "bind" else "xfrd: zone example.tech"
        assert fetched in (folder / "1-ns1" / "log").read_text()
        assert (folder / "2-ns2" / "zones" / "example.tech.zone").exists()

    @pytest.mark.parametrize(("primary", "secondary"), CATALOGS)
    def test_follows_a_catalog_with_the_program_that_the_plan_names(self, primary: str, secondary: str, tmp_path: Path) -> None:
        """The secondary's configuration names no zone but the catalog (RFC 9432), whoever makes it."""
        need(*ENGINES[primary], *ENGINES[secondary])
        plan = tmp_path / "plan.toml"
        text = PLAN.replace("@PRIMARY@", primary).replace("@SECONDARY@", secondary)
        plan.write_text(f'{text}[catalog]\nname = "catalog.example.tech"\n')
        folder = tmp_path / "kept"
        done = CliRunner().invoke(rehearse, [str(plan), "--json", "--folder", str(folder)])
        log = "\n".join(file.read_text(errors="replace")[-20000:] for file in folder.glob("*/log"))
        assert done.exit_code == 0, f"{done.output}\n{log}"
        assert json.loads(done.stdout)["verdict"] == "well"
        if secondary == "bind":
            assert "adding zone 'example.tech' from catalog 'catalog.example.tech' - success" in log
            assert 'zone "example.tech"' not in (folder / "1-ns1" / "bind" / "mailname.conf").read_text()
