"""Where a check looks from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailname.cli import vantage
from mailname.cli.vantage import Vantage

if TYPE_CHECKING:
    from pathlib import Path


class TestResolver:
    @pytest.mark.parametrize(
        ("text", "at"),
        [
            ("# ours\nsearch example.tech\nnameserver 192.0.2.53\nnameserver 192.0.2.54\n", "192.0.2.53:53"),
            ("nameserver fe80::1%eth0\n", "[fe80::1]:53"),
            ("options edns0\n", None),
            ("nameserver nonsense\n", None),
        ],
    )
    def test_is_the_first_of_this_machine(
        self, text: str, at: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without an option that names another."""
        file = tmp_path / "resolv.conf"
        file.write_text(text, encoding="utf-8")
        monkeypatch.setattr(vantage, "_RESOLV_CONF", file)
        _, world = Vantage().open()
        assert (str(world.resolver) if world.resolver else None) == at

    def test_is_none_in_a_world_of_root_hints(self, tmp_path: Path) -> None:
        """This machine's resolver knows another world."""
        hints = tmp_path / "hints"
        hints.write_text(". 3600 NS a.root.\na.root. 3600 A 127.0.0.1\n", encoding="utf-8")
        _, world = Vantage(root_hints=hints).open()
        assert world.resolver is None
        assert [str(addresses[0]) for _, addresses in world.root_hints] == ["127.0.0.1"]
