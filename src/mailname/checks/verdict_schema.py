"""The JSON Schemas of what a check says: of one verdict, and of a line of a list."""

from __future__ import annotations

from typing import Any

from mailname.checks.explain import SCHEMA
from mailname.checks.finding import CODES, Severity

LIST_SCHEMA = "mailname.check-list/1"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT = {"type": "string"}
_CODE = {"enum": list(CODES)}
_VERDICT = {
    "enum": ["well", "fragile", "broken", "unknown"],
    "description": "fragile: mail arrives, and something is wrong; broken: it does not arrive; unknown: we could not find out.",
}
_QUERIES = {"type": "integer", "minimum": 0, "description": "Questions that were asked."}
_SECONDS = {"type": "number", "minimum": 0}
_EVIDENCE = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "server": {"type": "string", "description": "Who was asked: name, address, port, transport."},
            "question": {"type": "string", "description": "Name and type."},
            "answer": {"type": "string", "description": "The answer as dig shows it, or why there is none."},
        },
        "required": ["server", "question", "answer"],
        "additionalProperties": False,
    },
}
_CAUSE = {
    "code": _CODE,
    "says": {"type": "string", "description": "One sentence of fact, with the name and address it is about."},
    "where": {"type": "string", "description": "Where to fix it."},
    "fix": {"type": "string", "description": "What to do there, and the line to type."},
}
_PROVEN = {
    "type": "boolean",
    "description": "With its fix applied to what was seen, and judged again, it and what it explains are gone.",
}
_CANDIDATE = {
    "says": {"type": "string", "description": "What it may be."},
    "where": {"type": "string", "description": "Where it would be fixed."},
    "fix": {"type": "string", "description": "What would be done there."},
    "speaks": {"type": "string", "description": "What was seen that speaks for it; empty where nothing does."},
}
_FINDING = {
    **_CAUSE,
    "evidence": _EVIDENCE,
    "severity": {"enum": [severity.value for severity in Severity]},
    "command": {"type": "string", "description": "The line to type; empty when there is none."},
    "server": {"type": ["string", "null"], "description": "The server or host it is about; null: the domain."},
    "addresses": {"type": "array", "items": _TEXT},
}


def _whole(properties: dict[str, Any], **more: object) -> dict[str, Any]:
    """Return the schema of an object that has all these members."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False, **more}


_CHOICE = {
    "anyOf": [
        {"type": "null"},
        _whole(
            {
                "candidates": {"type": "array", "items": _whole(_CANDIDATE), "description": "The likelier first."},
                "command": {"type": "string", "description": "The line to type that decides; empty where there is none."},
                "tells": {"type": "string", "description": "Which outcome means what."},
            }
        ),
    ],
    "description": "What it may be, where what was seen fits more than one thing; null where it is certain.",
}


def check_schema() -> dict[str, Any]:
    """Return the schema of ``mailname check --json``. Members are added under the same name; what changes gets a new one."""
    cause = {"$ref": "#/$defs/cause"}
    blocked = {"check": _CODE, "about": {"type": ["string", "null"]}, "needs": {"type": ["string", "null"]}}
    return _whole(
        {
            "schema": {"const": SCHEMA},
            "verdict": _VERDICT,
            "cause": {"anyOf": [{"type": "null"}, cause], "description": "The cause that matters most; null when all is well."},
            "also": {"type": "array", "items": cause, "description": "Causes that have nothing to do with it."},
            "findings": {"type": "array", "items": _whole(_FINDING), "description": "All that was found, from the root down."},
            "blocked": {"type": "array", "items": _whole(blocked), "description": "Checks that could not be made."},
            "queries": _QUERIES,
            "seconds": _SECONDS,
        },
        **{
            "$schema": _DIALECT,
            "title": SCHEMA,
            "$defs": {"cause": _whole({**_CAUSE, "evidence": _EVIDENCE, "proven": _PROVEN, "choice": _CHOICE})},
        },
    )


def list_schema() -> dict[str, Any]:
    """Return the schema of one line that ``mailname check LIST`` writes."""
    return _whole(
        {
            "schema": {"const": LIST_SCHEMA},
            "name": {"type": "string", "description": "The name that was asked about."},
            "zone": {"type": "string", "description": "The zone that was looked at."},
            "at": {"type": "string", "format": "date-time"},
            "verdict": _VERDICT,
            "cause": {"anyOf": [{"type": "null"}, _whole({**_CAUSE, "command": _TEXT})]},
            "also": {"type": "array", "items": _CODE},
            "queries": _QUERIES,
            "seconds": _SECONDS,
        },
        **{"$schema": _DIALECT, "title": LIST_SCHEMA},
    )
