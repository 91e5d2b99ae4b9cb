"""A pair of servers for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.engines.pair import Pair

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)
