"""As much of JSON Schema (draft 2020-12) as our own schemas use; a keyword that is not known here is a mistake in the test."""

from __future__ import annotations

from typing import Any

KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
    "boolean": (bool,),
}
WORDS = {"$schema", "title", "description", "$defs", "format"}
KNOWN = WORDS | {"type", "enum", "const", "properties", "required", "additionalProperties", "items", "anyOf", "$ref", "minimum"}


def mistakes(value: Any, schema: dict[str, Any], *, root: dict[str, Any] | None = None, at: str = "$") -> list[str]:
    """Return what is wrong with a value, each with its place."""
    root = root or schema
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        return mistakes(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root=root, at=at)
    if "anyOf" in schema:
        tried = [mistakes(value, one, root=root, at=at) for one in schema["anyOf"]]
        return [] if [] in tried else max(tried, key=len)
    found = []
    if "type" in schema:
        kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        fits = any(isinstance(value, KINDS[kind]) and (not isinstance(value, bool) or kind == "boolean") for kind in kinds)
        if not fits:
            return [f"{at}: {value!r} is no {kinds}"]
    if "const" in schema and value != schema["const"]:
        found.append(f"{at}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is none of {schema['enum']}")
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{at}: {value} is below {schema['minimum']}")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [f"{at}.{key} is missing" for key in schema.get("required", ()) if key not in value]
        if schema.get("additionalProperties") is False:
            found += [f"{at}.{key} is not known" for key in value if key not in known]
        found += [
            one
            for key, inner in value.items()
            if key in known
            for one in mistakes(inner, known[key], root=root, at=f"{at}.{key}")
        ]
    if isinstance(value, list) and "items" in schema:
        found += [one for n, inner in enumerate(value) for one in mistakes(inner, schema["items"], root=root, at=f"{at}[{n}]")]
    return found
