"""Bounds on the number of TCP connections: who gets a place, and who makes room."""

from __future__ import annotations

import resource
from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest

from mailname.server.tcp_limits import MOST_CONNECTIONS, STUCK, Place, TcpLimits, most_connections


class TestMostConnections:
    @pytest.mark.parametrize(
        ("files", "most"), [(1024, MOST_CONNECTIONS), (resource.RLIM_INFINITY, MOST_CONNECTIONS), (256, 104), (64, 8), (20, 4)]
    )
    def test_leaves_files_for_the_rest(self, monkeypatch: pytest.MonkeyPatch, files: int, most: int) -> None:
        """Strangers who open connections must not keep a secondary from asking, nor a primary from writing."""
        monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
        assert most_connections() == most


@dataclass
class Room:
    """Limits with a clock that stands still, and who was ended."""

    most: int = 2
    most_per_client: int = 2
    time: float = 0.0
    ended: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.limits = TcpLimits(lambda: self.time, self.most, self.most_per_client)

    def admit(self, address: str, name: str = "") -> Place | None:
        return self.limits.admit(ip_address(address), lambda: self.ended.append(name))

    def admitted(self, address: str, name: str = "") -> Place:
        place = self.admit(address, name)
        assert place is not None
        return place


class TestPlaces:
    def test_are_no_more_than_there_may_be(self) -> None:
        """Nobody is ended while it is being answered: the new one is turned away. A place that is left is free again."""
        room = Room()
        first, _ = room.admitted("192.0.2.1"), room.admitted("192.0.2.2")
        assert room.admit("192.0.2.3") is None
        assert room.ended == []
        room.limits.leave(first)
        assert room.admit("192.0.2.3") is not None

    def test_one_client_has_its_share(self) -> None:
        """Though there is room for others."""
        room = Room(most=10)
        assert room.admit("192.0.2.1")
        assert room.admit("192.0.2.1")
        assert room.admit("192.0.2.1") is None
        assert room.admit("192.0.2.2")

    def test_ipv6_client_is_a_network(self) -> None:
        """A host has 2^64 addresses: they are one client."""
        room = Room(most=10)
        assert room.admit("2001:db8::1")
        assert room.admit("2001:db8::ffff:0:0:1")
        assert room.admit("2001:db8::2") is None
        assert room.admit("2001:db8:0:1::1")

    def test_left_twice_is_left_once(self) -> None:
        room = Room()
        first, _ = room.admitted("192.0.2.1"), room.admitted("192.0.2.1")
        room.limits.leave(first)
        room.limits.leave(first)
        assert len(room.limits) == 1


class TestRoom:
    def test_is_made_by_who_was_idle_longest(self) -> None:
        room = Room()
        first, second = room.admitted("192.0.2.1", "first"), room.admitted("192.0.2.2", "second")
        room.limits.idle(second)
        room.limits.idle(first)
        assert room.admit("192.0.2.3") is not None
        assert room.ended == ["second"]
        assert len(room.limits) == 2

    def test_is_made_by_the_same_client_where_it_has_its_share(self) -> None:
        """It harms itself alone."""
        room = Room(most=10)
        other = room.admitted("192.0.2.2", "other")
        first, _ = room.admitted("192.0.2.1", "first"), room.admitted("192.0.2.1", "second")
        room.limits.idle(other)
        room.limits.idle(first)
        assert room.admit("192.0.2.1") is not None
        assert room.ended == ["first"]

    def test_is_not_made_by_who_asked_again(self) -> None:
        room = Room()
        first, second = room.admitted("192.0.2.1", "first"), room.admitted("192.0.2.2", "second")
        room.limits.idle(first)
        room.limits.idle(second)
        room.limits.busy(first)
        room.admitted("192.0.2.3", "third")
        assert room.ended == ["second"]

    def test_is_made_by_who_does_not_read(self) -> None:
        """After a while; a short stall is what networks do. Who is idle goes before."""
        room = Room()
        stuck, other = room.admitted("192.0.2.1", "stuck"), room.admitted("192.0.2.2", "other")
        room.limits.stuck(stuck)
        room.limits.stuck(other)
        room.time = STUCK / 2
        assert room.admit("192.0.2.3") is None
        room.limits.moving(other)
        room.limits.stuck(other)
        room.time = STUCK
        assert room.admit("192.0.2.3") is not None
        assert room.ended == ["stuck"]
        assert room.admit("192.0.2.4") is None

    def test_is_made_by_each_once(self) -> None:
        """A connection that is being ended, and has not noticed yet, is counted no more and not ended again."""
        room = Room(most=1)
        first = room.admitted("192.0.2.1", "first")
        room.limits.idle(first)
        room.admitted("192.0.2.2", "second")
        room.limits.idle(first)
        room.limits.stuck(first)
        room.time = 2 * STUCK
        assert room.admit("192.0.2.3") is None
        assert room.ended == ["first"]
