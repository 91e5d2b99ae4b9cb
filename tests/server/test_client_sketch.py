"""The sketch of clients: what it promises of counts, in both its forms."""

from __future__ import annotations

from collections import Counter
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.server import client_sketch

if TYPE_CHECKING:
    from types import ModuleType


def uncompiled() -> ModuleType:
    """Load the source beside the module that was installed."""
    path = Path(str(client_sketch.__file__)).with_name("client_sketch.py")
    loader = SourceFileLoader("client_sketch_uncompiled", str(path))
    spec = spec_from_loader(loader.name, loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


FORMS = pytest.mark.parametrize("form", [client_sketch, uncompiled()], ids=["installed", "source"])


def counts(form: Any, asked: list[tuple[str, int]]) -> dict[str, tuple[int, int, int]]:
    """Return what a sketch says after questions of clients: network -> count, how much of it may be others', since when."""
    sketch = form.ClientSketch()
    for now, (client, times) in enumerate(asked):
        sketch.count(ip_address(client), times, now)
    return {form.network_of(key): (count, over, since) for key, count, over, since in sketch.entries()}


@FORMS
class TestClientSketch:
    def test_counts_networks_and_never_addresses(self, form: Any) -> None:
        """Who it was is nobody's business."""
        asked = [("192.0.2.1", 1), ("192.0.2.255", 2), ("192.0.3.1", 1), ("2001:db8:1:2::3", 4), ("2001:db8:1:ffff::", 1)]
        assert counts(form, asked) == {"192.0.2.0/24": (3, 0, 0), "192.0.3.0/24": (1, 0, 2), "2001:db8:1::/48": (5, 0, 3)}

    def test_tells_families_apart(self, form: Any) -> None:
        """Octets that look alike are not the same network."""
        assert set(counts(form, [("0.0.0.1", 1), ("::1", 1)])) == {"0.0.0.0/24", "::/48"}

    def test_is_bounded_and_knows_who_asks_most(self, form: Any) -> None:
        """Whoever asks more than an eighth of all has a place, in a flood of networks that ask once each."""
        asked = [("198.51.100.7", 1000), *((f"10.{n // 250}.{n % 250}.1", 1) for n in range(4000)), ("198.51.100.9", 1000)]
        found = counts(form, asked)
        assert len(found) <= 1024
        count, over, _ = found["198.51.100.0/24"]
        assert count - over <= 2000 <= count
        assert max(found, key=lambda network: found[network]) == "198.51.100.0/24"

    def test_loses_no_question(self, form: Any) -> None:
        """Who is pushed out leaves his count behind: all together they are what was asked."""
        found = counts(form, [(f"10.{n // 250}.{n % 250}.1", 1 + n % 3) for n in range(3000)])
        assert sum(count for count, _, _ in found.values()) == sum(1 + n % 3 for n in range(3000))

    def test_has_another_secret_each_time(self, form: Any) -> None:
        """So that nobody can aim: of many networks that ask once, others are left."""
        asked = [(f"10.{n // 250}.{n % 250}.1", 1) for n in range(3000)]
        assert counts(form, asked).keys() != counts(form, asked).keys()


class TestCounts:
    @given(asked=st.lists(st.tuples(st.ip_addresses(), st.integers(1, 9)), max_size=60))
    def test_are_exact_while_there_is_room(self, asked: list[tuple[Any, int]]) -> None:
        """Nobody was pushed out: nothing is too high."""
        real: Counter[str] = Counter()
        for client, times in asked:
            real[str(ip_network((client, 24 if client.version == 4 else 48), strict=False))] += times
        found = counts(client_sketch, [(str(client), times) for client, times in asked])
        assert set(found) <= set(real)
        for network, (count, over, _) in found.items():
            assert count - over <= real[network] <= count
