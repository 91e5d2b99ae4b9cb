from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

import dns.name
import pytest

from mailname.errors import TransferError
from mailname.server import hinted
from mailname.transfer.actions import Peer, Transfer
from mailname.transfer.offers import Failure
from mailname.zone import Serial

if TYPE_CHECKING:
    from mailname.server.context import Context

APEX = dns.name.from_text("example.tech.")
PEER = Peer(ip_address("192.0.2.1"), 53)
SILENT = TransferError("no answer by UDP, nor by TCP", peer="192.0.2.1:53", reason="timeout-udp")


async def failed(
    monkeypatch: pytest.MonkeyPatch, reason: str, soa: Serial | TransferError, *, by_notify: bool = True
) -> tuple[str, Serial | None]:
    """Return the reason and the serial offered, after a transfer that fails and a question that is answered so."""

    async def transferred(*_args: object) -> None:
        raise TransferError("it is so", peer="192.0.2.1:53", reason=reason)

    async def asked(*_args: object) -> Serial:
        if isinstance(soa, TransferError):
            raise soa
        return soa

    monkeypatch.setattr(hinted, "fetch_zone", transferred)
    monkeypatch.setattr(hinted, "ask_soa", asked)
    told = await hinted.fetch(cast("Context", None), Transfer(PEER, Serial(7), None, by_notify), APEX, None)
    assert isinstance(told, Failure)
    return told.reason, told.offered


class TestTransferThatNotifyAskedFor:
    async def test_says_that_only_tcp_fails_where_udp_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With the serial that it then tells."""
        assert await failed(monkeypatch, "timeout-tcp", Serial(8)) == ("timeout-tcp", Serial(8))

    @pytest.mark.parametrize("reason", ["timeout-tcp", "connection-refused", "unreachable"])
    async def test_says_nothing_of_tcp_alone_where_udp_fails_too(self, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
        """Its NOTIFY came, and nothing comes back: the way there is broken, not TCP."""
        assert await failed(monkeypatch, reason, SILENT) == ("timeout-udp", None)

    async def test_that_fails_for_another_reason_is_believed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A refusal came over TCP: nobody has to be asked."""
        assert await failed(monkeypatch, "refused", SILENT) == ("refused", Serial(7))

    async def test_after_a_question_is_believed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """UDP has answered just before."""
        assert await failed(monkeypatch, "timeout-tcp", SILENT, by_notify=False) == ("timeout-tcp", Serial(7))
