"""UDP by threads that run outside the interpreter: plain questions never wait for Python; the others come to the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from mailname.server.network import DirectNetwork
from mailname.server.udp import answer_from, ask_for_source
from mailname.server.udp_batch import socket_address
from mailname.server.waiting import datagrams_waiting
from mailname.server.waiting_notifies import WaitingNotifies
from mailname.wire.edns import OptionCode
from mailname.wire.message import is_notify, is_update

try:
    from mailname.server.udp_worker import Worker
except ImportError:  # no compiler was at hand when mailname was installed
    Worker = None

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mailname.answer.rate_limit import RateLimit
    from mailname.answer.settings import Settings
    from mailname.server.dispatch import Dispatcher
    from mailname.server.network import Endpoint, Network, SocketAddress
    from mailname.server.served_images import ServedImages

_Message = tuple[bytes, bytes, bytes]  # the question, the sender's sockaddr, ancillary octets
_MOST_WAITING = 2000  # questions handed to Python and not answered yet; more are dropped, as a full socket buffer drops them
_NOTIFIES_AT_ONCE = 20  # of those that wait; other work of the event loop comes between


def are_available(network: Network) -> bool:
    """Tell whether workers can be used: compiled, wanted, and on real sockets."""
    return Worker is not None and isinstance(network, DirectNetwork) and os.environ.get("MAILNAME_PURE") != "1"


class UdpWorkers:
    """Several workers at one UDP address; the kernel spreads the clients over their sockets."""

    def __init__(
        self, network: Network, at: Endpoint, dispatcher: Dispatcher, images: ServedImages, limit: RateLimit, count: int
    ) -> None:
        assert isinstance(network, DirectNetwork)
        self._network = network
        self._dispatcher = dispatcher
        self._loop = asyncio.get_running_loop()
        self._with_source = at.address.is_unspecified
        self._waiting = 0
        self._notifies = WaitingNotifies()
        self._count = threading.Lock()  # several threads add to the number above
        self._sockets = network.share_udp(at, count)
        self.workers = []
        for one in self._sockets:
            if self._with_source:
                ask_for_source(one, at.address.version)
            one.setblocking(True)
            self.workers.append(
                Worker(
                    one.fileno(), images.images, self._with_source, _cookie_secret(dispatcher.settings), limit, self._taker(one)
                )
            )
        waited = datagrams_waiting(self._sockets[0])  # with sockets of systemd all are one; new ones are empty
        if waited:
            dispatcher.rates.forgiven += waited
            for worker in self.workers:
                worker.forgive(waited)
        for worker in self.workers:
            images.tell(worker)
        self._threads = [threading.Thread(target=worker.run, name=f"udp {at}", daemon=True) for worker in self.workers]
        for thread in self._threads:
            thread.start()

    @property
    def is_answering(self) -> bool:
        """Whether every worker runs."""
        return all(thread.is_alive() for thread in self._threads)

    def counters(self) -> list[dict[str, Any]]:
        """Return what each worker has seen."""
        return [worker.counters.as_dict() for worker in self.workers]

    def seen(self) -> list[Any]:
        """Return the Counters of each worker."""
        return [worker.counters for worker in self.workers]

    async def close(self) -> None:
        """Stop answering: within a fifth of a second."""
        for worker in self.workers:
            worker.stop()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        for one in self._sockets:
            one.close()

    def _taker(self, one: socket.socket) -> Callable[[Sequence[_Message]], None]:
        def take(messages: Sequence[_Message]) -> None:
            """Run in the worker's thread: hand messages to the event loop, if it keeps up."""
            with self._count:
                is_behind = self._waiting + len(messages) > _MOST_WAITING
                self._waiting += 0 if is_behind else len(messages)
            if is_behind:
                first = [self._notifies.add(str(socket_address(each[1])[0]), (one, each)) for each in messages]
                if True in first:
                    with contextlib.suppress(RuntimeError):
                        self._loop.call_soon_threadsafe(self._take_notifies)
                return
            with contextlib.suppress(RuntimeError):  # the loop is closing
                self._loop.call_soon_threadsafe(self._answer, one, messages)

        return take

    def _take_notifies(self) -> None:
        """Answer some of the NOTIFYs that found the event loop behind."""
        taken, more = self._notifies.take(_NOTIFIES_AT_ONCE)
        for one, message in taken:
            self._each(one, message)
        if more:
            self._loop.call_soon(self._take_notifies)

    def _answer(self, one: socket.socket, messages: Sequence[_Message]) -> None:
        with self._count:
            self._waiting -= len(messages)
        for message in messages:
            self._each(one, message)

    def _each(self, one: socket.socket, message: _Message) -> None:
        wire, sockaddr, control = message
        seen = socket_address(sockaddr)
        if is_update(wire):
            self._dispatcher.updating.take(wire, self._network.peer(seen), partial(_send, one, seen, control))
            return
        reply = self._dispatcher.on_udp(wire, self._network.peer(seen))
        if reply is None:
            return
        if is_notify(wire):  # the transfer that it asks for begins first
            self._loop.call_soon(_send, one, seen, control, reply)
        else:
            _send(one, seen, control, reply)


def options_for_reference(settings: Settings) -> tuple[int, ...]:
    """Return the EDNS options that workers leave to the reference: those that we answer, but for simple cookies and EXPIRE."""
    return (
        *((OptionCode.NSID,) if settings.nsid is not None else ()),
        *((OptionCode.COOKIE,) if settings.require_cookies else ()),
    )


def _send(one: socket.socket, seen: SocketAddress, control: bytes, reply: bytes) -> None:
    with contextlib.suppress(OSError):
        one.sendmsg([reply], answer_from(_ancillary(control)), socket.MSG_DONTWAIT, seen)


def _cookie_secret(settings: Settings) -> bytes | None:
    return settings.cookie_secrets[0] if settings.cookie_secrets else None


def _ancillary(control: bytes) -> list[tuple[int, int, bytes]]:
    """Read the first control message, which is the packet info if it was asked for."""
    if len(control) < 16:
        return []
    length, level, kind = struct.unpack_from("@Nii", control)
    return [(level, kind, control[16:length])]
