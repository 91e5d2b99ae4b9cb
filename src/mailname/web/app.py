"""The page's routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mailname.web.acting import Acting
from mailname.web.documents import domain_document, list_document, traffic_document
from mailname.web.guard import Guard
from mailname.web.live import ALL
from mailname.web.metrics import CONTENT_TYPE, exposition
from mailname.web.pages import HERE, Pages
from mailname.web.versions import ask_versions

if TYPE_CHECKING:
    from collections.abc import Container

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from mailname.web.site import Site

_DIGITS = 18


def app(site: Site, hosts: Container[str] | None) -> ASGIApp:
    """Return the application.

    Args:
        site: what it shows.
        hosts: the names by which it may be called; None: by any.

    """
    pages = Pages(site)
    acting = Acting(site, pages)
    told = _Told(site, pages)
    place = "/domain/{domain}"
    routes = [
        Route("/", pages.front),
        Route("/enter", pages.enter, methods=["GET"]),
        Route("/enter", acting.enter, methods=["POST"]),
        Route("/enter/{word}", acting.enter_by_link),
        Route("/leave", acting.leave, methods=["POST"]),
        Route(place, pages.domain),
        Route(f"{place}/transfers", pages.transfers),
        Route(f"{place}/traffic", pages.traffic),
        Route(f"{place}/registrar", pages.registrar),
        Route(f"{place}/history", pages.history),
        Route(f"{place}/restore", acting.restore, methods=["POST"]),
        Route(f"{place}/check", acting.check, methods=["POST"]),
        Route(f"{place}/order/{{what}}", acting.order, methods=["POST"]),
        Route("/lab/break", acting.break_one, methods=["POST"]),
        Route("/lab/mend", acting.mend, methods=["POST"]),
        Route("/live", told.live),
        Route("/api/1/domains", told.domains),
        Route("/api/1" + place, told.domain),
        Route("/api/1" + place + "/traffic", told.traffic),
        Route("/metrics", told.metrics),
        Route("/healthz", told.health),
        Mount("/static", GZipMiddleware(StaticFiles(directory=HERE / "static"))),
    ]
    made = Starlette(routes=routes, exception_handlers={HTTPException: pages.wrong, 500: pages.wrong})
    return Guard(made, hosts)


class _Told:
    """What programs read."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._pages = pages

    async def live(self, request: Request) -> Response:
        """Tell a page of changes, as server-sent events."""
        if self._site.live.is_full:
            return PlainTextResponse("Too many pages are open.\n", 503)
        since = request.query_params.get("since", "")
        number = int(since) if since.isascii() and since.isdigit() and len(since) < _DIGITS else self._site.live.number
        stream = self._site.live.stream(request.query_params.get("domain", ALL), number)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    async def domains(self, _: Request) -> Response:
        """Tell of all domains in short."""
        return JSONResponse(list_document(self._site))

    async def domain(self, request: Request) -> Response:
        """Tell all of one domain."""
        domain = self._pages.domain_of(request)
        await domain.ask_servers()
        await ask_versions(domain)
        return JSONResponse(domain_document(self._site, domain))

    async def traffic(self, request: Request) -> Response:
        """Tell what the servers of one domain are asked."""
        domain = self._pages.domain_of(request)
        await domain.ask_servers()
        return JSONResponse(traffic_document(domain))

    async def metrics(self, _: Request) -> Response:
        """Tell what Prometheus reads."""
        return Response(exposition(self._site), headers={"content-type": CONTENT_TYPE})

    async def health(self, _: Request) -> Response:
        """Tell whether this page does its work, whatever it has found out about domains."""
        if self._site.rounds.are_late:
            return PlainTextResponse("the checks are late\n", 503)
        return PlainTextResponse("ok\n")
