"""What can be done from the page: enter and leave, check now, notify, transfer again, and in a rehearsal break and mend."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse

from mailname.errors import HostError
from mailname.web.door import COOKIE, is_from_elsewhere
from mailname.web.live import ALL
from mailname.web.versions import restore

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from mailname.web.pages import Pages
    from mailname.web.site import Rehearsed, Site

_LARGEST_FORM = 16384  # octets
_DIGITS = 10  # of a serial


class Acting:
    """The actions. Each is a POST that carries the form's word or the token, and answers with the page it came from."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self.site = site
        self._pages = pages

    async def enter(self, request: Request) -> Response:
        """Let in who knows the token."""
        fields = await _fields(request)
        if is_from_elsewhere(request):
            raise HTTPException(403, "This request came from another site.")
        session = self.site.door.admit(fields.get("token", ""))
        if session is None:
            return self._back("/enter", "That is not the token.")
        return self._let_in(session)

    async def enter_by_link(self, request: Request) -> Response:
        """Let in who has the link that was printed at the start; it works once."""
        session = self.site.door.admit(str(request.path_params["word"]))
        if session is None:
            return self._back("/enter", "This link has been used, or is from an earlier run. Enter the token.")
        return self._let_in(session)

    def _let_in(self, session: str) -> Response:
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, session, httponly=True, samesite="strict", path="/")
        return answer

    async def leave(self, request: Request) -> Response:
        """End the session."""
        await self._admitted(request)
        self.site.door.dismiss(request)
        answer = self._back("/", "")
        answer.delete_cookie(COOKIE, path="/")
        return answer

    async def check(self, request: Request) -> Response:
        """Check a domain now."""
        fields = await self._admitted(request)
        domain = self._pages.domain_of(request)
        await self.site.rounds.check_anew(domain)
        return self._done(request, fields, f"/domain/{domain.name}", f"Checked: {domain.name} is {domain.state}.")

    async def order(self, request: Request) -> Response:
        """Have a primary notify, or a secondary transfer again."""
        fields = await self._admitted(request)
        domain = self._pages.domain_of(request)
        says = await domain.order(str(request.path_params["what"]), fields.get("server", ""))
        await domain.ask_servers(anew=True)
        self.site.live.tell(domain.name)
        return self._done(request, fields, f"/domain/{domain.name}", says)

    async def restore(self, request: Request) -> Response:
        """Publish an earlier version again, with a higher serial."""
        fields = await self._admitted(request)
        domain = self._pages.domain_of(request)
        serial = fields.get("serial", "")
        if not (serial.isascii() and serial.isdigit() and len(serial) <= _DIGITS):
            raise HTTPException(400, "That is no serial.")
        says = await restore(domain, int(serial))
        await self.site.rounds.check_anew(domain)
        await domain.ask_servers(anew=True)
        self.site.live.tell(domain.name)
        return self._done(request, fields, f"/domain/{domain.name}/history", says)

    async def break_one(self, request: Request) -> Response:
        """Break something in the rehearsal: what was chosen, or what the lot falls on."""
        fields = await self._admitted(request)
        rehearsed = self._rehearsed()
        name = fields.get("fault", "")
        try:
            if name:
                await rehearsed.break_one(name)
            else:
                harmful = [fault.name for fault in rehearsed.faults]
                await rehearsed.break_one(secrets.choice(harmful), secretly=True)
            says = "Something is broken now. Can you tell what?" if not name else f"Broken: {name}."
        except HostError as error:
            says = str(error)
        return await self._looked_again(request, fields, says)

    async def mend(self, request: Request) -> Response:
        """Put everything back."""
        fields = await self._admitted(request)
        rehearsed = self._rehearsed()
        was = ", ".join(rehearsed.broken)
        try:
            await rehearsed.mend()
            says = f"Mended. It was: {was}." if was else "All is as the plan says."
        except HostError as error:
            says = str(error)
        return await self._looked_again(request, fields, says)

    def _rehearsed(self) -> Rehearsed:
        if self.site.rehearsed is None:
            raise HTTPException(404, "This is no rehearsal: nothing can be broken from here.")
        return self.site.rehearsed

    async def _looked_again(self, request: Request, fields: dict[str, str], says: str) -> Response:
        for domain in self.site.domains.values():
            await self.site.rounds.check_anew(domain)
        self.site.live.tell(ALL)
        return self._done(request, fields, f"/domain/{next(iter(self.site.domains))}", says)

    async def _admitted(self, request: Request) -> dict[str, str]:
        fields = await _fields(request)
        if why := self.site.door.refuses(request, fields):
            raise HTTPException(403, why)
        return fields

    def _done(self, request: Request, fields: dict[str, str], to: str, says: str) -> Response:
        if request.headers.get("accept", "").startswith("application/json"):
            return JSONResponse({"schema": "mailname.web-done/1", "says": says})
        return self._back(back if (back := fields.get("back", "")) in _pages_of(to) else to, says)

    def _back(self, to: str, says: str) -> RedirectResponse:
        """Lead to a page, and have it tell what was done."""
        told = urlencode({"said": self.site.door.sealed(says)})
        return RedirectResponse(f"{to}{'&' if '?' in to else '?'}{told}" if says else to, 303)


def _pages_of(place: str) -> tuple[str, ...]:
    return (place, f"{place}/transfers", f"{place}/traffic", f"{place}/history", "/?list")


async def _fields(request: Request) -> dict[str, str]:
    """Read a form. Raises HTTPException when it is too large or is none."""
    octets = b""
    async for piece in request.stream():
        octets += piece
        if len(octets) > _LARGEST_FORM:
            raise HTTPException(413, "This is too much for a form.")
    try:
        return dict(parse_qsl(octets.decode("ascii"), max_num_fields=20))
    except ValueError as error:
        raise HTTPException(400, "This is no form.") from error
