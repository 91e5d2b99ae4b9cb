"""The kinds of values that a plan holds: how each is read, and what an editor is told of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import dns.rdatatype

from mailname.plan import names
from mailname.plan.address import read_address
from mailname.plan.duration import MAXIMUM, PATTERN, read_seconds
from mailname.plan.fault import WrongValueError, closest
from mailname.plan.host_fields import read_service, read_ssh_key, read_time_zone, read_user
from mailname.plan.prefixes import read_prefix
from mailname.plan.table import Kind
from mailname.wire.certificate import read_pin

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.name import Name

_NAMED = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
_MOST_IN_A_GROUP = 255  # octets: a character string (RFC 9432 section 4.3.2)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise WrongValueError(f"This is {_NAMED.get(type(value), 'a date')}; text is needed.", 'Write it in quotes: "...".')
    return value


def _of_text(read: Callable[[str], object], **schema: Any) -> Kind:
    return Kind(lambda value, _: read(_text(value)), {**schema, "type": "string"})


def _name(read: Callable[[str, Name], Name]) -> Kind:
    return Kind(lambda value, domain: read(_text(value), domain), {"type": "string"})


def _choice(what: str, known: tuple[str, ...], synonyms: dict[str, str]) -> Kind:
    def read(text: str) -> str:
        if text in known:
            return text
        *others, last = [f'"{word}"' for word in known]
        meant = closest(text, known, synonyms)
        hint = f'Did you mean "{meant}"?' if meant else f"Write {', '.join(others)} or {last}."
        raise WrongValueError(f"'{text}' is not {what}.", hint, instead=meant)

    return Kind(lambda value, _: read(_text(value)), {"enum": list(known)})


def _number(low: int, high: int) -> Kind:
    def read(value: object, domain: Name) -> int:
        del domain
        if isinstance(value, str) and value.isdecimal():
            raise WrongValueError(f'"{value}" is text, not a number.', f"Write {int(value)} without quotes.", instead=int(value))
        if isinstance(value, bool) or not isinstance(value, int):
            raise WrongValueError("This must be a whole number.", f"Write a number from {low} to {high}.")
        if not low <= value <= high:
            raise WrongValueError(f"{value} is out of range.", f"Write a number from {low} to {high}.")
        return value

    return Kind(read, {"maximum": high, "minimum": low, "type": "integer"})


def _pin(text: str) -> str:
    try:
        return read_pin(text)
    except ValueError as error:
        raise WrongValueError(f"This is no pin: {error}.", "Print it: mailname key pin CERTIFICATE") from error


def _mailbox(text: str) -> str:
    names.read_mailbox(text)
    return text


def _ssh_target(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_\[][A-Za-z0-9_.@:\[\]%-]*", text):
        raise WrongValueError(f"'{text}' is no SSH target.", "Write host, user@host, or a Host of your ssh_config.")
    return text


def _truth(value: object, domain: Name) -> bool:
    del domain
    if not isinstance(value, bool):
        raise WrongValueError("This must be true or false.", "Write true or false, without quotes.")
    return value


def _record_type(text: str) -> str:
    text = text.upper()
    try:
        meta = dns.rdatatype.is_metatype(dns.rdatatype.from_text(text))
    except (dns.rdatatype.UnknownRdatatype, ValueError):
        meta = True
    if meta:
        raise WrongValueError(f"'{text}' is not a type of records.", 'Write one as zone files do: "TXT".')
    return text


def _catalog_name(text: str, domain: Name) -> Name:
    name = names.read_host(text, domain)
    if name == domain:
        raise WrongValueError("This is the domain itself.", f"Give the catalog a name of its own: catalog.{names.say(domain)}.")
    return name


def _group(text: str) -> str:
    if not 0 < len(text) <= _MOST_IN_A_GROUP:
        raise WrongValueError(f"A group has 1 to {_MOST_IN_A_GROUP} characters.", "Write a word.")
    return text


DOMAIN_NAME = _of_text(names.read_domain)
HOST_NAME = _name(names.read_host)
OWNER_NAME = _name(names.read_owner)
CATALOG_NAME = _name(_catalog_name)
ADDRESS = _of_text(read_address, anyOf=[{"format": "ipv4"}, {"format": "ipv6"}])
PREFIX = _of_text(read_prefix)
SECONDS = Kind(
    lambda value, _: read_seconds(value),
    {"anyOf": [{"maximum": MAXIMUM, "minimum": 0, "type": "integer"}, {"pattern": PATTERN, "type": "string"}]},
)
PREFERENCE = _number(0, 65535)
PORT = _number(1, 65535)
TEXT = _of_text(str)
GROUP = _of_text(_group)
PIN = _of_text(_pin, pattern="^[A-Za-z0-9+/]{43}=$")
MAILBOX = _of_text(_mailbox, format="idn-email")
SSH_TARGET = _of_text(_ssh_target)
RECORD_TYPE = _of_text(_record_type)
TRUTH = Kind(_truth, {"type": "boolean"})
USER = _of_text(read_user)
SSH_KEY = _of_text(read_ssh_key)
TIME_ZONE = _of_text(read_time_zone)
SERVICE = _of_text(read_service, pattern="^[0-9]+/(tcp|udp)$")
ROLE = _choice(
    "a role",
    ("primary", "secondary"),
    {"master": "primary", "main": "primary", "slave": "secondary", "backup": "secondary"},
)
MADE_TYPE = _choice("a type that the plan makes", ("SOA", "NS", "MX", "A", "AAAA"), {})
ENGINE = _choice(
    "an engine",
    ("builtin", "bind", "knot", "nsd"),
    {"mailname": "builtin", "named": "bind", "bind9": "bind", "knotd": "knot"},
)
ALGORITHM = _choice(
    "an algorithm that we use",
    ("hmac-sha256", "hmac-sha384", "hmac-sha512"),
    {
        "hmac_md5": "hmac-sha256",
        "hmac_md5.sig_alg.reg.int": "hmac-sha256",
        "hmac_sha1": "hmac-sha256",
        "sha256": "hmac-sha256",
    },
)
