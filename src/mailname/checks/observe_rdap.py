"""Asking an RDAP server over HTTP, with a time of its own: it is told what came, and nothing waits for it longer.

HTTP/1.0 is spoken, so that an answer ends with the connection (RFC 1945 section 7.2.2). Not implemented: proxies.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import dns.exception
import dns.name

from mailname.checks.rdap import RegistrationFact, domain_url, read_registration

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dns.name import Name

    from mailname.server.network import IPAddress

    Resolve = Callable[[Name], Awaitable[tuple[IPAddress, ...]]]

PATIENCE = 4.0  # seconds for all of it
_LARGEST = 1_000_000  # octets
_MOST_REDIRECTS = 3


class _NothingToldError(Exception):
    """Why nothing is known, in a few words."""


async def ask_registration(base: str, domain: Name, resolve: Resolve, patience: float = PATIENCE) -> RegistrationFact:
    """Ask for a domain. ``resolve`` gives the addresses of the server's host."""
    url = domain_url(base, domain)
    try:
        async with asyncio.timeout(patience):
            return read_registration(url, await _get(url, resolve))
    except TimeoutError:
        return RegistrationFact(url, f"no answer within {patience:g} seconds")
    except _NothingToldError as error:
        return RegistrationFact(url, str(error))
    except (OSError, EOFError, ValueError) as error:
        return RegistrationFact(url, f"the server could not be asked: {error}")


async def _get(url: str, resolve: Resolve) -> bytes:
    for _ in range(_MOST_REDIRECTS + 1):
        status, headers, body = await _exchange(url, resolve)
        if status in (301, 302, 303, 307, 308) and "location" in headers:
            url = urljoin(url, headers["location"])
        elif status == 200:
            return body
        else:
            raise _NothingToldError("the registry does not know it" if status == 404 else f"the server answers {status}")
    raise _NothingToldError("the server sends us from one place to the next")


async def _exchange(url: str, resolve: Resolve) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or not url.isascii():
        raise _NothingToldError("the server sends us to what is no address of the web")
    secure = parts.scheme == "https"
    reader, writer = await asyncio.open_connection(
        str(await _address(parts.hostname, resolve)),
        parts.port or (443 if secure else 80),
        limit=_LARGEST,
        ssl=ssl.create_default_context() if secure else None,
        server_hostname=parts.hostname if secure else None,
    )
    try:
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {parts.netloc}\r\nAccept: application/rdap+json\r\n\r\n".encode("ascii"))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        body = bytearray()
        while len(body) <= _LARGEST and (more := await reader.read(65536)):
            body += more
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    status = head[0].split(" ")
    if len(status) < 2 or not status[1].isdigit() or len(body) > _LARGEST:
        raise _NothingToldError("what came back is no answer of a web server")
    pairs = (line.partition(":") for line in head[1:])
    return int(status[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}, bytes(body)


async def _address(host: str, resolve: Resolve) -> IPAddress:
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        found = await resolve(dns.name.from_text(host))
    except dns.exception.DNSException as error:
        raise _NothingToldError(f"{host} is no host name") from error
    if not found:
        raise _NothingToldError(f"{host} has no address")
    return found[0]
