"""Would the word arrive when the domain is broken? Not by an address, a server or a webhook that needs it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import dns.exception
import dns.name

from mailname.checks.wording import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dns.name import Name

    from mailname.plan import Plan
    from mailname.watch.settings import Settings


def dependences(plans: Iterable[Plan], settings: Settings) -> tuple[str, ...]:
    """Return a sentence for each way that does not work when a watched domain is broken."""
    plans = tuple(plans)
    return tuple(dict.fromkeys(_all(plans, settings)))


def _all(plans: tuple[Plan, ...], settings: Settings) -> Iterator[str]:
    if settings.mail is not None:
        for mailbox in settings.mail.to:
            for plan in plans:
                if why := _needs(mailbox.rpartition("@")[2], plan, plans):
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


def _is_in(text: str, plan: Plan) -> bool:
    name = _name(text)
    return name is not None and name.is_subdomain(plan.domain)


def _name(text: str) -> Name | None:
    try:
        return dns.name.from_text(text.encode("idna").decode() if not text.isascii() else text)
    except (dns.exception.DNSException, UnicodeError):
        return None
