from __future__ import annotations

import dns.name
import pytest

from mailname.plan.fault import WrongValueError
from mailname.plan.table import Kind, ReadTable, inner, read_table, several, table, value

DOMAIN = dns.name.from_text("example.tech")


def _small(given: object, domain: dns.name.Name) -> int:
    assert domain is DOMAIN
    if not isinstance(given, int) or given > 9:
        raise WrongValueError(f"{given} is not small.", "Write 9.", instead=9)
    return given


SMALL = Kind(_small, {"type": "integer"})


@table
class Leaf:
    """A table in a table."""

    size: int = value(SMALL, "How large.")


@table
class Tree:
    """A table with one key of each sort."""

    height: int = value(SMALL, "How high.", default=1)
    leaf: Leaf | None = inner(Leaf, "One leaf.", default=None)
    leaves: tuple[Leaf, ...] = several(Leaf, "More of them.", key="more", default=())
    sizes: tuple[int, ...] = several(SMALL, "Sizes.", at_least=1)


def read(**data: object) -> ReadTable[Tree]:
    return read_table(Tree, data, DOMAIN)


class TestReadTable:
    def test_gives_what_is_there_and_defaults(self) -> None:
        whole = read(leaf={"size": 2}, more=[{"size": 3}, {"size": 4}], sizes=[5])
        assert whole.value == Tree(leaf=Leaf(size=2), leaves=(Leaf(size=3), Leaf(size=4)), sizes=(5,))
        assert whole.value.height == 1
        assert whole.misread == ()

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            ({}, [(("sizes",), "missing")]),
            ({"sizes": []}, [(("sizes",), "empty")]),
            ({"sizes": 3}, [(("sizes",), "no list")]),
            ({"sizes": [1, 10, "x"]}, [(("sizes", 1), "wrong"), (("sizes", 2), "wrong")]),
            ({"sizes": [1], "leaf": []}, [(("leaf",), "no table")]),
            ({"sizes": [1], "more": [{"size": 1}, 3]}, [(("more", 1), "no table")]),
            ({"sizes": [1], "leaves": []}, [(("leaves",), "unknown key")]),
            ({"sizes": [1], "leaf": {"sise": 1}}, [(("leaf", "size"), "missing"), (("leaf", "sise"), "unknown key")]),
        ],
    )
    def test_tells_all_that_does_not_fit_with_its_path(self, data: dict[str, object], told: list[tuple[object, str]]) -> None:
        found = read(**data)
        assert found.value is None
        assert [(one.path, one.what) for one in found.misread] == told

    def test_of_something_else_is_no_table(self) -> None:
        assert [one.what for one in read_table(Tree, ["height"], DOMAIN).misread] == ["no table"]

    def test_keeps_why_a_value_is_wrong(self) -> None:
        (wrong,) = read(sizes=[12]).misread
        assert wrong.why is not None
        assert (wrong.value, wrong.why.problem, wrong.why.instead) == (12, "12 is not small.", 9)
