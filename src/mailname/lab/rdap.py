"""The registry's RDAP server in the lab: HTTP on a loopback port, with what the registry would tell of one domain (RFC 9083)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from dns.name import Name

_IDLE = 5.0


class RdapServer:
    """Answers for one domain; all others are unknown to it."""

    def __init__(self, domain: Name, status: tuple[str, ...], ends: datetime) -> None:
        self.status = status
        self.ends = ends
        self._domain = domain.to_text(omit_final_dot=True)
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it is asked."""
        assert self._server is not None, "it has not been started"
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _answer(self, path: str) -> tuple[str, dict[str, object]]:
        if path != f"/domain/{self._domain}":
            return "404 Not Found", {"errorCode": 404}
        return "200 OK", {
            "objectClassName": "domain",
            "ldhName": self._domain,
            "status": list(self.status),
            "events": [{"eventAction": "expiration", "eventDate": self.ends.isoformat()}],
            "entities": [
                {"objectClassName": "entity", "roles": ["registrar"], "vcardArray": ["vcard", [["fn", {}, "text", "Registrar"]]]}
            ],
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError, TimeoutError):
            async with asyncio.timeout(_IDLE):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            words = head.split(" ")
            status, answer = self._answer(words[1] if len(words) > 1 else "")
            writer.write(f"HTTP/1.0 {status}\r\nContent-Type: application/rdap+json\r\n\r\n{json.dumps(answer)}".encode())
            await writer.drain()
        writer.close()
