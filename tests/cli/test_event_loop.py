"""What stops a look is told as what it is."""

from __future__ import annotations

import asyncio
import errno
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.checks.small_world import SmallWorld

from mailname.checks.observe_domain import observe_domain
from mailname.cli.event_loop import run
from mailname.errors import ObservationError
from mailname.server.network_map import MappedNetwork

if TYPE_CHECKING:
    import socket

    from mailname.server.network import Endpoint, IPAddress


class Exhausted(MappedNetwork):
    """A network for which this process may open no socket any more."""

    def open_udp(self, to: Endpoint, source: IPAddress | None = None) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")


class TestRun:
    def test_gives_the_result(self) -> None:
        assert run(asyncio.sleep(0, "done")) == "done"

    def test_raises_the_error_itself(self) -> None:
        """Too many open files are no verdict on anybody: nothing is taken for unreachable because of them."""
        world = SmallWorld()
        look = observe_domain(world.plan.domain, network=Exhausted(), world=replace(world.world(), resolver=None))
        with pytest.raises(ObservationError, match="may open no more files"):
            run(look)
