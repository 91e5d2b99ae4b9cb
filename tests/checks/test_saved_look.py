"""A look can be saved and judged again elsewhere: the same verdict, no network, no secret, and no surprise from a bent file."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.json_schema import mistakes
from tests.checks.small_world import PLAN, SmallWorld, look, plan_of, verdict_of
from tests.checks.test_explain import behind, mx_to_alias, open_transfer
from tests.lab import plan_texts

from mailname.checks import Facts, Place, Verdict, observe
from mailname.checks.facts import ControlFact
from mailname.checks.facts_schema import facts_schema
from mailname.checks.observe_control import without_secrets
from mailname.checks.saved_look import SavedLook, plan_data, read_saved
from mailname.errors import HostError, PlanError
from mailname.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL: dict[str, Any] = {
    "schema": "mailname.facts/1",
    "domain": "example.tech.",
    "at": "2026-11-22T12:00:00+00:00",
    "from": "resolver",
    "probes": [
        {
            "rung": "servers",
            "zone": "example.tech.",
            "server": "ns1.example.tech.",
            "address": "192.0.2.1",
            "port": 53,
            "transport": "udp",
            "qname": "example.tech.",
            "qtype": "SOA",
            "outcome": "answer",
            "rcode": "NOERROR",
            "flags": ["aa"],
            "answer": ["example.tech. 60 IN SOA ns1.example.tech. h.example.tech. 1 2 3 4 5"],
            "authority": [],
            "additional": [],
            "tries": 1,
            "ms": 0.5,
            "edns": True,
        }
    ],
    "mail": [
        {
            "host": "mail.example.tech.",
            "address": "192.0.2.1",
            "port": 25,
            "outcome": "answer",
            "connected": True,
            "banner": "220 x",
            "ehlo": ["250 x"],
            "ms": 1,
        }
    ],
    "control": [{"server": "ns1.example.tech.", "status": {"state": "served", "last_failure": None}, "problem": ""}],
    "zone_file": None,
    "expected": [],
    "planned": False,
    "asked": None,
    "queries": 1,
    "seconds": 0.1,
    "plan": None,
    "place": {"plan_file": None, "network_file": None, "control": {}},
}


def ways_into(value: Any, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the way to each member of a JSON document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(found for key, one in inner for found in ways_into(one, (*way, key)))]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["", "192.0.2.1", "udp", "x."]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


def read_and_judge(document: object) -> Verdict | None:
    """Return the verdict of a document; None where it was refused with a clear error."""
    with contextlib.suppress(HostError, PlanError):
        return read_saved(json.dumps(document), "facts.json").judged()[1]
    return None


class TestReplay:
    @pytest.mark.parametrize("fault", [behind, mx_to_alias, open_transfer])
    async def test_gives_the_verdict_of_the_look(self, fault: Callable[[SmallWorld], None]) -> None:
        """With the lines to type, which name the plan's file."""
        world = SmallWorld()
        fault(world)
        facts = await look(world)
        assert mistakes(SavedLook(facts).to_json(), facts_schema()) == []
        saved = SavedLook(facts, plan_data(PLAN), Place("my.toml", "net.json", {world.plan.primary.name: Path("run/x")}))
        again = read_saved(json.dumps(saved.to_json()), "facts.json")
        assert again.facts == facts
        assert again.plan() == world.plan
        assert again.judged()[1].to_json() == saved.judged()[1].to_json()
        assert saved.judged()[1].verdict != "well"

    def test_has_the_plan_of_any_shape(self) -> None:
        """Tables in lists, letters that JSON escapes, and what the comments say is left out."""
        text = PLAN + '# the root password is hunter2\n[[record]]\nname = "@"\ntype = "TXT"\ndata = ["\\u007f\\"ä𝄞"]\n'
        text += '[[reverse_zone]]\nprefix = "192.0.2.0/24"\nptr = [{ address = "192.0.2.1", name = "ns1" }]\n'
        plan = plan_of(text)
        facts = Facts.from_json(SMALL)
        document = json.dumps(SavedLook(facts, plan_data(text)).to_json())
        assert "hunter2" not in document
        assert read_saved(document, "facts.json").plan() == plan


class TestSecrets:
    def test_of_a_status_are_left_out_at_any_depth(self) -> None:
        """Whatever a later server may tell."""
        status = {
            "state": "served",
            "key": {"name": "k.", "Secret": "c2VjcmV0"},
            "peers": [{"tsig_secret": "c2VjcmV0", "name": "x"}],
        }
        kept = without_secrets(status)
        assert kept == {"state": "served", "key": {"name": "k."}, "peers": [{"name": "x"}]}
        assert "c2VjcmV0" not in json.dumps(ControlFact(plan_of().domain, kept).to_json())

    async def test_of_a_transfer_key_are_in_no_saved_look(self, tmp_path: Path) -> None:
        """The whole lab with a key, broken so that both servers tell of it."""
        plan = plan_of(plan_texts.WITH_KEY)
        async with Lab(plan, tmp_path) as lab:
            await lab.publish()
            assert await lab.wait_for_secondaries()
            lab.register()
            await lab.inject("wrong-key")
            facts = await observe(plan, network=lab.network, world=lab.world)
            keys = {key for server in lab.name_servers.values() for key in server.config.keys.values()}
        secrets = {base64.b64encode(key.secret).decode() for key in keys}
        saved = SavedLook(facts, plan_data(plan_texts.WITH_KEY), Place("plan.toml"))
        document = json.dumps(saved.to_json())
        assert secrets
        assert all(fact.status for fact in facts.control)
        assert [secret for secret in secrets if secret in document or secret[:12] in document] == []
        cause = saved.judged()[1].cause
        assert cause is not None
        assert cause.finding.code == "XFER-02"


class TestReading:
    @pytest.mark.parametrize(
        ("written", "why"),
        [
            ("", "Expecting value"),
            ("[]", "no JSON object"),
            ("{}", "no JSON object with a schema"),
            ('{"schema": "mailname.check/1"}', "its schema is 'mailname.check/1', not 'mailname.facts/1'"),
            ('{"schema": "mailname.facts/2"}', "its schema is 'mailname.facts/2'"),
            ('{"schema": "mailname.facts/1"}', "'place' is missing"),
            (b"\xff\xfe{", "cannot be read"),
            ("[" * 100_000, "recursion"),
        ],
    )
    def test_of_a_foreign_file_says_why(self, written: str | bytes, why: str) -> None:
        with pytest.raises(HostError, match="cannot be read as a saved look") as caught:
            read_saved(written, "facts.json")
        assert why in caught.value.problem

    def test_of_what_we_wrote_works(self) -> None:
        """The small document is one, so that bending it means something."""
        verdict = read_and_judge(SMALL)
        assert verdict is not None

    @given(JSON)
    def test_of_any_json_gives_facts_or_a_clear_error(self, document: object) -> None:
        read_and_judge(document)

    @settings(max_examples=300)
    @given(st.sampled_from(ways_into(SMALL)[1:]), JSON, st.booleans())
    def test_of_a_bent_document_gives_facts_or_a_clear_error(
        self, way: tuple[str | int, ...], instead: object, remove: bool
    ) -> None:
        """Any one member is another, or is missing."""
        document: Any = copy.deepcopy(SMALL)
        holder = document
        for key in way[:-1]:
            holder = holder[key]
        if remove:
            del holder[way[-1]]
        else:
            holder[way[-1]] = instead
        read_and_judge(document)


class TestFacts:
    def test_verdict_without_a_plan_is_found_again(self) -> None:
        """What is meant without a plan follows from the facts."""
        saved = SavedLook(Facts.from_json(SMALL))
        plan, verdict = saved.judged()
        assert verdict.to_json() == verdict_of(plan, saved.facts).to_json()
