"""The plan's JSON Schema, by which editors complete keys and show what each one means."""

from __future__ import annotations

import inspect
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any, cast

from mailname.plan.model import Plan
from mailname.plan.table import Kind, keys_of

if TYPE_CHECKING:
    from mailname.plan.table import Key


def json_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of a plan as TOML spells it."""
    inside: dict[str, Any] = {}
    schema = _table(Plan, inside)
    # An editor's own key, as in '#:schema URL' comments, needs nothing here: comments are no data.
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": dict(sorted(inside.items()))}
    return {**about, **schema, "title": "The plan of a mail domain"}


def _table(table: type, inside: dict[str, Any]) -> dict[str, Any]:
    """Return what one table may hold; the tables in it are added to ``inside`` by their names."""
    keys = keys_of(table)
    required = [name for name, key in keys.items() if key.required]
    return {
        "additionalProperties": False,
        "description": inspect.getdoc(table),
        "properties": {name: _key(key, inside) for name, key in keys.items()},
        **({"required": required} if required else {}),
        "title": table.__name__,
        "type": "object",
    }


def _key(key: Key, inside: dict[str, Any]) -> dict[str, Any]:
    schema = _of(key.of, inside)
    if key.several:
        listed = {"items": schema, **({"minItems": key.at_least} if key.at_least else {}), "type": "array"}
        schema = {"anyOf": [schema, listed]} if key.one_will_do else listed
    elif not key.required and key.default is None:
        schema = {"anyOf": [*(schema["anyOf"] if set(schema) == {"anyOf"} else [schema]), {"type": "null"}]}
    if not key.required:
        schema["default"] = _plain(key.default)
    if key.several or isinstance(key.of, Kind):
        schema["title"] = key.name.replace("_", " ").title()
    schema["description"] = key.description
    return dict(sorted(schema.items()))


def _of(of: Kind | type, inside: dict[str, Any]) -> dict[str, Any]:
    if isinstance(of, Kind):
        return dict(of.schema)
    if of.__name__ not in inside:
        inside[of.__name__] = _table(of, inside)
    return {"$ref": f"#/$defs/{of.__name__}"}


def _plain(default: object) -> object:
    if is_dataclass(default):
        return {name: _plain(inner) for name, inner in asdict(cast("Any", default)).items()}
    return list(default) if isinstance(default, tuple) else default
