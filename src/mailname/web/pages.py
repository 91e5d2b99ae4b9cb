"""The pages, made here and whole without JavaScript."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse

from mailname import __version__
from mailname.view.span import span
from mailname.view.traffic_words import sentence, shares_of
from mailname.view.worksheet import DEFAULT, sheet_json, styles
from mailname.web.check_log import Kept
from mailname.web.documents import sheet_of
from mailname.web.traffic_drawing import columns, drawing
from mailname.web.verdict_parts import SIGNS, parts
from mailname.web.versions import ask_versions
from mailname.web.watched import watched

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from mailname.web.domain import Domain
    from mailname.web.site import Site

HERE = Path(__file__).parent
_PATIENCE = 2.5  # seconds that a page waits for servers that were not asked yet; then it tells that they are being asked
_ORDER = {"broken": 0, "fragile": 1, "unknown": 2, "well": 3}
_SORTS = ("verdict", "domain", "checked")
_FEW_EVENTS = 6
_ROWS = 200  # of the list, at first: a browser takes longer to draw a thousand than we to find them
_DIGITS = 10


def templates() -> Environment:
    """Return the templates; whatever they are given is escaped."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"at": _at, "span": span, "ago": _ago, "moment": _moment, "clock": _clock}
    made.globals |= {"version": __version__, "signs": SIGNS}
    return made


def _ago(at: datetime) -> Markup:
    """Write how long ago a moment was; the page's script keeps it right."""
    seconds = max(0.0, (datetime.now(UTC) - at).total_seconds())
    words = f"{span(seconds)} ago" if seconds >= 1 else "just now"
    return Markup('<time datetime="{}" data-ago title="{}">{}</time>').format(at.isoformat(), _moment(at), words)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _at(seconds: float) -> str:
    """Write a moment that is told in seconds since 1970."""
    return _moment(datetime.fromtimestamp(seconds, UTC))


def _clock(seconds: float) -> Markup:
    """Write a time that is left; the page's script counts it down."""
    until = datetime.fromtimestamp(datetime.now(UTC).timestamp() + seconds, UTC)
    return Markup('<time datetime="{}" data-left title="{}">{}</time>').format(until.isoformat(), _moment(until), span(seconds))


class Pages:
    """Everything that is looked at; nothing here changes anything."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._templates = templates()

    def _page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        door = self.site.door
        common = {
            "site": self.site,
            "path": request.url.path,
            "again": urlencode([pair for pair in request.query_params.multi_items() if pair[0] != "said"]),
            "word": door.form_word(request),
            "may_act": door.session(request) is not None,
            "door": door,
            "said": door.unsealed(request.query_params.get("said", "")),
            "domain": None,
            "page": "",
        }
        return HTMLResponse(self._templates.get_template(template).render({**common, **values}), status)

    async def front(self, request: Request) -> Response:
        """Show all domains; of one domain alone, that one."""
        if len(self.site.domains) == 1 and "list" not in request.query_params:
            return RedirectResponse(f"/domain/{next(iter(self.site.domains))}", 303)
        rows = list(self.site.domains.values())
        sort = request.query_params.get("sort", "")
        sort = sort if sort in _SORTS else "verdict"
        unwell_only = "unwell" in request.query_params
        wanted = request.query_params.get("q", "").strip().lower()[:253]
        counts = {state: sum(one.state == state for one in rows) for state in _ORDER}
        if unwell_only:
            rows = [one for one in rows if one.state != "well"]
        if wanted:
            rows = [one for one in rows if wanted in one.name]
        rows.sort(key=lambda one: one.name)
        if sort == "verdict":
            rows.sort(key=lambda one: _ORDER[one.state])
        elif sort == "checked":
            rows.sort(key=lambda one: one.seen_at or datetime.min.replace(tzinfo=UTC))
        begin = request.query_params.get("from", "")
        first = int(begin) if begin.isascii() and begin.isdigit() and len(begin) < _DIGITS else 0
        first = first if first < len(rows) else 0
        shown = rows if begin == "all" else rows[first : first + _ROWS]
        asked = {"list": "", "sort": sort, **({"unwell": "on"} if unwell_only else {}), **({"q": wanted} if wanted else {})}
        return self._page(
            request,
            "list.html",
            rows=shown,
            first=first,
            found=len(rows),
            most=_ROWS,
            counts=counts,
            sort=sort,
            unwell_only=unwell_only,
            wanted=wanted,
            asked=urlencode(asked),
            page="list",
        )

    def domain_of(self, request: Request) -> Domain:
        """Return the domain of a request's path. Raises HTTPException."""
        found = self.site.domains.get(str(request.path_params["domain"]).rstrip(".").lower())
        if found is None:
            raise HTTPException(404, "There is no such domain here.")
        return found

    async def domain(self, request: Request) -> Response:
        """Show one domain: verdict, cause, map, servers, and the last of all else."""
        domain = await self._asked(request)
        look = domain.look
        told = parts(domain.plan, look.facts, look.verdict) if look else None
        return self._page(
            request,
            "domain.html",
            domain=domain,
            told=told,
            events=[one for one in domain.events if one.is_transfer and one.is_of_ours][:_FEW_EVENTS],
            traffic=_traffic(domain),
            page="domain",
        )

    async def transfers(self, request: Request) -> Response:
        """Show what happened between the servers."""
        domain = await self._asked(request)
        with_hints = "all" in request.query_params
        events = [one for one in domain.events if with_hints or one.is_transfer]
        return self._page(request, "transfers.html", domain=domain, events=events, with_hints=with_hints, page="transfers")

    async def traffic(self, request: Request) -> Response:
        """Show what the servers are asked."""
        domain = await self._asked(request)
        return self._page(request, "traffic.html", domain=domain, traffic=_traffic(domain), page="traffic")

    async def registrar(self, request: Request) -> Response:
        """Show what is to be entered at the registrar."""
        domain = self.domain_of(request)
        known = styles()
        wanted = request.query_params.get("style", DEFAULT)
        names = [*(one.name for one in known.styles), *(one.name for one in known.panels)]
        style, panel = known.find(wanted if wanted in names else DEFAULT)
        sheet = sheet_json(sheet_of(domain), style, panel)
        return self._page(request, "registrar.html", domain=domain, sheet=sheet, names=names, wanted=wanted, page="registrar")

    async def history(self, request: Request) -> Response:
        """Show how the domain was, and which versions were published."""
        domain = await self._asked(request)
        versions = await ask_versions(domain)
        told = watched(self.site.watched, domain.name)
        kept = [Kept.of_spell(one) for one in told.spells] or self.site.log.of(domain.name, 200)
        return self._page(request, "history.html", domain=domain, kept=kept, watched=told, versions=versions, page="history")

    async def enter(self, request: Request) -> Response:
        """Ask for the token."""
        return self._page(request, "enter.html", page="enter")

    async def _asked(self, request: Request) -> Domain:
        """Return the domain, its servers asked if they are quick to answer."""
        domain = self.domain_of(request)
        if domain.is_fresh:
            return domain
        asking = asyncio.ensure_future(domain.ask_servers())
        if domain.told_at is None:
            await asyncio.wait([asking], timeout=_PATIENCE)
        if not asking.done():
            asking.add_done_callback(lambda _: self.site.live.tell(domain.name))
        return domain

    async def wrong(self, request: Request, error: Exception) -> Response:
        """Say what cannot be had."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        says = error.detail if isinstance(error, HTTPException) else "Something went wrong here."
        return self._page(request, "wrong.html", status, says=says)


def _traffic(domain: Domain) -> dict[str, Any]:
    shares, why = shares_of(domain.traffic)
    return {
        "says": sentence(shares) or why,
        "shares": shares,
        "columns": columns(domain.traffic, shares),
        "drawing": drawing(domain.traffic),
        "silent": [(name, one.says) for name, one in domain.traffic.items() if one.report is None],
    }
