"""The ``[[zone.update]]`` tables of a server's configuration: which key may update which names (RFC 2136)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import dns.rdatatype
from pydantic import BaseModel, BeforeValidator, Field

from mailname.server.config_fields import STRICT, NameField
from mailname.update.policy import UpdateRule

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from dns.name import Name

    from mailname.server.config_fields import KeySets
    from mailname.server.config_text import Contradiction


def _rdtype(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        kind = dns.rdatatype.from_text(value)
    except (dns.rdatatype.UnknownRdatatype, ValueError) as error:
        raise ValueError(f"{value} is not a type of records") from error
    if dns.rdatatype.is_metatype(kind):
        raise ValueError(f"{value} is no type of data")
    return kind


class RuleTable(BaseModel):
    """What the tables that allow updates have in common."""

    model_config = STRICT
    key: NameField
    types: tuple[Annotated[dns.rdatatype.RdataType, BeforeValidator(_rdtype)], ...] = ()


class UpdateTable(RuleTable):
    """One ``[[zone.update]]``."""

    names: tuple[NameField, ...] = Field(min_length=1)

    def value(self, key_sets: KeySets) -> UpdateRule:
        """Return the rule; a name of ``key_sets`` stands for the keys of its file."""
        return UpdateRule(key_sets.get(self.key, (self.key,)), self.names, frozenset(self.types))


def update_contradictions(
    at: tuple[str | int, ...], zone: Name, role: str, tables: Sequence[UpdateTable], keys: Container[Name] | None
) -> Iterator[Contradiction]:
    """Yield (where, what is wrong, what to do) for what the types cannot say.

    Args:
        at: the zone's place.
        zone: its name.
        role: its role.
        tables: its updates.
        keys: the names of all keys; None when nothing can be said about them.

    """
    if tables and role == "secondary":
        yield (*at, "update"), "a secondary zone is not updated here", "Let clients send updates to the primary."
    for number, table in enumerate(tables):
        place = (*at, "update", number)
        if keys is not None and table.key not in keys:
            missing = f"there is no key {table.key.to_text(omit_final_dot=True)}"
            yield (*place, "key"), missing, "Add a [[key]] with the file that holds it."
        for index, name in enumerate(table.names):
            if not name.is_subdomain(zone):
                outside = f"{name.to_text(omit_final_dot=True)} is not in the zone {zone.to_text(omit_final_dot=True)}"
                yield (*place, "names", index), outside, "Write the whole name, such as _acme-challenge.example.tech."
