"""Everything that is shown, as JSON documents with a version in their schema's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mailname.plan import expand_all
from mailname.plan.registrar import worksheet
from mailname.view.traffic_words import sentence, shares_of
from mailname.view.verdict_sentence import sentence as verdict_sentence
from mailname.view.worksheet import DEFAULT, sheet_json, styles
from mailname.web.watched import watched
from mailname.zone import Serial

if TYPE_CHECKING:
    from mailname.plan.registrar import Worksheet
    from mailname.web.domain import Domain
    from mailname.web.site import Site

LIST_SCHEMA = "mailname.web-domains/1"
DOMAIN_SCHEMA = "mailname.web-domain/1"
TRAFFIC_SCHEMA = "mailname.web-traffic/1"


def list_document(site: Site) -> dict[str, Any]:
    """Return every domain with its verdict."""
    return {"schema": LIST_SCHEMA, "domains": [row(one) for one in site.domains.values()]}


def row(domain: Domain) -> dict[str, Any]:
    """Return one domain in short."""
    cause = domain.look.verdict.cause if domain.look is not None else None
    return {
        "domain": domain.name,
        "verdict": domain.state,
        "code": cause.finding.code if cause else None,
        "says": cause.finding.says if cause else domain.problem,
        "at": domain.seen_at.isoformat() if domain.seen_at else None,
    }


def domain_document(site: Site, domain: Domain) -> dict[str, Any]:
    """Return all that is known of one domain."""
    look = domain.look
    return {
        "schema": DOMAIN_SCHEMA,
        **row(domain),
        "problem": domain.problem,
        "sentence": verdict_sentence(domain.plan, look.facts, look.verdict) if look else "",
        "check": look.verdict.to_json() if look else None,
        "servers": [one.to_json() for one in domain.servers],
        "transfers": [one.to_json() for one in domain.events],
        "traffic": traffic_document(domain),
        "registrar": sheet_json(sheet_of(domain), *styles().find(DEFAULT)),
        "history": [one.to_json() for one in site.log.of(domain.name, 500)],
        "changes": domain.versions.to_json(),
        "watched": watched(site.watched, domain.name).to_json(),
    }


def traffic_document(domain: Domain) -> dict[str, Any]:
    """Return what the servers of a domain are asked."""
    parts, why = shares_of(domain.traffic)
    return {
        "schema": TRAFFIC_SCHEMA,
        "domain": domain.name,
        "says": sentence(parts) or why,
        "shares": [
            {"server": one.server, "questions": one.questions, "share": one.share, "least": one.least, "most": one.most}
            for one in parts
        ],
        "servers": [
            {"server": name, "asked": {"how": told.how or None, "says": told.says}, "traffic": told.report}
            for name, told in domain.traffic.items()
        ],
    }


def sheet_of(domain: Domain) -> Worksheet:
    """Return what is to be entered at the registrar."""
    return worksheet(domain.plan, next(iter(expand_all(domain.plan, Serial(0)))))
