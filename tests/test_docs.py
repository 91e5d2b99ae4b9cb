"""The pages tell the truth: command lines exist, shown output is real, each command, error and check has its page."""

from __future__ import annotations

import importlib
import inspect
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from scripts.command_reference import BEGIN, END, reference

from mailname import errors
from mailname.cli.main import COMMANDS
from mailname.cli.main import command as mailname_command

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)

# What these print depends on the repository alone, so what a page shows of it is compared.
PURE = ("show", "schema", "version", "rehearse")

# But for these, which are another each time: durations, the day's serial, the temporary folder, the moment, who was asked first.
CHANGING = (
    (r"\d+ ms\b", "N ms"),
    (r"\b\d+\.\d+ s\b", "N s"),
    (r"\b20\d{6}(\d\d)\b", r"DAY\1"),
    (r"/\S*/mailname-\w+", "/tmp/mailname-X"),
    (r"\d{4}-\d\d-\d\dT[\d:]+Z", "NOW"),
    (r"\b\d+ questions", "N questions"),  # some are asked twice on a busy machine
    (r"\[2001:db8:2::2\]:53|198\.51\.100\.2:53", "PRIMARY"),
)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One ``mailname ...`` of a page, and what the page shows as its output (``None``: nothing is shown)."""

    page: str
    line: int
    words: tuple[str, ...]
    shown: str | None = None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: mailname {shlex.join(self.words)}"

    @property
    def is_pure(self) -> bool:
        return bool(self.words) and (self.words[0] in PURE or self.words[-1] == "--help" or "--list-faults" in self.words)


def own_words(line: str) -> tuple[str, ...] | None:
    """Return what follows ``mailname`` up to a pipe, a redirection or the next command; None for another program's line."""
    if line.strip() == "make rehearse":
        return ("rehearse", "examples/example.tech.toml")
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words = list(lexer)
    while words and re.fullmatch(r"[A-Z_]+=.*|sudo", words[0]):
        words.pop(0)
    if not words or words[0].rsplit("/", 1)[-1] != "mailname":
        return None
    end = next((place for place, word in enumerate(words) if set(word) <= set("|&;<>")), len(words))
    return tuple(words[1:end])


def command_lines(page: Path) -> list[CommandLine]:
    """Return the command lines of a page's ``sh`` and ``console`` blocks, continued lines joined."""
    found = []
    text = page.read_text(encoding="utf-8")
    for block in BLOCK.finditer(text):
        if block["language"] not in {"sh", "console"}:
            continue
        body = block["body"].replace("\\\n", "  ")
        start = text[: block.start("body")].count("\n") + 1
        steps: list[tuple[int, str, str | None]]
        if block["language"] == "sh":
            steps = [(start + offset, line, None) for offset, line in enumerate(body.splitlines())]
        else:
            prompts = [*re.finditer(r"^\$ (.*)\n", body, re.MULTILINE)]
            ends = [*(prompt.start() for prompt in prompts[1:]), len(body)]
            steps = [
                (start + body[: prompt.start()].count("\n"), prompt[1], body[prompt.end() : end])
                for prompt, end in zip(prompts, ends, strict=True)
            ]
        for number, line, shown in steps:
            words = own_words(line)
            if words is not None:
                found.append(CommandLine(str(page.relative_to(ROOT)), number, words, shown))
    return found


LINES = [line for page in PAGES for line in command_lines(page)]


def parse(words: tuple[str, ...]) -> None:
    """Read a command line as click would, without running anything: unknown commands, options and choices raise."""
    if not words or words[0].startswith("-"):
        return
    context = click.Context(mailname_command)
    found = mailname_command.get_command(context, words[0])
    if found is None:
        raise click.UsageError(f"there is no command '{words[0]}'")
    inner = click.Context(found, parent=context, info_name=words[0])
    while isinstance(found, click.Group) and len(words) > 1 and not words[1].startswith("-"):
        words, context = words[1:], inner
        found = found.get_command(context, words[0])
        if found is None:
            raise click.UsageError(f"there is no command '{words[0]}'")
        inner = click.Context(found, parent=context, info_name=words[0])
    options, rest, _ = found.make_parser(inner).parse_args(list(words[1:]))
    if rest:
        raise click.UsageError(f"nothing takes {rest}")
    for parameter in found.params:
        value = options.get(parameter.name or "")
        if isinstance(parameter.type, click.Choice) and isinstance(value, str) and not value.isupper():
            parameter.type.convert(value, parameter, inner)


def settled(text: str) -> str:
    """Return a text with what changes from run to run taken out."""
    for pattern, instead in CHANGING:
        text = re.sub(pattern, instead, text)
    return text


def as_pattern(shown: str) -> str:
    """Turn shown output into a pattern: ``...`` within a line is anything there, on a line of its own any number of lines."""
    lines = [line.rstrip() for line in shown.rstrip("\n").splitlines()]
    parts = [r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"[ ]*\n" for line in lines]
    return "".join(parts)


class TestCommandLines:
    @pytest.mark.parametrize("line", LINES, ids=str)
    def test_exists(self, line: CommandLine) -> None:
        """A command line that can be copied from a page names a command and options that there are."""
        parse(line.words)

    @pytest.mark.parametrize("line", [line for line in LINES if line.shown and line.is_pure], ids=str)
    def test_prints_what_the_page_shows(self, line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(ROOT)
        monkeypatch.setenv("NO_COLOR", "1")
        result = CliRunner().invoke(mailname_command, list(line.words), prog_name="mailname")
        assert line.shown is not None
        printed = settled("".join(part.rstrip() + "\n" for part in result.output.splitlines()))
        assert re.fullmatch(as_pattern(settled(line.shown)), printed), f"{line} prints:\n{printed}"


class TestCommands:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_is_documented(self, name: str) -> None:
        assert f"\n## mailname {name}\n" in (ROOT / "docs/commands.md").read_text(encoding="utf-8")

    @pytest.mark.parametrize("name", COMMANDS)
    def test_options_are_documented(self, name: str) -> None:
        """The page shows the usage and the options as the command has them; 'make reference' writes them."""
        assert f"{BEGIN}\n{reference(name)}\n{END}\n" in (ROOT / "docs/commands.md").read_text(encoding="utf-8")

    def test_page_knows_no_other(self) -> None:
        text = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
        assert set(re.findall(r"^## mailname (\S+)$", text, re.MULTILINE)) == set(COMMANDS)


ERRORS = [name for name, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, Exception)]


class TestErrors:
    @pytest.mark.parametrize("name", ERRORS)
    def test_is_documented(self, name: str) -> None:
        assert f"\n### {name}\n" in (ROOT / "docs/errors.md").read_text(encoding="utf-8")


def codes_in_the_source() -> set[str]:
    """Return every code that a check or an explanation can give: they are written as literals."""
    sources = [one for folder in ("checks", "host") for one in (ROOT / "src/mailname" / folder).rglob("*.py")]
    return {code for source in sources for code in re.findall(r'"([A-Z]+-\d\d)"', source.read_text(encoding="utf-8"))}


class TestChecks:
    def test_each_code_has_its_page_and_each_page_its_code(self) -> None:
        """A code is permanent and is explained: docs/checks/CODE.md."""
        importlib.import_module("mailname.checks")
        codes = codes_in_the_source()
        pages = {page.stem for page in (ROOT / "docs/checks").glob("*-*.md")}
        assert pages == codes

    @pytest.mark.parametrize("page", sorted((ROOT / "docs/checks").glob("*-*.md")), ids=lambda page: page.stem)
    def test_page_is_titled_with_its_code(self, page: Path) -> None:
        assert page.read_text(encoding="utf-8").startswith(f"# {page.stem}")


class TestLinks:
    @pytest.mark.parametrize("page", [*PAGES, *sorted(ROOT.glob("*.md"))], ids=lambda page: str(page.relative_to(ROOT)))
    def test_lead_somewhere(self, page: Path) -> None:
        """Every relative link is a file or a folder of the repository."""
        text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        links = [link for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text) if "://" not in link]
        assert [link for link in links if not (page.parent / link).exists()] == []

    def test_decisions_are_listed(self) -> None:
        folder = ROOT / "docs/decisions"
        listed = set(re.findall(r"\]\((\d{4}-[^)]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8")))
        assert {page.name for page in folder.glob("[0-9]*.md")} == listed
