"""What all tests need: hypothesis without a stopwatch."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Nothing in the test suite is timed: a shared machine may stand still for a second at any moment.
settings.register_profile("mailname", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mailname")
