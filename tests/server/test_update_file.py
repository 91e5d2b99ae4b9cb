"""The ``[[zone.update]]`` tables: what they mean, and each mistake with its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import dns.name
import pytest
from dns.rdatatype import RdataType

from mailname.errors import PlanError
from mailname.server.config_file import load_config
from mailname.server.keyfile import make_key_file
from mailname.update.policy import UpdateRule

if TYPE_CHECKING:
    from mailname.server.config import ServerConfig

PAGE = Path(__file__).resolve().parents[2] / "docs/dynamic-update.md"
KEY = dns.name.from_text("acme.example.tech")


@pytest.fixture
def example(tmp_path: Path) -> str:
    """Return what the page shows."""
    make_key_file(tmp_path / "acme.key", KEY)
    found, *_ = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return str(found)


def read(text: str, folder: Path) -> ServerConfig:
    return load_config(text, str(folder / "server.toml"))


class TestUpdateTable:
    def test_of_the_page_is_a_rule(self, example: str, tmp_path: Path) -> None:
        (zone,) = read(example, tmp_path).zones
        assert zone.update == (
            UpdateRule((KEY,), (dns.name.from_text("_acme-challenge.example.tech"),), frozenset({RdataType.TXT})),
        )

    def test_may_be_there_several_times_and_leave_the_types_away(self, example: str, tmp_path: Path) -> None:
        more = '[[zone.update]]\nkey = "acme.example.tech"\nnames = ["*.dyn.example.tech"]\n'
        (zone,) = read(example + more, tmp_path).zones
        assert zone.update[1] == UpdateRule((KEY,), (dns.name.from_text("*.dyn.example.tech"),))

    def test_of_no_zone_there_is_none(self, example: str, tmp_path: Path) -> None:
        (zone,) = read(example.partition("[[zone.update]]")[0], tmp_path).zones
        assert zone.update == ()

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ('key = "acme.example.tech"', 'key = "nobody"', "there is no key nobody"),
            ('["_acme-challenge.example.tech"]', '["_acme-challenge"]', "_acme-challenge is not in the zone example.tech"),
            ('["_acme-challenge.example.tech"]', "[]", "names"),
            ('["TXT"]', '["TEXT"]', "TEXT is not a type of records"),
            ('["TXT"]', '["ANY"]', "ANY is no type of data"),
            ("types =", "kinds =", "There is no key 'kinds' here."),
            ('role = "primary"', 'role = "secondary"', "a secondary zone is not updated here"),
        ],
    )
    def test_tells_what_is_wrong(self, example: str, tmp_path: Path, old: str, new: str, says: str) -> None:
        assert old in example
        with pytest.raises(PlanError) as told:
            read(example.replace(old, new), tmp_path)
        assert says in " ".join(str(mistake) for mistake in told.value.mistakes)
