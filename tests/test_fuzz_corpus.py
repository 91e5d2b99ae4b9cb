"""What fuzzing has found is taken again in every run: each kept input through what it was found for."""

from __future__ import annotations

import pytest
from scripts.fuzz import KEPT, LONGEST_KEPT, MOST_KEPT, NAMES, kept
from scripts.fuzz_targets import TARGETS


class TestKeptInputs:
    @pytest.mark.parametrize("name", NAMES)
    def test_break_nothing(self, name: str) -> None:
        """A target raises where mailname is wrong; what each of them asks for is said there."""
        inputs = kept(name)
        assert inputs, f"none in {KEPT / name}"
        for path in inputs:
            TARGETS[name](path.read_bytes())

    def test_are_few_and_small(self) -> None:
        """The ordinary tests take all of them, and the repository carries them."""
        for name in NAMES:
            assert len(kept(name)) <= MOST_KEPT
            assert all(path.stat().st_size <= LONGEST_KEPT for path in kept(name))

    def test_belong_to_a_target(self) -> None:
        """No folder is left behind when a target gets another name."""
        assert sorted(path.name for path in KEPT.iterdir()) == sorted(NAMES) == sorted(TARGETS)
