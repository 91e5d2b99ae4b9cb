"""Several plans on one host: what is said once, and what stays when one of them goes."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest
from tests.engines.pair import PLAN, plan_of

from mailname.cli.deploy_engine import removal
from mailname.engines.driven import Driven
from mailname.engines.engine import DrivenEngine, driven_engine
from mailname.engines.machine import ThisMachine
from mailname.engines.several_plans import READ, SHARED, read_others, still_needed

OTHER = PLAN.replace('domain = "example.tech"', 'domain = "other.example"')
KEY = "transfer.example.tech.key"
DRIVEN = ("bind", "knot", "nsd")


def engine_of(name: str) -> DrivenEngine:
    found = driven_engine(name)
    assert found is not None
    return found


def driven(name: str, text: str, *addresses: str) -> Driven:
    """Return a plan's primary where Debian's package has its things."""
    plan = plan_of(text.replace('role = "primary"', f'engine = "{name}"\nrole = "primary"'))
    engine = engine_of(name)
    return Driven(plan, plan.primary, engine, engine.placed(tuple(map(ip_address, addresses)), KEY), ThisMachine())


@pytest.mark.parametrize("name", DRIVEN)
class TestTwoPlans:
    def test_share_no_file_but_what_is_said_once(self, name: str) -> None:
        """Each has its own zones, and its own words for whom it talks to."""
        one, other = driven(name, PLAN).render(), driven(name, OTHER).render()
        assert not one.keys() & other.keys()
        assert "other.example" not in "".join(one.values())
        assert "example.tech.zone" not in "".join(other.values())

    def test_listen_at_the_addresses_of_both(self, name: str) -> None:
        """Who deploys one of them reads where the other listens, and where nobody listens any more is forgotten."""
        one, other = driven(name, PLAN, "192.0.2.7"), driven(name, OTHER, "192.0.2.8", "2001:db8::8")
        both = one.engine.installed(one.plan, one.server, one.places, other.render().values())
        alone = one.engine.installed(one.plan, one.server, one.places)
        said, said_alone = (found.shared or found.whole for found in (both, alone))
        assert said is not None
        assert said_alone is not None
        assert all(address in said[1] for address in ("192.0.2.7", "192.0.2.8", "2001:db8::8"))
        assert "192.0.2.8" not in said_alone[1]

    def test_of_which_one_goes_leave_the_key_of_both(self, name: str) -> None:
        """Its own file and its own line go."""
        one, other = driven(name, PLAN), driven(name, OTHER)
        others = {str(path): text for path, text in other.render().items()}
        installed = one.engine.installed(one.plan, one.server, one.places, others.values())
        script = removal(one, installed, others, (), ("true",))
        assert "example.tech.conf" in script
        assert "/keys/" not in script
        assert str(SHARED) not in script
        last = removal(one, installed, {}, (), ("true",))
        assert all(line.replace("'", "") in last.replace("'", "") for line in installed.lines)
        assert f"rm -rf {one.places.folder}" in last

    def test_with_a_key_each_lose_it_with_the_plan(self, name: str) -> None:
        """It is in no other plan's file."""
        one, other = driven(name, PLAN), driven(name, OTHER.replace("transfer.example.tech", "t.other.example"))
        others = {str(path): text for path, text in other.render().items()}
        installed = one.engine.installed(one.plan, one.server, one.places, others.values())
        assert f"/keys/{KEY}" in removal(one, installed, others, (), ("true",))


class TestOthers:
    async def test_are_read_from_the_folder(self, tmp_path: Path) -> None:
        """What is shared, and the plan's own file, are none of them."""
        for name in ("example.tech.conf", "other.example.conf", str(SHARED), "key.txt"):
            (tmp_path / name).write_text(f"of {name}\n")
        (told,) = await ThisMachine().run((("sh", "-c", READ, "sh", str(tmp_path)),))
        assert read_others(told.output, [Path("example.tech.conf")]) == {"other.example.conf": "of other.example.conf\n"}
        (told,) = await ThisMachine().run((("sh", "-c", READ, "sh", str(tmp_path / "nowhere")),))
        assert read_others(told.output, []) == {}

    def test_need_a_catalog_that_they_are_members_of(self) -> None:
        """Plans make one catalog together."""
        text = PLAN + '[catalog]\nname = "zones.example.tech"\n'
        other = driven("knot", text.replace('domain = "example.tech"', 'domain = "other.example"')).render()
        catalog = Path("catalog-zones.example.tech.conf")
        assert catalog in other
        assert still_needed(catalog, {str(path): said for path, said in other.items() if path != catalog})
        assert not still_needed(catalog, {"x.conf": "zone:\n"})
