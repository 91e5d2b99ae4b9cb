"""A TOML file read into a pydantic model, every mistake with its place and in words.

A file without mistakes, which is what a server starts with, is read by tomllib alone: where things stand in it nobody asks.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from mailname.errors import Mistake, PlanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)
Path = tuple[str | int, ...]
#: Where, what is wrong, what to do.
Contradiction = tuple[Path, str, str]


def read_toml_as(model: type[Model], text: str, file: str, inspect: Callable[[Model], list[Contradiction]]) -> Model:
    """Read a configuration.

    Args:
        model: what it must be.
        text: the file's text.
        file: its name, for the messages.
        inspect: returns what the types cannot say.

    Raises:
        PlanError: every mistake.

    """
    flawless = _read_flawless(model, text, inspect)
    return _read_carefully(model, text, file, inspect) if flawless is None else flawless


def _read_flawless(model: type[Model], text: str, inspect: Callable[[Model], list[Contradiction]]) -> Model | None:
    """Read a configuration with which nothing is wrong; None for any other."""
    try:
        parsed = model.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError):
        return None
    return None if inspect(parsed) else parsed


def _read_carefully(model: type[Model], text: str, file: str, inspect: Callable[[Model], list[Contradiction]]) -> Model:
    from mailname.plan.toml_text import read_toml  # it brings all of the plan, which takes as long as the rest of the server

    read = read_toml(text, file)
    if any(mistake.severity == "error" for mistake in read.mistakes):
        raise PlanError(read.mistakes)

    def mistake(path: Path, problem: str, remedy: str, point: str = "value") -> Mistake:
        sentence = problem if problem.endswith(".") else problem + "."
        return Mistake(read.places.position(read.places.offset(path, point)), sentence, remedy)

    def in_order(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
        return tuple(sorted(mistakes, key=lambda one: (one.at.line, one.at.column)))

    try:
        parsed = model.model_validate(read.data)
    except ValidationError as error:
        raise PlanError(in_order(_told(one, model, mistake) for one in error.errors(include_url=False))) from None
    wrong = inspect(parsed)
    if wrong:
        raise PlanError(in_order(mistake(*one) for one in wrong))
    return parsed


def _told(error: ErrorDetails, model: type[BaseModel], mistake: Callable[..., Mistake]) -> Mistake:
    from mailname.plan.fault import closest

    path: Path = error["loc"]
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    if error["type"] == "extra_forbidden":
        meant = closest(key, _keys(model))
        return mistake(path, f"There is no key '{key}' here.", f"Did you mean '{meant}'?" if meant else "Remove it.", "key")
    if error["type"] == "missing":
        return mistake(path[:-1], f"The key '{key}' is missing.", "Add it.", "table")
    value: Any = error["input"]
    return mistake(path, f"{value!r} cannot be '{key}': {error['msg'].removeprefix('Value error, ')}.", "Correct it.")


def _keys(model: type[BaseModel]) -> set[str]:
    """All keys of a model and of the models inside it."""
    found: set[str] = set()
    for name, info in model.model_fields.items():
        found.add(info.alias or name)
        for inner in getattr(info.annotation, "__args__", ()):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found |= _keys(inner)
    return found
