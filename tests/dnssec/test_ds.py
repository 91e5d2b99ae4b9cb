from __future__ import annotations

import dns.name

from mailname.dnssec.ds import ds_records
from mailname.zone.text import read_zone

# The key and the DS record of RFC 6605 section 6.1.
KEY = "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=="
DIGEST = "b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17"
ZONE = f"""
$TTL 3600
@ SOA ns x 1 14400 3600 1209600 3600
@ NS ns
@ DNSKEY 257 3 13 {KEY}
@ DNSKEY 256 3 13 {KEY}
ns A 192.0.2.1
"""


class TestDs:
    def test_of_the_secure_entry_point(self) -> None:
        """RFC 6605 section 6.1: the same key gives the same digest; the zone's other key is not the parent's affair."""
        zone = read_zone(ZONE, "x", dns.name.from_text("example.net.")).zone
        (ds,) = ds_records(zone)
        assert ds.key_tag == 55648
        assert ds.digest.hex() == DIGEST

    def test_of_an_unsigned_zone(self) -> None:
        """None."""
        text = "\n".join(line for line in ZONE.split("\n") if "DNSKEY" not in line)
        assert ds_records(read_zone(text, "x", dns.name.from_text("example.net.")).zone) == ()
