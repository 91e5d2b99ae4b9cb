"""Which key each peer uses: the last time counts, and a bounded number is remembered."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import dns.name

from mailname.server import key_use
from mailname.server.key_use import KeyFile, KeyUse
from mailname.wire.tsig_key import make_key

KEY = make_key(dns.name.from_text("transfer."))
FILES = [KeyFile(Path("/etc/mailname/transfer.key"), None, (KEY,))]


class TestKeyUse:
    def test_last_use_of_an_address_is_told(self) -> None:
        """One line for each address, however often it asks."""
        use = KeyUse()
        for at in (10.0, 20.0):
            use.verified(KEY.name, ip_address("192.0.2.1"), "SOA", at)
        use.verified(dns.name.from_text("other."), ip_address("192.0.2.2"), "SOA", 30.0)
        (file,) = use.status(FILES)
        assert (file["name"], file["file"]) == (None, "/etc/mailname/transfer.key")
        (key,) = file["keys"]
        assert key["used_by"] == [{"address": "192.0.2.1", "at": "1970-01-01T00:00:20Z", "for": "SOA"}]
        assert key["answered_by"] == []

    def test_number_of_addresses_is_bounded(self) -> None:
        """Who has a key may ask from any number of them."""
        use = KeyUse()
        for number in range(key_use._MOST + 10):
            use.verified(KEY.name, ip_address(number), "SOA", float(number))
        used = use.status(FILES)[0]["keys"][0]["used_by"]
        assert len(used) == key_use._MOST
        assert used[0]["address"] == str(ip_address(10))
