from __future__ import annotations

import pytest

from mailname.wire.siphash import siphash24

KEY = bytes(range(16))


class TestSiphash24:
    @pytest.mark.parametrize(
        ("length", "digest"),
        [
            (0, "310e0edd47db6f72"),
            (1, "fd67dc93c539f874"),
            (7, "37d1018bf50002ab"),
            (8, "6224939a79f5f593"),
            (15, "e545be4961ca29a1"),
        ],
    )
    def test_gives_the_digests_of_its_authors(self, length: int, digest: str) -> None:
        """Key 00..0f, message 00, 01, 02, ...: the test vectors of the reference implementation."""
        assert siphash24(KEY, bytes(range(length))).hex() == digest
