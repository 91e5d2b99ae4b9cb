"""``mailname init``: asks what a plan needs, says why, and writes it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from rich.markup import escape

from mailname.cli.console import err, out, print_error, print_mistake
from mailname.errors import HostError, PlanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.plan.template import Answers, HostAnswer

_HOST = "NAME=ADDR[,ADDR]"


@click.command("init")
@click.argument("domain")
@click.option("--contact", metavar="MAILBOX", help="Who is responsible. [default: hostmaster@DOMAIN]")
@click.option("--primary", metavar=_HOST, help="The server that holds the zone file, usually the mail host.")
@click.option("--secondary", "secondaries", metavar=_HOST, multiple=True, help="A server that transfers it; may be repeated.")
@click.option("--mail", metavar="NAME[=ADDR,...]", help="The mail host. [default: mail.DOMAIN at the primary's addresses]")
@click.option("--website", metavar="ADDR[,ADDR]", help="The website's addresses, or 'none'. [default: none]")
@click.option(
    "--first", type=click.Choice(["secondary", "primary"]), default="secondary", show_default=True, help="Who is published first."
)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="The file to write. [default: DOMAIN.toml]")
@click.option("--yes", is_flag=True, help="Take the default for everything that has one.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(
    domain: str,
    contact: str | None,
    primary: str | None,
    secondaries: tuple[str, ...],
    mail: str | None,
    website: str | None,
    first: Literal["primary", "secondary"],
    output: Path | None,
    yes: bool,
    force: bool,
) -> None:
    """Ask what is needed and write a commented plan for DOMAIN.

    With --contact, --primary, --secondary, --mail and --website nothing is asked.
    """
    from mailname.plan import load
    from mailname.plan.names import read_domain
    from mailname.plan.template import render

    domain = _checked("DOMAIN", domain, lambda text: str(read_domain(text)) and text).rstrip(".")
    path = output or Path(f"{domain}.toml")
    if path.exists() and not force:
        raise click.UsageError(f"{path} is already there. Write elsewhere with --output, or over it with --force.")
    given = {"contact": contact, "primary": primary, "secondary": ";".join(secondaries) or None, "mail": mail, "website": website}
    if yes:
        given = {key: value or _default(key, domain) for key, value in given.items()}
    missing = [key for key, value in given.items() if value is None and not (yes and key == "mail")]
    if missing and (yes or not _can_ask()):
        raise click.UsageError(f"These answers are missing: {', '.join(f'--{key}' for key in missing)}.")
    answers = _Interview(domain, given, first).answers()
    text = render(answers)
    try:
        loaded = load(text, str(path))
    except PlanError as error:
        print_error(error)
        raise click.UsageError(f"These answers make no plan; {path} was not written.") from None
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        remedy = "Name a file that this user may write: --output FILE"
        raise HostError(f"cannot write {path}: {error.strerror}", remedy=remedy, step="init") from error
    for warning in loaded.warnings:
        print_mistake(warning)
    out.print(f"wrote {path}", markup=False)
    err.print(f"[dim]Next: mailname show {escape(str(path))}, then mailname rehearse {escape(str(path))}[/]")


def _default(key: str, domain: str) -> str | None:
    return {"contact": f"hostmaster@{domain}", "website": "none"}.get(key)


def _can_ask() -> bool:
    return sys.stdin.isatty()


def _checked(what: str, text: str, read: Callable[[str], str]) -> str:
    from mailname.plan.fault import WrongValueError

    try:
        return read(text)
    except WrongValueError as wrong:
        raise click.BadParameter(f"{wrong.problem} {wrong.remedy}", param_hint=what) from None


class _Interview:
    """The questions, in the order in which a person can answer them: each default comes from what is known by then."""

    def __init__(self, domain: str, given: dict[str, str | None], first: Literal["primary", "secondary"]) -> None:
        self.domain = domain
        self.given = given
        self.first = first

    def answers(self) -> Answers:
        from mailname.plan.template import Answers, HostAnswer

        contact = self.given["contact"] or self._ask(
            "Who is responsible for the domain? Everybody can read this mailbox in the SOA record.",
            "Contact",
            f"hostmaster@{self.domain}",
            _read_contact,
        )
        primary = self._host(
            "primary",
            "The primary holds the zone file. Usually the mail host does this; as it is busy, it is published second.",
            "Primary name server",
            f"ns2.{self.domain}",
        )
        secondary_text = self.given["secondary"]
        if secondary_text:
            secondaries = tuple(_read_host("--secondary", text, self.domain) for text in secondary_text.split(";"))
        else:
            asked = self._host(
                "secondary",
                "The secondary transfers the zone from the primary: a small machine in another network.",
                "Secondary name server",
                f"ns1.{self.domain}",
            )
            secondaries = (asked,)
        mail = self._mail(primary)
        website = self.given["website"] or self._ask(
            "Where is the domain's website? 'none' if there is none.",
            "Website's addresses",
            ",".join(secondaries[0].addresses),
            _read_addresses_or_none,
        )
        return Answers(
            self.domain,
            _checked("--contact", contact, _read_contact),
            tuple(_split(_checked("--website", website, _read_addresses_or_none))) if website != "none" else (),
            primary,
            secondaries,
            mail or HostAnswer(f"mail.{self.domain}", primary.addresses),
            self.first,
        )

    def _mail(self, primary: HostAnswer) -> HostAnswer | None:
        from mailname.plan.template import HostAnswer

        text = self.given["mail"]
        if text is not None:
            name, equals, _ = text.partition("=")
            if equals:
                return _read_host("--mail", text, self.domain)
            inside = "." not in name or name.endswith("." + self.domain)
            return HostAnswer(_checked("--mail", name, self._read_name), primary.addresses if inside else ())
        if "mail" in self.given and not _can_ask():
            return None  # --yes: its default is known once the primary is
        err.print("\nWhich host receives the mail? The MX record will name it.", markup=False)
        name = click.prompt("Mail host", default=f"mail.{self.domain}", value_proc=_proc(self._read_name), err=True)
        addresses = click.prompt(
            "  its addresses", default=",".join(primary.addresses), value_proc=_proc(_read_addresses), err=True
        )
        return HostAnswer(name, tuple(_split(addresses)))

    def _host(self, key: str, why: str, what: str, default: str) -> HostAnswer:
        from mailname.plan.template import HostAnswer

        if text := self.given[key]:
            return _read_host(f"--{key}", text, self.domain)
        err.print(f"\n{why}", markup=False)
        name = click.prompt(what, default=default, value_proc=_proc(self._read_name), err=True)
        addresses = click.prompt("  its addresses, IPv4 and IPv6", value_proc=_proc(_read_addresses), err=True)
        return HostAnswer(name, tuple(_split(addresses)))

    def _ask(self, why: str, what: str, default: str, read: Callable[[str], str]) -> str:
        err.print(f"\n{why}", markup=False)
        answer: str = click.prompt(what, default=default, value_proc=_proc(read), err=True)
        return answer

    def _read_name(self, text: str) -> str:
        from mailname.plan.names import read_domain, read_host

        read_host(text, read_domain(self.domain))
        return text.removesuffix(".")


def _proc(read: Callable[[str], str]) -> Callable[[str], str]:
    """Turn a reader into what click asks again after."""

    def checked(text: str) -> str:
        from mailname.plan.fault import WrongValueError

        try:
            return read(text.strip())
        except WrongValueError as wrong:
            raise click.UsageError(f"{wrong.problem} {wrong.remedy}") from None

    return checked


def _split(text: str) -> list[str]:
    return [part for part in text.replace(",", " ").split() if part]


def _read_contact(text: str) -> str:
    from mailname.plan.names import read_mailbox

    read_mailbox(text)
    return text


def _read_addresses(text: str) -> str:
    from mailname.plan.address import read_address
    from mailname.plan.fault import WrongValueError

    addresses = [str(read_address(part)) for part in _split(text)]
    if not addresses:
        raise WrongValueError("At least one address is needed.", 'As in "192.0.2.1, 2001:db8:1::1".')
    return ",".join(addresses)


def _read_addresses_or_none(text: str) -> str:
    return text if text == "none" else _read_addresses(text)


def _read_host(option: str, text: str, domain: str) -> HostAnswer:
    from mailname.plan.names import read_domain, read_host
    from mailname.plan.template import HostAnswer

    name, equals, addresses = text.partition("=")
    if not equals:
        raise click.BadParameter(f"'{text}' has no addresses: write it as {_HOST}.", param_hint=option)
    _checked(option, name, lambda one: str(read_host(one, read_domain(domain))))
    return HostAnswer(name.removesuffix("."), tuple(_split(_checked(option, addresses, _read_addresses))))
