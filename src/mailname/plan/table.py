"""Tables of a plan as immutable values: what keys a table has, how it is read, and every misreading with its path.

A table is a frozen dataclass whose fields say by ``value``, ``several`` and ``inner`` what stands there. Nothing is read into
another type than its key's kind says, and no key is ignored.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast, dataclass_transform

from mailname.plan.fault import Path, WrongValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dns.name import Name

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of value: how it is read, given the plan's domain, and what JSON Schema says of it.

    ``read`` raises WrongValueError.
    """

    read: Callable[[object, Name], object]
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """What may stand at one key of a table.

    Attributes:
        name: as the file spells it.
        attribute: as the table's value has it.
        description: what an editor shows.
        of: the kind of its value, or the table that it is.
        several: it is a list of those.
        at_least: how long the list must be.
        one_will_do: in place of a list, one text may stand there.
        required: there is no default.
        default: what it is when it is not given.

    """

    name: str
    attribute: str
    description: str
    of: Kind | type
    several: bool
    at_least: int
    one_will_do: bool
    required: bool
    default: object


@dataclass(frozen=True, slots=True)
class Misread:
    """Something that does not fit, where it stands, and for a wrong value why."""

    path: Path
    what: Literal["unknown key", "missing", "empty", "no list", "no table", "wrong"]
    value: object = None
    why: WrongValueError | None = None


@dataclass(frozen=True, slots=True)
class ReadTable(Generic[T]):
    """A table as read: its value, or all that does not fit, in the order of the table's keys."""

    value: T | None
    misread: tuple[Misread, ...]


def value(of: Kind, description: str, *, default: Any = MISSING) -> Any:
    """Say that a value stands at this key."""
    return field(default=default, metadata={"of": of, "description": description})


def several(
    of: Kind | type, description: str, *, key: str = "", at_least: int = 0, one_will_do: bool = False, default: Any = MISSING
) -> Any:
    """Say that a list of values, or of tables, stands at this key."""
    how = {"several": True, "at_least": at_least, "one_will_do": one_will_do}
    return field(default=default, metadata={"of": of, "description": description, "key": key, **how})


def inner(of: type, description: str, *, default: Any = MISSING) -> Any:
    """Say that one table stands at this key."""
    return field(default=default, metadata={"of": of, "description": description})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(value, several, inner))
def table(cls: type[T]) -> type[T]:
    """Make a class a table."""
    return dataclass(frozen=True, slots=True, kw_only=True)(cls)


@cache
def keys_of(table: type) -> Mapping[str, Key]:
    """Return a table's keys by the names that the file gives them, in order."""
    keys = (
        Key(
            name=one.metadata.get("key") or one.name,
            attribute=one.name,
            description=one.metadata["description"],
            of=one.metadata["of"],
            several=one.metadata.get("several", False),
            at_least=one.metadata.get("at_least", 0),
            one_will_do=one.metadata.get("one_will_do", False),
            required=one.default is MISSING,
            default=one.default,
        )
        for one in fields(cast("Any", table))
    )
    return {key.name: key for key in keys}


def read_table(table: type[T], data: object, domain: Name) -> ReadTable[T]:
    """Read a table and those in it; ``domain`` is what names without a dot stand in."""
    reader = _Reader(domain)
    made = reader.table(table, data, ())
    return ReadTable(None if reader.misread else made, tuple(reader.misread))


class _Reader:
    def __init__(self, domain: Name) -> None:
        self.domain = domain
        self.misread: list[Misread] = []

    def table(self, table: type[T], data: object, path: Path) -> T | None:
        if not isinstance(data, dict):
            self.misread.append(Misread(path, "no table", data))
            return None
        already, keys, values = len(self.misread), keys_of(cast("type", table)), {}
        for name, key in keys.items():
            if name in data:
                values[key.attribute] = self._at(key, data[name], (*path, name))
            elif key.required:
                self.misread.append(Misread((*path, name), "missing"))
        self.misread += [Misread((*path, name), "unknown key") for name in data if name not in keys]
        return table(**values) if len(self.misread) == already else None

    def _at(self, key: Key, data: object, path: Path) -> object:
        if not key.several:
            return self._one(key.of, data, path)
        if key.one_will_do and isinstance(data, str):
            data = [data]
        if not isinstance(data, list):
            self.misread.append(Misread(path, "no list", data))
            return ()
        if len(data) < key.at_least:
            self.misread.append(Misread(path, "empty", data))
        return tuple(self._one(key.of, one, (*path, number)) for number, one in enumerate(data))

    def _one(self, of: Kind | type, data: object, path: Path) -> object:
        if isinstance(of, type):
            return self.table(of, data, path)
        try:
            return of.read(data, self.domain)
        except WrongValueError as wrong:
            self.misread.append(Misread(path, "wrong", data, wrong))
            return None
