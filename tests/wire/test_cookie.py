from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.wire.cookie import examine, server_cookie

OLD, NEW = bytes.fromhex("dd3bdf9344b678b185a6f5cb60fca715"), bytes.fromhex("445536bcd2513298075a5d379663c962")
SECRET = bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf")
MINE = bytes.fromhex("2464c4abcf10c957")
CLIENT = ip_address("198.51.100.100").packed
MADE_AT = 1559731985
SHOWN = bytes.fromhex("2464c4abcf10c957010000005cf79f111f8130c3eee29480")


class TestServerCookie:
    def test_is_the_one_of_every_other_server(self) -> None:
        """RFC 9018 appendix A.1: servers behind one address give and take the same cookies."""
        assert MINE + server_cookie(MINE, CLIENT, SECRET, MADE_AT) == SHOWN


class TestExamine:
    def test_a_client_without_server_half_gets_one(self) -> None:
        """RFC 9018 appendix A.1."""
        cookie = examine(MINE, CLIENT, (SECRET,), MADE_AT)
        assert cookie is not None
        assert (cookie.verified, cookie.reply) == (False, SHOWN)

    @pytest.mark.parametrize(("age", "same"), [(0, True), (-300, True), (1799, True), (1800, False), (3600, False)])
    def test_a_good_one_is_verified_and_renewed_after_half_an_hour(self, age: int, same: bool) -> None:
        """RFC 9018 section 4.3; appendix A.2 is the same cookie after 40 minutes."""
        cookie = examine(SHOWN, CLIENT, (SECRET,), MADE_AT + age)
        assert cookie is not None
        assert (cookie.verified, cookie.reply == SHOWN) == (True, same)
        renewed = examine(SHOWN, CLIENT, (SECRET,), 1559734385)
        assert renewed is not None
        assert renewed.reply.hex() == "2464c4abcf10c957010000005cf7a871d4a564a1442aca77"

    @pytest.mark.parametrize("age", [-301, 3601])
    def test_one_too_old_or_from_the_future_is_replaced(self, age: int) -> None:
        """RFC 9018 section 4.3: an hour back, five minutes ahead."""
        cookie = examine(SHOWN, CLIENT, (SECRET,), MADE_AT + age)
        assert cookie is not None
        assert not cookie.verified
        assert cookie.reply != SHOWN

    def test_reserved_octets_are_hashed_as_they_came_and_go_out_as_zero(self) -> None:
        """RFC 9018 appendix A.3."""
        shown = bytes.fromhex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5")
        client = ip_address("203.0.113.203").packed
        verified = examine(shown, client, (SECRET,), 1559727985)
        renewed = examine(shown, client, (SECRET,), 1559734700)
        assert verified is not None
        assert renewed is not None
        assert verified.verified
        assert renewed.reply.hex() == "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"

    def test_a_secret_that_was_first_still_verifies(self) -> None:
        """RFC 9018 section 5 and appendix A.4: the new cookie is made with the new secret."""
        shown = bytes.fromhex("22681ab97d52c298010000005cf7c57926556bd0934c72f8")
        client = ip_address("2001:db8:220:1:59de:d0f4:8769:82b8").packed
        cookie = examine(shown, client, (NEW, OLD), 1559741961)
        assert cookie is not None
        assert (cookie.verified, cookie.reply.hex()) == (True, "22681ab97d52c298010000005cf7c609a6bb79d16625507a")

    @pytest.mark.parametrize("changed", [8, 12, 16, 23])
    def test_another_octet_or_another_client_is_not_verified(self, changed: int) -> None:
        """Version, time and hash all count, and so does the address."""
        octets = bytearray(SHOWN)
        octets[changed] ^= 1
        for cookie in (
            examine(bytes(octets), CLIENT, (SECRET,), MADE_AT),
            examine(SHOWN, ip_address("198.51.100.101").packed, (SECRET,), MADE_AT),
        ):
            assert cookie is not None
            assert not cookie.verified

    @pytest.mark.parametrize("size", [0, 7, 9, 15, 41])
    def test_malformed_ones_are_none(self, size: int) -> None:
        """8 octets, or 16 to 40 (RFC 7873 section 5.2.2)."""
        assert examine(bytes(size), CLIENT, (SECRET,), MADE_AT) is None

    @pytest.mark.parametrize("size", [16, 23, 25, 40])
    def test_halves_of_other_servers_are_not_verified(self, size: int) -> None:
        """A server may have been replaced by us: its cookies are well-formed, but not ours."""
        cookie = examine(bytes(size), CLIENT, (SECRET,), MADE_AT)
        assert cookie is not None
        assert not cookie.verified

    @given(st.binary(max_size=48), st.integers(0, 2**33))
    def test_whatever_is_shown_the_reply_is_good_the_next_time(self, shown: bytes, now: int) -> None:
        """And never raises."""
        cookie = examine(shown, CLIENT, (SECRET,), now)
        if cookie is not None:
            again = examine(cookie.reply, CLIENT, (SECRET,), now + 1)
            assert again is not None
            assert again.verified
