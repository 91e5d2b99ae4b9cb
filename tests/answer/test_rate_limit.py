from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import dns.name
from hypothesis import given
from hypothesis import strategies as st

from mailname.answer.rate_limit import RateLimit, RateLimiter, Verdict
from mailname.answer.reply import Sort

CLIENT = ip_address("192.0.2.1")
NAME = dns.name.from_text("www.example.tech.")
TEN = RateLimit(responses_per_second=10, window=5, slip=2, exempt=())


def ask(
    limiter: RateLimiter,
    times: int,
    *,
    client: IPv4Address | IPv6Address = CLIENT,
    sort: Sort = Sort.ANSWER,
    subject: dns.name.Name = NAME,
    now: float = 0.0,
) -> Counter[str]:
    return Counter(limiter.decide(client, sort, subject, now).value for _ in range(times))


class TestRateLimiter:
    def test_sends_what_is_below_the_bound(self) -> None:
        """Ten a second, for as long as one likes."""
        limiter = RateLimiter(TEN)
        for second in range(60):
            assert ask(limiter, 10, now=float(second)) == {"send": 10}

    def test_above_the_bound_every_second_one_slips(self) -> None:
        """The others are dropped."""
        assert ask(RateLimiter(TEN), 30) == {"send": 10, "drop": 10, "slip": 10}

    def test_slip_says_how_many(self) -> None:
        """0: none, 1: all, 3: every third."""
        for slip, expected in ((0, {"drop": 12}), (1, {"slip": 12}), (3, {"drop": 8, "slip": 4})):
            limiter = RateLimiter(RateLimit(responses_per_second=10, slip=slip, exempt=()))
            ask(limiter, 10)
            assert ask(limiter, 12) == expected

    def test_errors_are_sent_where_others_slip(self) -> None:
        """REFUSED is short already, and has no TC that would mean anything."""
        assert ask(RateLimiter(TEN), 30, sort=Sort.ERROR) == {"send": 20, "drop": 10}

    def test_a_network_is_one_client(self) -> None:
        """/24 and /56: who forges addresses forges the neighbours' too."""
        limiter = RateLimiter(TEN)
        ask(limiter, 10)
        assert ask(limiter, 1, client=ip_address("192.0.2.200")) == {"drop": 1}
        assert ask(limiter, 1, client=ip_address("192.0.3.1")) == {"send": 1}
        ask(limiter, 10, client=ip_address("2001:db8::1"))
        assert ask(limiter, 1, client=ip_address("2001:db8:0:ff::1")) == {"drop": 1}
        assert ask(limiter, 1, client=ip_address("2001:db8:0:100::1")) == {"send": 1}

    def test_other_sorts_and_subjects_are_counted_apart(self) -> None:
        """A resolver that asks for many names is no attack; the letters' case makes no other name."""
        limiter = RateLimiter(TEN)
        ask(limiter, 10)
        assert ask(limiter, 1, subject=dns.name.from_text("WWW.example.tech.")) == {"drop": 1}
        assert ask(limiter, 1, subject=dns.name.from_text("mail.example.tech.")) == {"send": 1}
        assert ask(limiter, 1, sort=Sort.NXDOMAIN) == {"send": 1}

    def test_recovers_within_the_window(self) -> None:
        """After a flood a network is limited for a few seconds, not for the length of the flood."""
        limiter = RateLimiter(TEN)
        ask(limiter, 100_000)
        assert ask(limiter, 1, now=4.9) != {"send": 1}
        assert ask(limiter, 1, now=5.3) == {"send": 1}

    def test_exempt_networks_are_never_limited(self) -> None:
        """Loopback unless others are named; nobody forges it."""
        assert ask(RateLimiter(RateLimit(responses_per_second=1)), 100, client=ip_address("127.0.0.1")) == {"send": 100}
        named = RateLimit(responses_per_second=1, exempt=(IPv4Network("192.0.2.0/24"),))
        assert ask(RateLimiter(named), 100) == {"send": 100}
        assert ask(RateLimiter(named), 100, client=ip_address("2001:db8::1"))["send"] == 1

    def test_remembers_few_of_those_who_are_exempt_or_not(self) -> None:
        """A flood from everywhere does not fill the memory with addresses."""
        limiter = RateLimiter(RateLimit(responses_per_second=1))
        for number in range(5000):
            ask(limiter, 1, client=IPv4Address(number))
        assert ask(limiter, 5, client=ip_address("127.0.0.1")) == {"send": 5}

    def test_zero_is_no_limit(self) -> None:
        """Switched off."""
        assert ask(RateLimiter(RateLimit(responses_per_second=0, exempt=())), 1000) == {"send": 1000}

    def test_a_flood_from_everywhere_makes_it_forget_and_not_grow(self) -> None:
        """The one that was quiet for longest makes room."""
        limiter = RateLimiter(RateLimit(responses_per_second=1, exempt=(), table_size=4))
        ask(limiter, 2)
        for number in range(4):
            ask(limiter, 1, client=ip_address(f"198.51.{number}.1"), now=1.0)
        assert ask(limiter, 1, now=1.0) == {"send": 1}

    def test_a_clock_that_stands_still_or_goes_back_gives_nothing(self) -> None:
        """Nothing is gained by it."""
        limiter = RateLimiter(TEN)
        ask(limiter, 10, now=100.0)
        assert ask(limiter, 1, now=50.0) == {"drop": 1}

    @given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.sampled_from(Sort), st.floats(0, 100)), max_size=200))
    def test_never_fails(self, asked: list[tuple[int, Sort, float]]) -> None:
        """Whoever asks for whatever whenever."""
        limiter = RateLimiter(RateLimit(responses_per_second=1, table_size=1, exempt=()))
        for client, sort, now in asked:
            assert limiter.decide(IPv4Address(client), sort, NAME, now) in Verdict
