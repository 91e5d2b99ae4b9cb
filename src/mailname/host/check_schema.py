"""The JSON Schema of what ``mailname host check --json`` prints."""

from __future__ import annotations

from typing import Any

from mailname.host.step import STEPS, Outcome

SCHEMA = "mailname.host-check/1"
_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}


def _whole(properties: dict[str, Any], **more: object) -> dict[str, Any]:
    """Return the schema of an object that has all these members, and no others."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False, **more}


_STEP = {
    "code": {"enum": list(STEPS)},
    "step": {"enum": list(STEPS.values()), "description": "What the code means."},
    "outcome": {"enum": [one.value for one in Outcome]},
    "seen": {**_TEXTS, "description": "One sentence each: first what is wrong, if anything."},
    "fix": {**_TEXT, "description": "What to do; empty where it holds."},
    "command": {**_TEXT, "description": "The line to type, with PLAN for the plan's file; empty where there is none."},
}
_HOST = {
    "host": {**_TEXT, "description": "The full name that the plan has for it."},
    "ssh": {**_TEXT, "description": "What ssh was given."},
    "addresses": _TEXTS,
    "trouble": {
        "anyOf": [{"type": "null"}, _whole({"says": _TEXT, "fix": _TEXT})],
        "description": "Why the host could not be looked at; null where it was.",
    },
    "steps": {"type": "array", "items": _whole(_STEP), "description": "In their order; empty where there was trouble."},
}


def host_check_schema() -> dict[str, Any]:
    """Return it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What mailname host check says",
        **_whole(
            {
                "schema": {"const": SCHEMA},
                "well": {"type": "boolean", "description": "Every host was looked at, and every step holds on each."},
                "hosts": {"type": "array", "items": _whole(_HOST)},
            }
        ),
    }
