"""The JSON Schema of what ``mailname check --save`` keeps: the facts, the plan's data, and where both were found."""

from __future__ import annotations

from typing import Any

from mailname.checks.facts import BESIDE, RUNGS, SCHEMA
from mailname.checks.facts_transfer import QUESTIONS
from mailname.checks.outcome import Outcome

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT = {"type": "string"}
_NAME = {"type": "string", "description": "A name with its last dot."}
_ADDRESS = {"type": "string", "description": "An IPv4 or IPv6 address."}
_PORT = {"type": "integer", "minimum": 0}
_COUNT = {"type": "integer", "minimum": 0}
_MS = {"type": "number", "minimum": 0, "description": "Milliseconds."}
_OUTCOME = {"enum": [outcome.value for outcome in Outcome]}
_RECORDS = {"type": "array", "items": _TEXT, "description": "Records as dig prints them: owner, TTL, class, type, rdata."}
_TRUTH = {"type": "boolean"}


def _whole(properties: dict[str, Any], **more: object) -> dict[str, Any]:
    """Return the schema of an object that has all these members."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False, **more}


def _or_null(schema: dict[str, Any], says: str = "") -> dict[str, Any]:
    return {"anyOf": [{"type": "null"}, schema], **({"description": says} if says else {})}


def _list(of: dict[str, Any], says: str) -> dict[str, Any]:
    return {"type": "array", "items": of, "description": says}


_PROBE = _whole(
    {
        "rung": {"enum": [*RUNGS, *BESIDE]},
        "zone": {"type": "string", "description": "The zone as whose authority the server was asked."},
        "server": _NAME,
        "address": _ADDRESS,
        "port": _PORT,
        "transport": {"enum": ["udp", "tcp"]},
        "qname": _NAME,
        "qtype": _TEXT,
        "outcome": _OUTCOME,
        "rcode": {"type": ["string", "null"]},
        "flags": {"type": "array", "items": {"enum": ["aa", "ra", "tc"]}},
        "answer": _RECORDS,
        "authority": _RECORDS,
        "additional": _RECORDS,
        "tries": _COUNT,
        "ms": _MS,
        "edns": _TRUTH,
        "opt": _TRUTH,
        "expire": _or_null(_COUNT, "Seconds until the copy there expires (RFC 7314)."),
        "answered_from": _or_null(_whole({"address": _ADDRESS, "port": _PORT}), "Where an answer came from that nobody takes."),
    }
)
_MAIL = _whole(
    {
        "host": _NAME,
        "address": _ADDRESS,
        "port": _PORT,
        "outcome": _OUTCOME,
        "connected": _TRUTH,
        "banner": _TEXT,
        "ehlo": {"type": "array", "items": _TEXT},
        "ms": _MS,
        "certificate": _or_null(
            _whole({"ends": {"type": "string", "format": "date-time"}, "names": {"type": "array", "items": _TEXT}})
        ),
    }
)
_MOMENT = {"type": "string", "format": "date-time"}
_REGISTRATION = _whole(
    {
        "url": _TEXT,
        "problem": {"type": "string", "description": "Why nothing is known; empty when something is."},
        "status": {"type": "array", "items": _TEXT},
        "ends": _or_null(_MOMENT),
        "registrar": _TEXT,
    }
)
_TRANSFER = _whole(
    {
        "server": _NAME,
        "address": _ADDRESS,
        "question": {"enum": list(QUESTIONS)},
        "key": {"type": ["string", "null"], "description": "The name of the key that signed it; never its secret."},
        "result": {"type": "string", "description": "given, current, silent, closed, badkey, badsig, badtime, refused, ..."},
        "serial": _or_null(_COUNT),
    }
)


def facts_schema() -> dict[str, Any]:
    """Return the schema of a saved look. Members are added under the same name; what changes gets a new one."""
    control = {"server": _NAME, "status": {"type": ["object", "null"]}, "problem": _TEXT}
    place = {
        "plan_file": {"type": ["string", "null"]},
        "network_file": {"type": ["string", "null"]},
        "control": {"type": "object"},
    }
    return _whole(
        {
            "schema": {"const": SCHEMA},
            "domain": _NAME,
            "at": {"type": "string", "format": "date-time"},
            "from": {"enum": list(RUNGS), "description": "The highest rung that was asked."},
            "probes": _list(_PROBE, "Every question and what came back, in this order."),
            "mail": _list(_MAIL, "Visits to mail hosts."),
            "control": _list(_whole(control), "What servers say of themselves, without any member that is called a secret."),
            "zone_file": _or_null(_whole({"file": _TEXT, "records": _RECORDS, "problem": _TEXT})),
            "expected": _RECORDS,
            "planned": {"type": "boolean", "description": "Whether an owner's plan says what is meant."},
            "asked": {"type": ["string", "null"]},
            "knocks": _list(
                _whole({"address": _ADDRESS, "port": _PORT, "outcome": _OUTCOME}), "Other ports of machines that are mute."
            ),
            "dnsbl": _list(_NAME, "The block lists that were asked."),
            "registration": _or_null(_REGISTRATION, "What the RDAP server told, where one was asked."),
            "transfers": _list(_TRANSFER, "Transfers that were tried from here, where a secondary is not in step."),
            "queries": _COUNT,
            "seconds": {"type": "number", "minimum": 0},
            "plan": {
                "type": ["object", "null"],
                "description": "The plan's data, without its comments; there is no secret in a plan.",
            },
            "place": _whole(place),
        },
        **{"$schema": _DIALECT, "title": SCHEMA},
    )
