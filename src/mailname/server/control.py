"""The control socket: a Unix socket on which the operator's commands arrive, one JSON line in, one JSON line out.

Who may open the file may give orders: it is made with mode 660.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from mailname.errors import HostError
from mailname.server.atomic import remove_unneeded

Order = dict[str, Any]
Handler = Callable[[Order], Awaitable[Order]]

DEFAULT_PATH = Path("/run/mailname/control.sock")
_LONGEST_LINE = 64 * 1024 * 1024
_LONGEST_PATH = 103  # what fits struct sockaddr_un everywhere


class ControlSocket:
    """Takes orders for one server."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self.path = path
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._orders: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; a socket file that a killed server left behind is replaced, one that answers is not.

        Raises:
            HostError: another server listens there, or the path cannot be used.

        """
        if len(str(self.path)) > _LONGEST_PATH:
            raise HostError(
                f"the control socket's path {self.path} is too long for a Unix socket",
                remedy=f"Choose one of at most {_LONGEST_PATH} characters.",
                step="control",
            )
        if _answers(self.path):
            raise HostError(
                f"another server listens on the control socket {self.path}",
                remedy="Stop it, or give this one a socket of its own: --control PATH",
                step="control",
            )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._server = await asyncio.start_unix_server(self._connected, sock=_bound(self.path), limit=_LONGEST_LINE)
        except OSError as error:
            raise HostError(
                f"cannot make the control socket {self.path}: {error.strerror}",
                remedy="Name a path that this user may write, and at which no other file lies: --control PATH",
                step="control",
            ) from error

    async def close(self) -> None:
        """Stop listening and remove the socket file."""
        if self._server is not None:
            self._server.close()
            for task in self._orders:
                task.cancel()
            await asyncio.gather(*self._orders, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None
            remove_unneeded(self.path)  # the next start replaces what stays

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._take(reader, writer))
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), 10)
            if line:
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
            writer.close()
            await asyncio.wait_for(writer.wait_closed(), 30)
        except (TimeoutError, OSError, ValueError):
            pass  # the other side is gone, silent, or sends no line; there is nobody to tell
        finally:
            writer.transport.abort()

    async def _answer(self, line: bytes) -> Order:
        try:
            order = json.loads(line)
        except ValueError:
            return {"ok": False, "says": "an order is one line of JSON"}
        if not isinstance(order, dict) or not isinstance(order.get("do"), str):
            return {"ok": False, "says": 'an order looks like {"do": "status"}'}
        return await self._handler(order)


def _answers(path: Path) -> bool:
    """Tell whether a server is behind a socket file. One that is busy, or not for us to ask, is there as well."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except (BlockingIOError, PermissionError):
            return True
        except OSError:
            return False
    return True


def _bound(path: Path) -> socket.socket:
    """Bind the socket file, which nobody but owner and group may open from its first moment on."""
    if path.is_socket():
        path.unlink()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o117)
    try:
        bound.bind(str(path))
        bound.listen()  # at once: who sees the file may connect
    except OSError:
        bound.close()
        raise
    finally:
        os.umask(mask)
    return bound


async def ask(path: Path, order: Order, *, timeout: float = 60.0) -> Order:
    """Give one order to a running server and return its answer.

    Raises:
        HostError: no server listens there, it may not be asked, or it does not answer.

    """
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=_LONGEST_LINE)
            try:
                writer.write(json.dumps(order).encode() + b"\n")
                line = await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
        answer = json.loads(line)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise HostError(
            f"no server listens on the control socket {path}",
            remedy="Start one: mailname serve --config FILE; or name its socket: --control PATH",
            step="control",
        ) from error
    except PermissionError as error:
        raise HostError(
            f"the control socket {path} is not for this user",
            remedy="Use sudo, or join the group that owns it.",
            step="control",
        ) from error
    except TimeoutError as error:
        raise HostError(
            f"the server at {path} runs, and did not answer within {timeout:.0f} seconds",
            remedy="It is stopped, hangs, or has much to do. See what it does: top, journalctl -u mailname; then start it again.",
            step="control",
        ) from error
    except (OSError, ValueError) as error:
        raise HostError(f"the server at {path} did not answer: {str(error) or type(error).__name__}", step="control") from error
    if not isinstance(answer, dict):
        raise HostError(f"the server at {path} sent no answer that can be read", step="control")
    return answer
