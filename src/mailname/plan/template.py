"""A new plan's text: the owner's answers, with the reason beside each line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """A host as it was answered: its name and its addresses, as text."""

    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """All that a new plan needs."""

    domain: str
    contact: str
    website: tuple[str, ...]
    primary: HostAnswer
    secondaries: tuple[HostAnswer, ...]
    mail: HostAnswer
    first: Literal["primary", "secondary"] = "secondary"


def render(answers: Answers) -> str:
    """Return the commented plan. It is text for a person; ``load`` says whether the answers make sense."""
    servers = [_server(answers, server, "secondary") for server in answers.secondaries]
    primary = _server(answers, answers.primary, "primary")
    servers = [primary, *servers] if answers.first == "primary" else [*servers, primary]
    website = [
        _line("website", _list(answers.website), "default A and AAAA: where the domain's website is")
        if answers.website
        else '# website = ["192.0.2.1"]  # default A and AAAA: where the domain\'s website is, once there is one'
    ]
    return "\n".join(
        [
            f"# The plan of {answers.domain}. Each line says why it is there; change what you like, then:",
            "#",
            f"#   mailname show {answers.domain}.toml                the zone that this means",
            f"#   mailname show {answers.domain}.toml --registrar    what to type at the registrar",
            f"#   mailname rehearse {answers.domain}.toml            try all of it on this machine",
            "#",
            "# A name with a dot is a full name, a name without one stands in the domain, '@' is the domain itself.",
            "",
            _line("domain", _text(answers.domain), "as registered"),
            _line("contact", _text(answers.contact), "who is responsible; public, it stands in the SOA record"),
            *website,
            _line("ttl", "3600", "one hour: how long resolvers may remember records; raise it when all is settled"),
            "",
            "[soa]  # the zone's timers, in seconds or with units; these satisfy strict registries",
            _line("refresh", '"4h"', "a secondary asks for the serial, should a NOTIFY get lost"),
            _line("retry", '"1h"', "and asks again when the primary is silent; 1/8 to 1/3 of refresh"),
            _line("expire", '"2w"', "then it stops answering rather than tell old news"),
            _line("minimum", '"1h"', "how long 'there is no such name' is remembered"),
            "",
            "# Name servers, in the order in which they are published. Exactly one is the primary: it holds the zone file.",
            *servers,
            "",
            "[[mail_host]]  # who receives the mail: the MX record. One is enough, senders retry for days",
            _line("name", _text(answers.mail.name), "a host with an address of its own, never an alias"),
            _line("preference", "10", "the lowest number is tried first"),
            *([_line("addresses", _list(answers.mail.addresses), "its public addresses")] if answers.mail.addresses else []),
            "",
            "# [transfer_key]                   # signed transfers (TSIG): take the '# ' away; 'mailname deploy' makes the key",
            f'# name = "transfer.{answers.domain}"',
            "",
            "# Anything else the zone shall hold, one table for each name and type:",
            "# [[record]]",
            '# name = "@"',
            '# type = "TXT"',
            '# data = "v=spf1 mx -all"',
            "",
        ]
    )


def _server(answers: Answers, server: HostAnswer, role: str) -> str:
    below = server.name == answers.domain or server.name.endswith("." + answers.domain) or "." not in server.name
    why = "the registrar needs them as glue: the name is in the domain" if below else "who may transfer; no glue is needed"
    does = "it holds the zone file" if role == "primary" else "it transfers the zone from the primary"
    return "\n".join(
        [
            "",
            "[[name_server]]",
            _line("name", _text(server.name), "as the registry and the NS record give it"),
            _line("addresses", _list(server.addresses), why),
            _line("role", _text(role), does),
            f"# ssh = {_text(f'admin@{server.addresses[0]}'):<50}  # take the '# ' away for 'mailname deploy' and after",
        ]
    )


def _line(key: str, value: str, why: str) -> str:
    return f"{f'{key:<10} = {value}':<58}  # {why}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML basic string


def _list(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(_text(value) for value in values) + "]"
