"""What a command imports is most of what it costs: each waits only for the parts that it uses."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import mailname
from mailname.checks.seen_plan import SeenMailHost, SeenPlan, SeenServer, SeenSoa
from mailname.plan import MailHost, NameServer, Plan, Soa

_RUN = """\

import sys
from mailname.cli.main import command
try:
    command.main(sys.argv[1:], standalone_mode=False)
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""
_IPV4_ONLY = """\
domain = "example.tech"
contact = "hostmaster@example.tech"
name_server = [
  {name = "ns1", addresses = ["192.0.2.1"], role = "primary"},
  {name = "ns2", addresses = ["198.51.100.2"], role = "secondary"},
]
mail_host = [{name = "mail", addresses = ["198.51.100.2"]}]
"""
_PLAN = ("mailname.plan.model", "mailname.plan.expand", "tree_sitter", "tomllib")
_CONSOLE = ("rich.console", "mailname.cli.console")
_OF_ZONES = ("mailname.zone.zone", "mailname.zone.text", "mailname.server.zonefiles")
_OF_OTHERS = (
    "dns.message",
    "dns.resolver",
    "dns.dnssec",
    "cryptography",
    "http.client",
    "mailname.answer",
    "mailname.lab",
    "pydantic",
    "starlette",
    "uvicorn",
    "jinja2",
    "prometheus_client",
)


def imported(*words: str) -> frozenset[str]:
    """Return the modules that are there when a command has ended."""
    done = subprocess.run([sys.executable, "-c", _RUN, *words], capture_output=True, text=True, check=True, timeout=60)
    return frozenset(done.stderr.splitlines()[-1].split())


class TestCommand:
    @pytest.mark.parametrize(
        ("words", "unused"),
        [
            (("--help",), (*_PLAN, *_CONSOLE, *_OF_ZONES, *_OF_OTHERS, "asyncio", "dns")),
            (("version",), (*_PLAN, *_OF_ZONES, *_OF_OTHERS, "asyncio")),
            (("check", "--help"), (*_PLAN, *_CONSOLE, *_OF_ZONES, *_OF_OTHERS)),
            (
                # Over neither family that the hints have is anybody asked: the look ends at once, and all of it was imported.
                ("check", "example.tech", "--root-hints", "{hints}", "--ipv6", "--json"),
                (*_PLAN, *_CONSOLE, *_OF_OTHERS, "importlib.metadata"),
            ),
            (
                ("check", "{plan}", "--root-hints", "{hints}", "--ipv6", "--json"),
                (*_CONSOLE, *_OF_OTHERS, "importlib.metadata"),
            ),
        ],
    )
    def test_imports_nothing_that_it_does_not_use(
        self, words: tuple[str, ...], unused: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("given")
        (plan := folder / "plan.toml").write_text(_IPV4_ONLY)
        hints = folder / "hints"
        hints.write_text(". 60 IN NS a.\na. 60 IN A 127.0.0.1\n")
        there = imported(*(word.format(hints=hints, plan=plan) for word in words))
        assert there & set(unused) == set()


class TestDnspython:
    def test_finds_its_optional_parts_as_ever_and_names_know_idna(self) -> None:
        tried = (
            "from mailname.cli.dns_features import tell_what_is_installed; tell_what_is_installed();"
            "import dns._features, dns.name; print(dns.name.have_idna_2008, dns._features.have('doq'),"
            "dns._features._version_check('click>=8'));"
            "from importlib.metadata import version; print(version('click') >= '8', dns._features._version_check('click>=8'))"
        )
        done = subprocess.run([sys.executable, "-c", tried], capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout.split() == ["True", "False", "True", "True", "True"]


class TestSeenPlan:
    @pytest.mark.parametrize(
        ("seen", "planned", "of"),
        [(SeenPlan, Plan, r"\bplan"), (SeenServer, NameServer, ""), (SeenMailHost, MailHost, ""), (SeenSoa, Soa, "soa")],
    )
    def test_has_each_member_of_the_plan_that_a_check_or_a_page_about_it_reads(
        self, seen: type, planned: type[Plan], of: str
    ) -> None:
        package = Path(mailname.__file__).parent
        files = [*package.glob("checks/*.py"), *package.glob("cli/verdict_*.py"), *package.glob("cli/delegation_*.py")]
        read = {word for file in files for word in re.findall(rf"{of}\.([a-z_]+)", file.read_text(encoding="utf-8"))}
        assert {name for name in planned.__dataclass_fields__ if name in read and not hasattr(seen, name)} == set()
