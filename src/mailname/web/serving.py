"""Serving the page: at an address of this machine or at a Unix socket, beside whatever else runs in this process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import uvicorn

from mailname.errors import HostError
from mailname.web.app import app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Container, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

    from mailname.web.site import Site

_BACKLOG = 128
_LAST_WORDS = 10  # seconds for answers that are on their way when we end


def listen_at(address: str, port: int) -> socket.socket:
    """Return a listening socket. Raises HostError."""
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
    except OSError as error:
        remedy = "Choose another: mailname web PLAN --listen 127.0.0.1:PORT"
        raise HostError(f"cannot listen on {address} port {port}: {error.strerror}", remedy=remedy, step="web") from error
    made.listen(_BACKLOG)
    return made


def listen_at_path(path: Path) -> socket.socket:
    """Return a listening Unix socket that only our own user can open. Raises HostError."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket():
            _refuse_if_used(path)
            path.unlink()
        made.bind(str(path))
        path.chmod(0o600)
    except OSError as error:
        made.close()
        raise HostError(f"cannot listen on {path}: {error.strerror}", remedy="Name another: --socket PATH", step="web") from error
    made.listen(_BACKLOG)
    return made


def _refuse_if_used(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trying:
        trying.settimeout(1)
        if trying.connect_ex(str(path)) == 0:
            raise HostError(f"another program answers at {path}", remedy="Name another: --socket PATH", step="web")


class _Server(uvicorn.Server):
    """Leaves the signals to the command that started it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def served(site: Site, sockets: list[socket.socket], hosts: Container[str] | None) -> AsyncIterator[None]:
    """Serve, and check in rounds, until the block ends."""
    server = _Server(_configuration(app(site, hosts)))
    rounds = asyncio.create_task(site.rounds.run())
    serving = asyncio.create_task(server.serve(sockets=sockets))
    try:
        yield
    finally:
        site.live.close()
        server.should_exit = True
        rounds.cancel()
        await asyncio.gather(rounds, serving, return_exceptions=True)


def _configuration(application: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        lifespan="off",
        ws="none",
        http="h11",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_LAST_WORDS,
        limit_concurrency=500,
        h11_max_incomplete_event_size=32768,
    )
