"""A BIND that others have set up: what is in the way of a takeover, and whether the host itself depends on it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mailname.cli.deploy_takeover import ASKS_NAMED, TakingOver
from mailname.engines.bind import Bind
from mailname.server.program import Ran

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailname.engines.driven import Driven
    from mailname.host.machine_by_ssh import MachineBySsh

INTO = Path("/etc/bind/named.conf.local")


class Host:
    """A host that tells what it was given to tell."""

    def __init__(self, rndc: Ran, asked: bytes = b"") -> None:
        self.told = {("rndc", "status"): rndc, ASKS_NAMED: Ran(0, asked, b"")}

    async def run(self, commands: Sequence[tuple[str, ...]]) -> list[Ran]:
        """Answer; no file is there."""
        return [self.told.get(words, Ran(0, b"", b"")) for words in commands]


class Server:
    """What a takeover asks of a driven server."""

    engine = Bind()
    places = engine.placed((), None)


def looked(host: Host) -> TakingOver:
    return asyncio.run(TakingOver.look(cast("Driven", Server()), cast("MachineBySsh", host)))


class TestTakingOver:
    def test_of_a_server_without_its_control_key_is_refused(self) -> None:
        """Nothing could be taken over, and putting it back would need a restart: what to type is said first."""
        taking = looked(Host(Ran(1, b"", b"rndc: neither /etc/bind/rndc.conf nor /etc/bind/rndc.key was found\n")))
        (fault,) = taking.faults(INTO, [], runs=True)
        assert fault.problem == "named runs and takes no orders: neither /etc/bind/rndc.conf nor /etc/bind/rndc.key was found"
        assert "sudo rndc-confgen -a -u bind" in fault.fix
        assert taking.faults(INTO, [], runs=False) == []
        assert looked(Host(Ran(0, b"server is up and running\n", b""))).faults(INTO, [], runs=True) == []

    def test_knows_whether_the_host_asks_it(self) -> None:
        """The first such address of /etc/resolv.conf."""
        assert looked(Host(Ran(0, b"", b""), b"127.0.0.1\n::1\n")).resolves == "127.0.0.1"
        assert looked(Host(Ran(0, b"", b""))).resolves == ""
