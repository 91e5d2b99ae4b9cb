"""The ``[[catalog]]`` tables: what they mean, and each mistake with its place."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from pathlib import Path

import dns.name
import pytest

from mailname.errors import PlanError
from mailname.server.catalog_config import EVERY_ZONE, GRACE, CatalogConfig, CatalogGroup, CatalogUpdate
from mailname.server.config_file import load_config
from mailname.server.keyfile import make_key_file
from mailname.transfer.actions import Peer

TOP = 'listen = ["127.0.0.1"]\nstate = "state"\n'


def name(text: str) -> dns.name.Name:
    return dns.name.from_text(text)


def read(text: str) -> tuple[CatalogConfig, ...]:
    return load_config(TOP + text, "/etc/mailname/server.toml").catalogs


PRODUCER = """
[[catalog]]
name = "catalog.invalid"
role = "producer"
folder = "zones"
zones = ["example.tech", "*.example.org"]
allow_transfer = ["192.0.2.0/24"]
[[catalog.secondary]]
address = "192.0.2.2"
[[catalog.group]]
name = "signed"
zones = ["*.example.org"]
"""
CONSUMER = """
[[catalog]]
name = "catalog.invalid"
role = "consumer"
grace = "2d"
[[catalog.primary]]
address = "192.0.2.1"
[[catalog.group]]
name = "signed"
[[catalog.group.primary]]
address = "192.0.2.9"
port = 5353
"""


class TestCatalogTable:
    def test_of_a_producer(self) -> None:
        patterns = (name("example.tech"), name("*.example.org"))
        assert read(PRODUCER) == (
            CatalogConfig(
                name("catalog.invalid"),
                "producer",
                secondaries=(Peer(ip_address("192.0.2.2")),),
                allow_transfer=(ip_network("192.0.2.0/24"),),
                zones=patterns,
                folder=Path("/etc/mailname/zones"),
                groups=(CatalogGroup("signed", patterns[1:]),),
            ),
        )

    def test_of_a_consumer(self) -> None:
        groups = (CatalogGroup("signed", primaries=(Peer(ip_address("192.0.2.9"), 5353),)),)
        primaries = (Peer(ip_address("192.0.2.1")),)
        assert read(CONSUMER) == (CatalogConfig(name("catalog.invalid"), "consumer", primaries, grace=2 * 86400, groups=groups),)

    def test_lists_every_zone_and_keeps_copies_for_a_week_unless_it_says_otherwise(self) -> None:
        (catalog,) = read('[[catalog]]\nname = "c.invalid"\nrole = "producer"\n')
        assert catalog.zones == EVERY_ZONE
        assert catalog.lists(name("example.tech"))
        assert not catalog.lists(name("c.invalid"))
        assert catalog.grace == GRACE == 7 * 86400

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (PRODUCER + PRODUCER, "catalog.invalid is the name of another zone here"),
            (PRODUCER.replace('"producer"', '"consumer"'), "comes from nowhere"),
            (CONSUMER.replace('"consumer"', '"producer"'), "is made here"),
            (CONSUMER.replace('grace = "2d"', 'grace = "2 days"'), 'Write "2d"'),
            (CONSUMER.replace('grace = "2d"', 'zones = ["example.tech"]'), "'zones' means nothing for a consumer"),
            (PRODUCER.replace('folder = "zones"', "grace = 3"), "'grace' means nothing for a producer"),
            (PRODUCER + '[[catalog.group]]\nname = "x"\n', "no zone is in the group x"),
            (PRODUCER + '[[catalog.group.secondary]]\naddress = "192.0.2.3"\n', "the group signed has servers"),
            (CONSUMER + 'key = "nobody"\n', "there is no key nobody"),
            (CONSUMER + '[[catalog.group]]\nname = "x"\nzones = ["example.tech"]\n', "the producer's to say"),
            (CONSUMER.replace('role = "consumer"', 'role = "reader"'), "'reader' cannot be 'role'"),
            ('[[zone]]\nname = "catalog.invalid"\nrole = "primary"\nfile = "x"\n' + CONSUMER, "the name of another zone"),
        ],
    )
    def test_tells_what_is_wrong(self, text: str, says: str) -> None:
        with pytest.raises(PlanError) as told:
            read(text)
        assert says in " ".join(str(mistake) for mistake in told.value.mistakes)


class TestPage:
    @pytest.mark.parametrize("number", range(4))
    def test_examples_can_be_used(self, number: int, tmp_path: Path) -> None:
        """What docs/catalog-zones.md shows is a configuration."""
        page = Path(__file__).resolve().parents[2] / "docs/catalog-zones.md"
        blocks = re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        examples = [
            block for block in blocks if re.search(r"^listen = ", block, re.MULTILINE)
        ]  # others are of a plan, or a member's
        assert len(examples) == 4
        make_key_file(tmp_path / "transfer.key", name("transfer.example.tech"))
        (catalog,) = load_config(examples[number], str(tmp_path / "server.toml")).catalogs
        assert catalog.role == ("producer", "consumer")[number % 2]


class TestUpdateTable:
    UPDATE = '[[catalog.update]]\nkey = "acme"\nnames = ["_acme-challenge", "*.dyn", "@"]\ntypes = ["TXT"]\nzones = ["*.tech"]\n'

    def test_means_names_in_each_zone(self, tmp_path: Path) -> None:
        make_key_file(tmp_path / "acme.key", name("acme"))
        text = f'{TOP}[[key]]\nfile = "acme.key"\n{PRODUCER}{self.UPDATE}'
        (one,) = load_config(text, str(tmp_path / "server.toml")).catalogs[0].update
        rule = one.rule_for(name("example.tech"))
        assert rule is not None
        assert rule.keys == (name("acme"),)
        assert rule.names == tuple(map(name, ("_acme-challenge.example.tech", "*.dyn.example.tech", "example.tech")))
        assert [kind.name for kind in rule.types] == ["TXT"]
        assert one.rule_for(name("example.org")) is None

    def test_leaves_out_a_name_that_is_too_long_in_a_zone(self) -> None:
        long = name(".".join(["x" * 60] * 4))
        assert CatalogUpdate((name("acme"),), (dns.name.from_text("y" * 60, None),)).rule_for(long) is None

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (PRODUCER + UPDATE, "there is no key acme"),
            (CONSUMER + UPDATE, "there is no folder whose zones could be updated"),
            (PRODUCER + UPDATE.replace('"@"', '"a.example.tech."'), "a.example.tech. is a whole name: write it as it stands"),
            (PRODUCER + UPDATE.replace('"@"', '"a..b"'), "a..b is not a name"),
            (PRODUCER + UPDATE.replace('"@"', "7"), "names"),
        ],
    )
    def test_mistake_is_told(self, text: str, says: str) -> None:
        with pytest.raises(PlanError, match=re.escape(says)):
            read(text)
