"""Rules of the project that no tool checks: the layout, the exemptions, the pins, and what must never be in the repository."""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tokenize
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import mailname

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "mailname"
MODULES = sorted(SRC.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

# How many exemptions there may be. Lower these when one goes; raise them only with a reason that convinces a reviewer.
MOST_EXEMPTIONS_IN_SRC = 35
MOST_EXEMPTIONS_IN_TESTS = 10

LONGEST_MODULE = 400
EXEMPTION = re.compile(
    r"(noqa|type: *ignore|pragma: *no *cover)(:? *[A-Z]+[0-9]+(, *[A-Z]+[0-9]+)*|\[[a-z, -]+\])?(?P<reason>.*)"
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def files_of_the_repository() -> list[Path]:
    """Return what git keeps or would keep; without git, what is in the folders of the source."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        listed = subprocess.run(
            [git, "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if listed.returncode == 0:
            return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]
    folders = ("src", "tests", "docs", "examples", "bench", "requirements", "scripts", "changelog.d")
    inside = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [path for path in [*ROOT.glob("*.*"), *inside] if "__pycache__" not in path.parts and ".egg-info" not in str(path)]


@cache
def texts() -> dict[str, str]:
    """Return every text file of the repository by its name."""
    found = {}
    for path in files_of_the_repository():
        try:
            found[name_of(path)] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def exemptions(files: list[Path]) -> list[tuple[str, str]]:
    """Return (place, reason) of each comment that silences a tool."""
    found = []
    for path in files:
        if EXEMPTION.search(path.read_text(encoding="utf-8")) is None:
            continue  # most: taking a file to pieces costs a hundred times as much
        tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
        comments = [token for token in tokens if token.type == tokenize.COMMENT]
        matches = [(token.start[0], EXEMPTION.search(token.string)) for token in comments]
        found += [(f"{name_of(path)}:{line}", match["reason"].strip(" #:-()")) for line, match in matches if match]
    return found


def modules_of_the_package() -> list[str]:
    return ["mailname", *(module.name for module in pkgutil.walk_packages(mailname.__path__, "mailname."))]


class TestRepository:
    def test_names_no_path_of_a_machine(self) -> None:
        """A path of someone's machine means nothing to the next reader."""
        path = re.compile(r"(?<![\w.~$})/-])/(?:work|root|home|Users)/\w")
        assert [f"{name}: {match.group()}" for name, text in texts().items() for match in path.finditer(text)] == []

    def test_names_no_package_index(self) -> None:
        """Where packages come from is the machine's setting, not ours; pip knows its own default."""
        hosts = re.compile("|".join(["py" + r"pi\.(?:org|python)", "python" + r"hosted\.org", "--(?:extra-)?index" + "-url"]))
        assert [f"{name}: {match.group()}" for name, text in texts().items() for match in hosts.finditer(text)] == []

    def test_scripts_can_be_run(self) -> None:
        for script in (ROOT / ".ci/run", ROOT / "scripts/system-packages"):
            assert os.access(script, os.X_OK), script
            assert subprocess.run(["bash", "-n", script], check=False).returncode == 0, script

    def test_continuous_integration_runs_the_target_that_people_run(self) -> None:
        assert "make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")

    def test_targets_of_the_readme_exist(self) -> None:
        """Every ``make TARGET`` that a page names is in the Makefile."""
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
        named = {
            (name, target)
            for name, text in texts().items()
            if name.endswith(".md")
            for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)
        }
        assert {(name, target) for name, target in named if target not in targets} == set()


class TestLayout:
    @pytest.mark.parametrize("path", [*MODULES, *(path for path in TESTS if not path.name.startswith("test_"))], ids=name_of)
    def test_module_says_what_it_is(self, path: Path) -> None:
        """The first docstring of each file must be enough. A test module is named after what it tests, which is enough."""
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{name_of(path)} has no docstring"

    @pytest.mark.parametrize("path", MODULES, ids=name_of)
    def test_module_is_not_too_long(self, path: Path) -> None:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE

    def test_no_module_is_a_drawer(self) -> None:
        """A file is named after a DNS idea, so that behaviour is found from the folder listing."""
        drawers = {"utils.py", "helpers.py", "base.py", "manager.py", "common.py", "misc.py"}
        assert [name_of(path) for path in MODULES if path.name in drawers] == []

    def test_tests_are_no_packages(self) -> None:
        assert [name_of(path) for path in TESTS if path.name == "__init__.py"] == []

    def test_every_test_folder_mirrors_a_package(self) -> None:
        """src/mailname/zone is tested by tests/zone; beside these stand only what spans packages and data."""
        beside = {"interop", "data", "hosts", "bench", "fuzz"}
        folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
        assert {folder for folder in folders - beside if not (SRC / folder).is_dir()} == set()

    def test_imports_go_down_only(self) -> None:
        """Both contracts of import-linter hold: the layers, and a core without input and output."""
        command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


class TestExemptions:
    @pytest.mark.parametrize(("place", "reason"), exemptions([*MODULES, *TESTS]))
    def test_carries_its_reason(self, place: str, reason: str) -> None:
        """``noqa``, ``type: ignore`` and ``no cover`` say why, on the same line."""
        assert reason, f"{place} silences a tool and does not say why"

    def test_are_few(self) -> None:
        assert len(exemptions(MODULES)) <= MOST_EXEMPTIONS_IN_SRC
        assert len(exemptions(TESTS)) <= MOST_EXEMPTIONS_IN_TESTS


class TestExceptions:
    def test_each_class_is_documented(self) -> None:
        """Each exception class says in its own docstring when it is raised."""
        bare = set()
        for module in map(importlib.import_module, modules_of_the_package()):
            for name, value in inspect.getmembers(module, inspect.isclass):
                if issubclass(value, BaseException) and value.__module__ == module.__name__ and not value.__dict__.get("__doc__"):
                    bare.add(f"{module.__name__}.{name}")
        assert bare == set()


def project() -> dict[str, object]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert isinstance(table, dict)
    return table


def requirements(*, extra: str | None = None) -> list[Requirement]:
    table = project()
    if extra is None:
        listed = table["dependencies"]
    else:
        extras = table["optional-dependencies"]
        assert isinstance(extras, dict)
        listed = extras[extra]
    assert isinstance(listed, list)
    return [Requirement(line) for line in listed]


def pins(group: str) -> dict[str, tuple[str, int]]:
    """Return name -> (version, number of SHA-256 sums) of a file of pins."""
    text = (ROOT / f"requirements/{group}.txt").read_text(encoding="utf-8")
    blocks = re.findall(r"^(\S+?)==(\S+)[^\n]*\\\n((?:\s+--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE)
    assert len(blocks) == len(re.findall(r"^[^\s#]+==", text, re.MULTILINE)), (
        f"requirements/{group}.txt has a line without a pin and its sums: run 'make pins'"
    )
    return {canonicalize_name(name): (version, sums.count("sha256:")) for name, version, sums in blocks}


class TestVersion:
    def test_is_the_same_everywhere(self) -> None:
        version = project()["version"]
        assert version == mailname.__version__
        assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


class TestPins:
    @pytest.mark.parametrize(("group", "extra"), [("runtime", None), ("dev", None), ("dev", "dev"), ("docs", None)])
    def test_satisfy_the_project(self, group: str, extra: str | None) -> None:
        """Each dependency is pinned to a version that ``pyproject.toml`` allows; else 'make pins' was forgotten."""
        pinned = pins(group)
        for requirement in requirements(extra=extra):
            version, sums = pinned[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version, prereleases=True), f"{requirement} is pinned to {version}"
            assert sums > 0

    @pytest.mark.parametrize("group", ["dev", "docs"])
    def test_agree_with_what_runs(self, group: str) -> None:
        """One environment holds all groups, so none may ask for another version."""
        runtime, other = pins("runtime"), pins(group)
        assert {name: pin for name, pin in runtime.items() if other.get(name) != pin} == {}

    @pytest.mark.parametrize("tool", ["pip", "setuptools"])
    def test_hold_what_installs(self, tool: str) -> None:
        """The installer and the build backend are pinned too: the install runs nothing that is not."""
        assert tool in pins("runtime")

    def test_each_dependency_has_its_reason(self) -> None:
        """CONTRIBUTING.md says why, for each package that is asked for."""
        table = "\n".join(line for line in texts()["CONTRIBUTING.md"].splitlines() if line.startswith("|"))
        asked = [*requirements(), *requirements(extra="dev"), Requirement("pip"), Requirement("setuptools"), Requirement("uv")]
        assert [item.name for item in asked if not re.search(rf"(?<![\w-]){re.escape(item.name)}(?![\w-])", table)] == []
