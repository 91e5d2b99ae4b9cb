"""The plan's JSON Schema, by which editors complete keys and show what each one means."""

from __future__ import annotations

from typing import Any

from mailname.plan.model import Plan


def json_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of a plan as TOML spells it."""
    schema = Plan.model_json_schema(by_alias=True)
    # An editor's own key, as in '#:schema URL' comments, needs nothing here: comments are no data.
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "The plan of a mail domain"}
