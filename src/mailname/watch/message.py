"""The word that is said: what changed, what it means for mail, where and how to mend it, what to type. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailname.checks.wording import spoken

if TYPE_CHECKING:
    from datetime import datetime

    from mailname.plan import Plan
    from mailname.watch.topics import Topic
    from mailname.watch.transitions import Change

SCHEMA = "mailname.watch/1"
_HEADS = {
    "not_well": "Not well",
    "worse": "Worse",
    "again": "Acknowledged, and its time is over; it is still so",
    "well": "Mended",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One word about one domain.

    Attributes:
        document: the same as JSON values.

    """

    subject: str
    text: str
    document: dict[str, Any]


def message(
    plan: Plan, plan_file: str, now: datetime, verdict: str, changes: list[Change], still: tuple[Topic, ...], effect: str
) -> Message:
    """Return the message about what one look changed."""
    domain = spoken(plan.domain)
    fresh = [change for change in changes if change.kind != "well"]
    is_well = not still
    if fresh:
        more = f" (and {len(fresh) - 1} more)" if len(fresh) > 1 else ""
        subject = f"{domain}: {_HEADS[fresh[0].kind].partition(',')[0].lower()}: {fresh[0].topic.says}{more}"
    elif is_well:
        subject = f"{domain} is well again"
    else:
        subject = f"{domain}: mended: {changes[0].topic.says}"
    lines = [f"{now:%Y-%m-%d %H:%M:%S} UTC. {effect}", ""]
    for change in fresh:
        lines += _told(change, plan_file)
    for change in changes:
        if change.kind == "well":
            lines += [f"{_HEADS['well']}, it is no longer so: {change.topic.says}", ""]
    rest = [topic for topic in still if topic not in [change.topic for change in fresh]]
    if rest:
        lines += ["Not well as before:", *(f"- {topic.says}" for topic in rest), ""]
    document = {
        "schema": SCHEMA,
        "event": "change",
        "domain": domain,
        "at": now.isoformat(),
        "verdict": verdict,
        "is_well": is_well,
        "effect": effect,
        "changes": [{"kind": change.kind, **topic_to_json(change.topic)} for change in changes],
        "still": [topic_to_json(topic) for topic in rest],
    }
    return Message(_one_line(subject), "\n".join(lines).rstrip() + "\n", document)


def trial_message(plans: list[str], now: datetime) -> Message:
    """Return the message that only tries the way."""
    text = (
        f"{now:%Y-%m-%d %H:%M:%S} UTC. This is a test: nothing has changed.\n\n"
        f"When something changes at {', '.join(plans)}, you hear of it by this way.\n"
    )
    document = {"schema": SCHEMA, "event": "test", "at": now.isoformat(), "domains": plans}
    return Message("mailname watch: a test", text, document)


def topic_to_json(topic: Topic) -> dict[str, str]:
    """Return a topic as JSON values."""
    return {
        "topic": topic.key,
        "code": topic.code,
        "says": topic.says,
        "effect": topic.effect,
        "where": topic.place,
        "fix": topic.fix,
        "command": topic.command,
    }


def _told(change: Change, plan_file: str) -> list[str]:
    topic = change.topic
    lines = [f"{_HEADS[change.kind]}: {topic.says}"]
    lines += [f"  Means:  {topic.effect}"] if topic.effect else []
    lines += [f"  Where:  {topic.place}"] if topic.place else []
    lines += [f"  To do:  {topic.fix}"] if topic.fix else []
    lines += [f"  Type:   {topic.command}"] if topic.command else []
    known = ["mailname", "watch", plan_file, "--acknowledge", topic.key, "--reason", "WHY", "--until", "DAY"]
    return [*lines, f"  Known?  {shlex.join(known)}", ""]


def _one_line(text: str) -> str:
    """Return what may be a header: one line, whatever servers said that stands in it."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    return clean if len(clean) <= 200 else f"{clean[:199]}…"
