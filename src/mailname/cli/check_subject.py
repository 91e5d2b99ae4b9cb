"""What ``mailname check`` is asked about: a plan, any domain, or a list of domains."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import dns.exception
import dns.name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dns.name import Name

    from mailname.plan import Plan

_LISTS = (".txt", ".list", ".csv")


class Kind(enum.Enum):
    """What the argument of the command is."""

    PLAN = "plan"
    DOMAIN = "domain"
    LIST = "list"


class Subject(NamedTuple):
    """What is checked: a plan with its file, or a name, or the file of a list."""

    kind: Kind
    name: Name = dns.name.root
    file: Path | None = None
    plan: Plan | None = None
    plan_data: Mapping[str, Any] | None = None

    @property
    def listed(self) -> Path:
        """The list's file."""
        assert self.file is not None
        return self.file


def read_subject(text: str, *, quiet: bool = False) -> Subject:
    """Tell what the argument is, and read it if it is a plan: a file is one, unless its name ends as a list's does.

    Raises:
        PlanError: the plan has mistakes.
        UsageError: it is no file and no domain.

    """
    if text == ".":
        raise click.UsageError("The root is nobody's domain. Write the name that you can register, as in example.tech.")
    file = Path(text)
    if file.suffix in _LISTS and (file.exists() or "/" in text):
        return Subject(Kind.LIST, file=file)
    if file.exists() or "/" in text or file.suffix == ".toml":
        from mailname.checks.saved_look import plan_data
        from mailname.cli.plan_argument import read_plan
        from mailname.plan import decode

        plan = read_plan(file, quiet=quiet)
        return Subject(Kind.PLAN, plan.domain, file, plan, plan_data(decode(file.read_bytes(), text)))
    return Subject(Kind.DOMAIN, read_name(text))


def read_name(text: str) -> Name:
    """Read a domain, in its own letters or in ASCII. Raises UsageError."""
    from mailname.plan.fault import WrongValueError
    from mailname.plan.names import read_domain

    if text.rstrip(".").lower().endswith(".arpa"):  # a reverse zone is delegated and served as any other
        return _read_reverse(text)
    try:
        return read_domain(text)
    except WrongValueError as error:
        raise click.UsageError(f"{error.problem} {error.remedy}") from error


def _read_reverse(text: str) -> Name:
    try:
        return dns.name.from_text(text)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise click.UsageError(f"'{text}' is no name: {error}") from error
