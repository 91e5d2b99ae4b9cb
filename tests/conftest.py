"""What all tests need: Debian's server programs on PATH, and hypothesis without a stopwatch."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# named, knotd, nsd and unbound live where an ordinary user's PATH does not look.
os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])

# Nothing in the test suite is timed: a shared machine may stand still for a second at any moment.
settings.register_profile("mailname", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mailname")
