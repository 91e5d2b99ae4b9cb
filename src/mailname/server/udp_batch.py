"""Many datagrams with one system call, without a compiler: ``recvmmsg`` and ``sendmmsg`` of the C library, by ctypes.

A question arrives in a place of a fixed block of memory, and its answer is written over it: the id and the question are there
already, the sender's address and the control message stay where they are. All places and what points to them are made once.
"""

from __future__ import annotations

import ctypes
import mmap
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailname.server.network import SocketAddress

MOST = 64  # datagrams taken before other work gets its turn

_LARGEST = 65535
# Not a multiple of a page, or all places would fall into the same few lines of the processor's cache.
PLACE = 65536 + 192
NAME = 32  # octets kept for a sender's address: struct sockaddr_in6 has 28
_CONTROL = 64
_CONTROL_HEADER = ctypes.sizeof(ctypes.c_size_t) + 8  # struct cmsghdr


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Header(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("vectors", ctypes.c_void_p),
        ("vectors_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = (("header", _Header), ("size", ctypes.c_uint32))


class Batch:
    """Places for a batch of datagrams.

    Attributes:
        octets: all places, each of PLACE octets: a question, then its answer.
        sizes: of the answers, by place.
        names: the senders' socket addresses, as the system writes them.

    """

    def __init__(self, *, with_control: bool) -> None:
        """Make the places.

        Raises:
            OSError, AttributeError: the system has no such calls.

        """
        library = ctypes.CDLL(None, use_errno=True)
        self._receive, self._send = library.recvmmsg, library.sendmmsg
        self._receive.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
        self._send.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
        # Memory that is there only where it is used; a slice of it is ``bytes`` at once.
        self.octets = mmap.mmap(-1, MOST * PLACE)
        self.names = mmap.mmap(-1, MOST * NAME)
        self._control = mmap.mmap(-1, MOST * _CONTROL)
        places, names, control = (
            ctypes.addressof(ctypes.c_char.from_buffer(one)) for one in (self.octets, self.names, self._control)
        )
        vectors = (_Vector * MOST)(*(_Vector(places + PLACE * i, _LARGEST) for i in range(MOST)))
        at = ctypes.addressof(vectors)
        messages = (_Message * MOST)(
            *(
                _Message(
                    _Header(
                        names + NAME * i,
                        NAME,
                        at + ctypes.sizeof(_Vector) * i,
                        1,
                        control + _CONTROL * i if with_control else None,
                        _CONTROL if with_control else 0,
                    )
                )
                for i in range(MOST)
            )
        )
        self._messages = ctypes.addressof(messages)
        self._keep = (vectors, messages)
        # As they are before a batch: receiving changes them.
        self._blocks = memoryview(messages).cast("B"), memoryview(vectors).cast("B")
        self._fresh = tuple(bytes(one) for one in self._blocks)
        words = memoryview(messages).cast("B").cast("I")
        self._received = words[_Message.size.offset // 4 :: ctypes.sizeof(_Message) // 4]
        self.sizes = memoryview(vectors).cast("B").cast("P")[1::2]

    def receive(self, fd: int) -> list[int]:
        """Take what has arrived, and return how long each datagram is; nothing when nothing is there.

        An error that the system has noted for the socket (an ICMP message about an earlier answer) is nobody's concern.
        """
        for block, fresh in zip(self._blocks, self._fresh, strict=True):
            block[:] = fresh
        count = self._receive(fd, self._messages, MOST, socket.MSG_DONTWAIT, None)
        return self._received[:count].tolist() if count > 0 else []

    def sender(self, place: int) -> bytes:
        """Return the socket address that a datagram came from."""
        return self.names[NAME * place : NAME * (place + 1)]

    def forget_interfaces(self, count: int) -> None:
        """Let answers leave from the addresses that their questions came to (IPv4), by whatever interface: the system knows."""
        for at in range(_CONTROL_HEADER, _CONTROL * count, _CONTROL):
            self._control[at : at + 4] = bytes(4)

    def send(self, fd: int, first: int, end: int) -> None:
        """Send the answers in some places. One that cannot go is dropped, as the network might."""
        size = ctypes.sizeof(_Message)
        while first < end:
            sent = self._send(fd, self._messages + size * first, end - first, socket.MSG_DONTWAIT)
            first += max(sent, 1)


def socket_address(octets: bytes) -> SocketAddress:
    """Read a struct sockaddr_in or sockaddr_in6."""
    (family,) = struct.unpack_from("@H", octets)
    (port,) = struct.unpack_from("!H", octets, 2)
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, octets[4:8]), port
    flow, address, scope = struct.unpack_from("@I16sI", octets, 4)
    return socket.inet_ntop(socket.AF_INET6, address), port, flow, scope
