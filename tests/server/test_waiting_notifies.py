"""The NOTIFYs of a primary that changes more zones at once than are taken at once."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.opcode
import pytest

from mailname.server.waiting_notifies import WaitingNotifies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.server.waiting_notifies import Handed

PRIMARY = "192.0.2.1"


@pytest.fixture
def here() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        yield made


def notify(here: socket.socket, zone: str, number: int = 1) -> Handed:
    """Return a NOTIFY as a worker hands it on."""
    message = dns.message.make_query(zone, "SOA", id=number, flags=dns.flags.AA)
    message.set_opcode(dns.opcode.NOTIFY)
    return here, (message.to_wire(), b"sender", b"")


class TestWaitingNotifies:
    def test_of_each_zone_the_newest_waits(self, here: socket.socket) -> None:
        """It is sent again while the first waits, and asks for the same: once is enough. Names are compared without case."""
        line = WaitingNotifies()
        first, again, other = notify(here, "a.example"), notify(here, "A.example", 2), notify(here, "b.example")
        assert [line.add(PRIMARY, one) for one in (first, again, other)] == [True, False, False]
        assert line.take(10) == ([again, other], False)
        assert line.take(10) == ([], False)

    def test_of_two_primaries_both_wait(self, here: socket.socket) -> None:
        """One may be refused, and the other is right."""
        line = WaitingNotifies()
        both = [notify(here, "a.example"), notify(here, "a.example")]
        for sender, one in zip((PRIMARY, "192.0.2.2"), both, strict=True):
            line.add(sender, one)
        assert line.take(10) == (both, False)

    def test_is_taken_in_parts_and_in_its_order(self, here: socket.socket) -> None:
        """Other work comes between; whoever takes the last is told so, and the next that comes calls again."""
        line = WaitingNotifies()
        every = [notify(here, f"d{number}.example") for number in range(5)]
        for one in every:
            line.add(PRIMARY, one)
        assert line.take(3) == (every[:3], True)
        assert line.take(3) == (every[3:], False)
        assert line.add(PRIMARY, every[0])

    def test_is_bounded(self, here: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
        """Forged ones take no more than this; those that wait are renewed all the same."""
        monkeypatch.setattr("mailname.server.waiting_notifies._MOST", 2)
        line = WaitingNotifies()
        for name in ("a", "b", "c"):
            line.add(PRIMARY, notify(here, name))
        again = notify(here, "b", 2)
        line.add(PRIMARY, again)
        assert line.take(10) == ([notify(here, "a"), again], False)

    def test_nothing_else_waits(self, here: socket.socket) -> None:
        """Who asks a question asks it again, what is too large is no NOTIFY, and what is cut off breaks nothing."""
        line = WaitingNotifies()
        question = dns.message.make_query("a.example", "SOA").to_wire()
        long = notify(here, "a.example")[1][0] + bytes(600)
        for wire in (question, long, b"", b"\0\0\x24"):
            line.add(PRIMARY, (here, (wire, b"sender", b"")))
        assert [wire for _, (wire, _, _) in line.take(10)[0]] == [b"\0\0\x24"]
