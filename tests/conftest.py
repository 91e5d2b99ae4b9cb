"""What all tests need: hypothesis without a stopwatch; the longest files first, so that no worker is alone at the end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pytest

#: Files that take half a minute or more. Those with hosts come when their image was built beside the first ones.
LONGEST = (
    "tests/server/test_crash_points.py",
    "tests/interop/test_signed_answers_like_the_others.py",
    "tests/hosts/test_takeover.py",
    "tests/hosts/test_deploy_bind.py",
    "tests/hosts/test_deploy.py",
    "tests/hosts/test_change_of_engine.py",
    "tests/hosts/test_prepare.py",
    "tests/hosts/test_check.py",
    "tests/hosts/test_check_faults.py",
    "tests/interop/test_ixfr.py",
    "tests/interop/test_pairs.py",
    "tests/interop/test_plan_pair.py",
    "tests/answer/test_plain.py",
    "tests/interop/test_signed_by_chance.py",
    "tests/interop/test_replication_namespaces.py",
    "tests/web/test_page.py",
    "tests/watch/test_rounds.py",
    "tests/lab/test_faults.py",
    "tests/zone/test_image_zone.py",
    "tests/test_soak.py",
)
ROOT = Path(__file__).parent.parent

# Nothing in the test suite is timed: a shared machine may stand still for a second at any moment.
# What is tested a second time with the core uncompiled, slower and measured, is given fewer examples.
settings.register_profile(
    "mailname",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=40 if os.environ.get("MAILNAME_PURE") else 100,
)
settings.load_profile("mailname")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the longest files to the front."""
    places = {ROOT / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(LONGEST)))
