"""The sketch of names: what it promises of counts, in both its forms."""

from __future__ import annotations

from collections import Counter
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import names

from mailname.server import name_sketch
from mailname.wire.octets import octets

if TYPE_CHECKING:
    from types import ModuleType

    from dns.name import Name


def uncompiled() -> ModuleType:
    """Load the source beside the module that was installed."""
    loader = SourceFileLoader("name_sketch_uncompiled", str(Path(str(name_sketch.__file__)).with_name("name_sketch.py")))
    spec = spec_from_loader(loader.name, loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


FORMS = pytest.mark.parametrize("form", [name_sketch, uncompiled()], ids=["installed", "source"])


def counts(form: Any, asked: list[tuple[Name | str, int]]) -> dict[bytes, tuple[int, int]]:
    """Return what a sketch says after questions for names: in wire form -> count, how much of it may be others'."""
    sketch = form.NameSketch()
    for name, times in asked:
        sketch.count(octets(dns.name.from_text(name) if isinstance(name, str) else name), times, 0)
    return {name: (count, over) for name, count, over, _ in sketch.entries()}


def wire(name: Name) -> bytes:
    found = name.canonicalize().to_wire()
    assert found is not None
    return found


@FORMS
class TestNameSketch:
    @given(asked=st.lists(st.tuples(names, st.integers(1, 9)), max_size=30))
    def test_knows_how_often_a_name_was_asked_for(self, form: Any, asked: list[tuple[Name, int]]) -> None:
        """However its letters were spelt; the root and the longest name are names, too."""
        real: Counter[bytes] = Counter()
        for name, times in asked:
            real[wire(name)] += times
        found = counts(form, list(asked))
        assert set(found) <= set(real)
        assert sum(count for count, _ in found.values()) == sum(real.values())
        for known, (count, over) in found.items():
            assert count - over <= real[known] <= count

    def test_is_bounded_and_knows_who_is_asked_for_most(self, form: Any) -> None:
        """In a flood of names that are asked for once each."""
        flood = [(f"x{number}.example.tech.", 1) for number in range(3000)]
        found = counts(form, [("www.example.tech.", 500), *flood, ("WWW.example.tech.", 500)])
        assert len(found) <= 1024
        assert max(found, key=lambda name: found[name]) == b"\3www\7example\4tech\0"
        count, over = found[b"\3www\7example\4tech\0"]
        assert count - over <= 1000 <= count
        assert sum(count for count, _ in found.values()) == 4000
