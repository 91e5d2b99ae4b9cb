from __future__ import annotations

import dns.name
import dns.rdata

from mailname.mail.mx import is_null_mx, mx, second_mx_means

HOST = dns.name.from_text("mail.example.tech.")


class TestMx:
    def test_is_a_record(self) -> None:
        """Preference and host, as in zone files."""
        assert mx(10, HOST).to_text() == "10 mail.example.tech."

    def test_null(self) -> None:
        """RFC 7505 section 3: the root as the host."""
        assert is_null_mx(mx(0, dns.name.root))
        assert not is_null_mx(mx(0, HOST))
        assert not is_null_mx(dns.rdata.from_text("IN", "NS", "."))

    def test_a_second(self) -> None:
        """What happens to the mail, and the question that nobody asks himself."""
        for same in (True, False):
            assert "kept in sync?" in second_mx_means("a", "b", same_preference=same)
