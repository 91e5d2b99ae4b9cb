"""A site for each test: its own folder and port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.server.running import Site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a site with a first version of the zone."""
    made = Site(tmp_path)
    made.write(1)
    return made
