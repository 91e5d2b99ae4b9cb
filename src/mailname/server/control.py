"""The control socket: a Unix socket on which the operator's commands arrive, one JSON line in, one JSON line out.

Who may open the file may give orders: it is made with mode 660.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from mailname.errors import HostError
from mailname.server.atomic import remove_unneeded

log = logging.getLogger("mailname")
Order = dict[str, Any]
Handler = Callable[[Order], Awaitable[Order]]

DEFAULT_PATH = Path("/run/mailname/control.sock")
_OUT_OF_HANDLES = 1.0  # seconds
_RECEIVED = 1 << 16  # octets taken at once
_LONGEST_LINE = 64 * 1024 * 1024  # of an order; an answer tells of all zones, however many
_SENT = 1 << 18  # octets of an answer sent at once
_UNREAD = 600.0  # seconds for which whoever gave an order may leave its answer: he may look at something else meanwhile
_LONGEST_PATH = 103  # what fits struct sockaddr_un everywhere


class ControlSocket:
    """Takes orders for one server."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self.path = path
        self._handler = handler
        self._listening: socket.socket | None = None
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
            self._listening = _bound(self.path)
            self._listening.setblocking(False)
            self._listen()
        except OSError as error:
            raise HostError(
                f"cannot make the control socket {self.path}: {error.strerror}",
                remedy="Name a path that this user may write, and at which no other file lies: --control PATH",
                step="control",
            ) from error

    async def close(self) -> None:
        """Stop listening and remove the socket file."""
        if self._listening is not None:
            self._stop_listening(self._listening)
            for task in self._orders:
                task.cancel()
            await asyncio.gather(*self._orders, return_exceptions=True)
            remove_unneeded(self.path)  # the next start replaces what stays

    def _stop_listening(self, listening: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(listening)
        listening.close()
        self._listening = None

    def _on_callers(self) -> None:
        """Take all who have called: whoever publishes waits, so that nothing stands between the call and its order."""
        loop = asyncio.get_running_loop()
        while self._listening is not None:
            try:
                caller, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no handle is free: whoever called waits
                log.warning("the control socket takes no orders for a second: %s", error.strerror)
                loop.remove_reader(self._listening)
                loop.call_later(_OUT_OF_HANDLES, self._listen)
                return
            caller.setblocking(False)
            task = loop.create_task(self._take(caller))
            self._orders.add(task)
            task.add_done_callback(self._orders.discard)
            task.add_done_callback(partial(_hang_up, caller))  # a task that is cancelled before it begins ends nothing

    def _listen(self) -> None:
        if self._listening is not None:
            asyncio.get_running_loop().add_reader(self._listening, self._on_callers)

    async def _take(self, caller: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(10):
                line = await _line(caller)
            if line:
                answer = memoryview(json.dumps(await self._answer(line)).encode() + b"\n")
                for at in range(0, len(answer), _SENT):
                    async with asyncio.timeout(_UNREAD):
                        await loop.sock_sendall(caller, answer[at : at + _SENT])
        except (TimeoutError, OSError, ValueError):
            pass  # the other side is gone, silent, or sends no line; there is nobody to tell

    async def _answer(self, line: bytes) -> Order:
        try:
            order = json.loads(line)
        except ValueError:
            return {"ok": False, "says": "an order is one line of JSON"}
        if not isinstance(order, dict) or not isinstance(order.get("do"), str):
            return {"ok": False, "says": 'an order looks like {"do": "status"}'}
        return await self._handler(order)


async def _line(caller: socket.socket) -> bytes:
    """Return the first line that comes, or what comes before the other side ends it. Raises ValueError where it is too long."""
    loop = asyncio.get_running_loop()
    received = bytearray()
    while not received.endswith(b"\n"):
        more = await loop.sock_recv(caller, _RECEIVED)
        received += more
        if not more or b"\n" in more:
            break
        if len(received) > _LONGEST_LINE:
            raise ValueError("an order is too long")
    line, ends, _ = received.partition(b"\n")
    return bytes(line + ends)


def _hang_up(caller: socket.socket, _: object) -> None:
    caller.close()


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
    """Give one order to a running server and return its answer, of whatever size.

    Args:
        path: of its control socket.
        order: what it is to do.
        timeout: seconds for which nothing may come.

    Raises:
        HostError: no server listens there, it may not be asked, or it does not answer.

    """
    try:
        async with asyncio.timeout(timeout) as patience:
            reader, writer = await asyncio.open_unix_connection(str(path), limit=_SENT)
            try:
                writer.write(json.dumps(order).encode() + b"\n")
                line = bytearray()
                while not line.endswith(b"\n") and (more := await reader.read(_SENT)):
                    line += more
                    patience.reschedule(asyncio.get_running_loop().time() + timeout)
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
