"""What holds for every answer: which hosts we are called by, and what a browser may do with what it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Container

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "same-origin",  # with no-referrer a form of ours would say that it comes from nowhere
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Refuses names that are not ours (DNS rebinding), and puts the same headers on every answer.

    Args:
        app: what answers.
        hosts: the names and addresses by which this page may be called, without ports; None: by any.

    """

    def __init__(self, app: ASGIApp, hosts: Container[str] | None) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        host = host_of(Headers(scope=scope).get("host", ""))
        if self._hosts is not None and host not in self._hosts:
            says = f"This page is not called '{host[:100]}'. Start it with: mailname web PLAN --host NAME\n"
            await PlainTextResponse(says, 421)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def host_of(header: str) -> str:
    """Return the name or address of a Host header, without port and brackets, in lower case."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()
