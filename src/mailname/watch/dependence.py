"""Would the word arrive when the domain is broken? Not by an address, a server or a webhook that needs it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import dns.exception
import dns.name

from mailname.checks.wording import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dns.name import Name

    from mailname.plan import Plan
    from mailname.watch.recipients import Recipient
    from mailname.watch.settings import Settings


def dependences(plans: Iterable[Plan], settings: Settings, elsewhere: Mapping[Name, Recipient] | None = None) -> tuple[str, ...]:
    """Return a sentence for each way that does not work when a watched domain is broken.

    Args:
        plans: what is watched.
        settings: who is told.
        elsewhere: who takes the mail of the domains of those who are told, as far as that was asked.

    """
    plans = tuple(plans)
    return tuple(dict.fromkeys(_all(plans, settings, elsewhere or {})))


def told_domains(settings: Settings) -> tuple[Name, ...]:
    """Return the domains of those who are told by mail."""
    names = (_name(mailbox.rpartition("@")[2]) for mailbox in (settings.mail.to if settings.mail is not None else ()))
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _all(plans: tuple[Plan, ...], settings: Settings, elsewhere: Mapping[Name, Recipient]) -> Iterator[str]:
    if settings.mail is not None:
        for mailbox in settings.mail.to:
            for plan in plans:
                if why := _needs(mailbox.rpartition("@")[2], plan, plans) or _asked(mailbox.rpartition("@")[2], plan, elsewhere):
                    domain = spoken(plan.domain)
                    yield f"{mailbox} hears nothing when {domain} is broken: {why}. Add an address of another provider."
        for plan in plans:
            if _is_in(settings.mail.server, plan):
                yield (
                    f"The mail server {settings.mail.server} is not found when {spoken(plan.domain)} is broken."
                    " Name one of another provider, or by its address."
                )
    if settings.webhook is not None and settings.webhook.url is not None:
        host = urlsplit(settings.webhook.url).hostname or ""
        for plan in plans:
            if _is_in(host, plan):
                yield f"The webhook at {host} is not found when {spoken(plan.domain)} is broken."


def _needs(domain: str, plan: Plan, plans: tuple[Plan, ...]) -> str:
    """Say why mail to a domain needs what a plan describes; empty where nothing is known of it."""
    if _is_in(domain, plan):
        return "it is an address in it"
    for other in plans:
        if not _is_in(domain, other) or other is plan:
            continue
        for host in other.mail_hosts:
            if host.name.is_subdomain(plan.domain):
                return f"its mail host {spoken(host.name)} is in it"
        if any(server.name.is_subdomain(plan.domain) for server in other.name_servers):
            return "the name servers of its domain have their names in it"
        ours = {address for server in plan.name_servers for address in server.addresses}
        theirs = {address for server in other.name_servers for address in server.addresses}
        if theirs <= ours:
            return "its domain has the same name servers"
    return ""


def _asked(domain: str, plan: Plan, elsewhere: Mapping[Name, Recipient]) -> str:
    """Say why mail to a domain needs what a plan describes, by what the domain itself publishes."""
    name = _name(domain)
    found = elsewhere.get(name) if name is not None else None
    if found is None:
        return ""
    for host in found.mail_hosts:
        if host.is_subdomain(plan.domain):
            return f"its mail host {spoken(host)} is in it"
    if found.name_servers and all(server.is_subdomain(plan.domain) for server in found.name_servers):
        return "the name servers of its domain have their names in it"
    return ""


def _is_in(text: str, plan: Plan) -> bool:
    name = _name(text)
    return name is not None and name.is_subdomain(plan.domain)


def _name(text: str) -> Name | None:
    try:
        return dns.name.from_text(text.encode("idna").decode() if not text.isascii() else text)
    except (dns.exception.DNSException, UnicodeError):
        return None
