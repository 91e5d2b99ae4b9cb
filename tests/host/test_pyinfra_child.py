"""The child process that pyinfra lives in: what it tells of a step that failed."""

from __future__ import annotations

import pytest

from mailname.host.pyinfra_child import why


class TestWhy:
    def test_errors_are_told_without_the_progress_around_them(self) -> None:
        """The words of dpkg stand in the middle of what apt prints, and apt's own at the end say nothing."""
        printed = [
            "Get:1 file:/srv/packages ./ sudo",
            "Reading package lists...",
            "Selecting previously unselected package sudo.",
            "dpkg: error processing archive sudo.deb (--unpack): unable to create '/usr/bin/sudo': Read-only file system",
            "debconf: delaying package configuration, since apt-utils is not installed",
            "E: Sub-process /usr/bin/dpkg returned an error code (1)",
        ]
        assert why(printed) == f"{printed[3]}\n{printed[5]}"

    @pytest.mark.parametrize(("lines", "told"), [(["Hit:1 x", "it was odd"], "it was odd"), ([], "")])
    def test_without_any_error_the_rest_is_told(self, lines: list[str], told: str) -> None:
        assert why(lines) == told
