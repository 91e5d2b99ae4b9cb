"""The ports for TLS of one server: opened, and given a renewed certificate without a restart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mailname.server.context import log
from mailname.server.tls import server_context, tls_status
from mailname.server.tls_listener import TlsListener

if TYPE_CHECKING:
    import ssl

    from mailname.server.config import ServerConfig
    from mailname.server.context import Context
    from mailname.server.dispatch import Dispatcher
    from mailname.server.tcp_limits import TcpLimits


class TlsPorts:
    """Listens where ``tls_listen`` says."""

    def __init__(self, context: Context, dispatcher: Dispatcher, limits: TcpLimits) -> None:
        self._context = context
        self._dispatcher = dispatcher
        self._limits = limits
        self._listeners: list[TlsListener] = []

    async def start(self, config: ServerConfig) -> None:
        """Open the ports. Raises HostError: an address cannot be had, or the certificate is no good."""
        self._context.tls_files = config.tls
        ready = await self.prepare(config)
        if ready is None:
            return
        for at in config.tls_listen:
            listener = TlsListener(self._context.network, at, self._dispatcher, self._limits, ready)
            self._listeners.append(listener)
            await listener.start()
            log.info("listening on %s, TLS", at)

    async def prepare(self, config: ServerConfig) -> ssl.SSLContext | None:
        """Read the certificate; changes nothing. Raises HostError when it is no good."""
        return await asyncio.to_thread(server_context, config.tls) if config.tls is not None else None

    async def renew(self, config: ServerConfig, ready: ssl.SSLContext | None) -> None:
        """Show the certificate that was prepared from now on."""
        self._context.tls_files = config.tls
        if ready is not None:
            for listener in self._listeners:
                listener.context = ready

    async def close(self) -> None:
        """Close the ports."""
        await asyncio.gather(*(one.close() for one in self._listeners))
        self._listeners = []

    def status(self) -> dict[str, Any]:
        """Return this part of the server's status: nothing where there is no certificate."""
        files = self._context.tls_files
        return {"tls": {"listen": [str(one.at) for one in self._listeners], **tls_status(files)}} if files is not None else {}
