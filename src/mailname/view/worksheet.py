"""The registrar's worksheet as values and sentences: what to enter, in which words a form asks for it, what to know."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from mailname.checks.registries import registry_of, sentence_on_junk
from mailname.plan.registrar_styles import read_styles, steps, too_many

if TYPE_CHECKING:
    from mailname.plan.registrar import Worksheet
    from mailname.plan.registrar_styles import Panel, Style, Styles

DEFAULT = "hosts-first"


@cache
def styles() -> Styles:
    """Return the forms that are known."""
    return read_styles(resources.files("mailname.plan").joinpath("registrar_styles.toml").read_text(encoding="utf-8"))


def limits(sheet: Worksheet, panel: Panel | None) -> list[str]:
    """Say which name has more addresses than the form takes."""
    return [
        f"This form takes {panel.limit if panel else 0} IPv{version} address(es) for one name: {say(name)} has {more} too many. "
        "Enter the rest at the registrar's support, or give the name fewer addresses in the plan."
        for name, version, more in too_many(sheet, panel)
    ]


def registry_says(sheet: Worksheet) -> list[str]:
    """Say what the registry of this TLD makes of the name servers."""
    registry = registry_of(sheet.domain.labels[-2].decode("ascii"))
    if "*" in registry.tlds:
        return ["The rules of this registry are not known: mailname check PLAN --before-registering goes by IANA's."]
    told = [sentence_on_junk(registry)]
    if any(rule.level == "must" for rule in registry.rules):
        sure = "" if registry.verified else " (not verified in its own text)"
        told.insert(
            0,
            f"{registry.name} looks {registry.looks}; where its rules are not kept, it {registry.failing}{sure}."
            " Have the servers running first, and try: mailname check PLAN --before-registering.",
        )
    return told


def sources(panel: Panel | None) -> list[str]:
    """Say where the words of a form are from."""
    if panel is None:
        known = ", ".join(one.name for one in styles().panels)
        return [f"--style puts it in a registrar's own words. Known are {known}."]
    sure = f"The words of this form are from {panel.source}."
    unsure = f"The words of this form were not verified in the registrar's own text; they are from {panel.source}."
    return [*([panel.note] if panel.note else []), sure if panel.verified else unsure]


def sheet_json(sheet: Worksheet, style: Style, panel: Panel | None) -> dict[str, Any]:
    """Return the worksheet as JSON values."""
    return {
        "name_servers": [
            {
                "name": str(server.name),
                "glue_needed": server.glue_needed,
                "glue": [str(address) for address in server.glue],
                "why": server.why,
            }
            for server in sheet.name_servers
        ],
        "ds": [ds.to_text() for ds in sheet.ds],
        "never": list(sheet.never),
        "notes": [*limits(sheet, panel), *registry_says(sheet), *sheet.notes],
        "style": style.name,
        "panel": {"name": panel.name, "verified": panel.verified, "source": panel.source} if panel else None,
        "steps": [
            {
                "title": step.title,
                "where": step.where,
                "entries": [
                    {"name": str(entry.name), "addresses": [str(address) for address in entry.addresses]}
                    for entry in step.entries
                ],
            }
            for step in steps(sheet, style, panel)
        ],
    }


def say(name: object) -> str:
    """Write a name as people do."""
    return str(name).rstrip(".")
