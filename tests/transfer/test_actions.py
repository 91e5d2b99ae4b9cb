"""What the transfer logic asks for."""

from __future__ import annotations

import pytest
from tests.transfer.zones import peer


class TestPeer:
    @pytest.mark.parametrize(("address", "text"), [("192.0.2.1", "192.0.2.1:53"), ("2001:db8::1", "[2001:db8::1]:53")])
    def test_is_written_as_operators_write_it(self, address: str, text: str) -> None:
        """An IPv6 address stands in brackets before its port."""
        assert str(peer(address)) == text
