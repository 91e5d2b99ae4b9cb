from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.plan.marked_plans import GOOD

from mailname.plan import load
from mailname.plan.schema import json_schema

FILES = sorted(
    [*(Path(__file__).parents[2] / "examples").glob("*.toml"), *(Path(__file__).parents[1] / "data" / "plans").glob("*.toml")]
)


def violations(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "$") -> list[str]:
    """Check what this schema uses of JSON Schema; enough of a validator to hold the examples against it."""
    if "$ref" in schema:
        return violations(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, at)
    found: list[str] = []
    if "anyOf" in schema and not any(violations(value, one, root, at) == [] for one in schema["anyOf"]):
        found.append(f"{at}: none of anyOf")
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None)}
    if "type" in schema and not isinstance(value, kinds[schema["type"]]):
        return [f"{at}: not {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: not one of the enum")
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        found += [f"{at}: missing {key}" for key in schema.get("required", []) if key not in value]
        for key, inner in value.items():
            found += violations(inner, known[key], root, f"{at}.{key}") if key in known else [f"{at}: unknown {key}"]
    if isinstance(value, list):
        found += [f"{at}: too short"] if len(value) < schema.get("minItems", 0) else []
        for number, inner in enumerate(value):
            found += violations(inner, schema.get("items", {}), root, f"{at}[{number}]")
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"{at}: out of range")
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        found.append(f"{at}: pattern")
    return found


class TestSchema:
    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
    def test_accepts_every_plan_that_loads(self, path: Path) -> None:
        """An editor must not mark what is right."""
        assert violations(tomllib.loads(path.read_text("utf-8")), json_schema(), json_schema()) == []

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("contact", "kontakt"),
            ('"primary"', '"king"'),
            ("= 10", "= 65536"),
            ("86400", '"4x"'),
            ('["198.51.100.2"]', "7"),
            ("addresses = ", "ip = "),
        ],
    )
    def test_marks_what_is_wrong(self, old: str, new: str) -> None:
        """What it can know without DNS."""
        assert violations(tomllib.loads(GOOD.replace(old, new, 1)), json_schema(), json_schema()) != []

    def test_describes_every_key(self) -> None:
        """An editor shows the description while one types."""
        schema = json_schema()
        for table in (schema, *schema["$defs"].values()):
            assert table["description"]
            for key, what in table["properties"].items():
                assert what.get("description"), key

    def test_a_plan_may_name_its_schema(self) -> None:
        """Editors read a comment in the first line."""
        assert load("#:schema ./mailname.schema.json\n" + GOOD, "plan.toml").warnings == ()
