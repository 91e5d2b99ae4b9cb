"""Who may act: whoever has the token, or came by the Unix socket; and only from a page of ours (no cross-site requests)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

COOKIE = "mailname"
_MOST_SESSIONS = 100
_SOCKET = "socket"


@dataclass(slots=True)
class Door:
    """What lets in.

    Attributes:
        token: who knows it may act; None: nobody does by it.
        trusts_way: who can come here may act: the Unix socket is our own user's.
        read_only: nobody may act.
        links: words that let in once each, for the line that is printed at the start.

    """

    token: str | None = field(default=None, repr=False)
    trusts_way: bool = False
    read_only: bool = False
    links: set[str] = field(default_factory=set, repr=False)
    _sessions: list[str] = field(default_factory=list, repr=False)
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @property
    def has_way_in(self) -> bool:
        """Tell whether a token would let anybody act."""
        return not self.read_only and not self.trusts_way and self.token is not None

    def new_link(self) -> str:
        """Return a word that lets in once."""
        word = secrets.token_urlsafe(24)
        self.links.add(word)
        return word

    def admit(self, word: str) -> str | None:
        """Return a new session for the token, or for a link that nobody has used; None for anything else."""
        if self.read_only:
            return None
        used = next((link for link in self.links if _same(link, word)), None)
        if used is not None:
            self.links.discard(used)
        elif self.token is None or not _same(self.token, word):
            return None
        session = secrets.token_urlsafe(24)
        self._sessions = [*self._sessions[-_MOST_SESSIONS:], session]
        return session

    def dismiss(self, request: Request) -> None:
        """End the session of a request."""
        self._sessions = [one for one in self._sessions if one != request.cookies.get(COOKIE)]

    def session(self, request: Request) -> str | None:
        """Return the session by which a request may act; None when it may not."""
        if self.read_only:
            return None
        if self.trusts_way:
            return _SOCKET
        cookie = request.cookies.get(COOKIE, "")
        return next((one for one in self._sessions if _same(one, cookie)), None)

    def form_word(self, request: Request) -> str:
        """Return the word that each form of a page carries, and that no other site can know; empty when nobody may act."""
        session = self.session(request)
        return hmac.new(self._secret, session.encode(), hashlib.sha256).hexdigest() if session else ""

    def sealed(self, says: str) -> str:
        """Return what is to be told on the next page so that a link can carry it, and nobody else can write such a link."""
        return f"{self._seal(says)}.{says}"

    def unsealed(self, told: str) -> str:
        """Return what a link of ours tells; empty for one of somebody else's."""
        seal, _, says = told.partition(".")
        return says if _same(seal, self._seal(says)) else ""

    def _seal(self, says: str) -> str:
        return hmac.new(self._secret, b"said " + says.encode(), hashlib.sha256).hexdigest()[:32]

    def refuses(self, request: Request, fields: Mapping[str, str]) -> str:
        """Say why a request may not act; empty when it may."""
        if self.read_only:
            return "This page is read-only."
        if is_from_elsewhere(request):
            return "This request came from another site."
        kind, _, bearer = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":  # no browser sends it by itself, so no other site can make it do so
            return "" if self.token is not None and _same(self.token, bearer.strip()) else "The token is wrong."
        word = self.form_word(request)
        if not word:
            return "To act, enter the token first."
        return "" if _same(word, fields.get("word", "")) else "The form is from an earlier run. Load the page again."


def is_from_elsewhere(request: Request) -> bool:
    """Tell whether a browser says that another site made it send this."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
