"""What a pure function of the facts has found is kept with the facts: dozens of checks ask for the same."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from dns.name import Name

from mailname.checks.facts import Facts

if TYPE_CHECKING:
    from collections.abc import Callable

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_KEPT = "_remembered"
_BY_VALUE = (Name, str, int)


def remembered(find: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Let a function of facts, perhaps a plan, and names answer each question once for the same facts and plan.

    Facts and plans are told apart by identity, since they are never changed; they are kept with the answer.
    """

    @wraps(find)
    def ask(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
        facts = next((one for one in arguments if isinstance(one, Facts)), None)
        if facts is None or named:
            return find(*arguments, **named)
        all_of: tuple[object, ...] = arguments
        kept: dict[Any, Any] = facts.__dict__.setdefault(_KEPT, {})
        key = (find, *(one if isinstance(one, _BY_VALUE) else id(one) for one in all_of))
        if key not in kept:
            kept[key] = (find(*arguments, **named), all_of)
        result: _Result = kept[key][0]
        return result

    return ask
