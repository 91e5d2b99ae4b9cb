from __future__ import annotations

import pytest

from mailname.zone.generate import GenerateError, fill, numbers


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "expected"), [("1-3", [1, 2, 3]), ("0-8/4", [0, 4, 8]), ("0-9/4", [0, 4, 8]), ("5-5", [5]), ("1-2/9", [1])]
    )
    def test_include_both_ends(self, text: str, expected: list[int]) -> None:
        assert list(numbers(text)) == expected

    @pytest.mark.parametrize(
        "text", ["", "1", "1-", "-1-2", "3-1", "1-3/0", "1-2147483648", "a-b", "1-3/", "1-99999999999", "٣-٤"]
    )
    def test_refuse(self, text: str) -> None:
        with pytest.raises(GenerateError) as caught:
            numbers(text)
        assert caught.value.remedy


class TestFill:
    @pytest.mark.parametrize(
        ("template", "number", "expected"),
        [
            ("host-$", 7, "host-7"),
            ("$.$", 7, "7.7"),
            ("plain", 7, "plain"),
            ("$$-$", 7, "$-7"),
            (r"\$-$", 7, r"\$-7"),
            ("a\\", 7, "a\\"),
            ("${0}", 7, "7"),
            ("${-5}", 7, "2"),
            ("${+5,4}", 7, "0012"),
            ("${0,3,d}", 7, "007"),
            ("${-9,3,d}", 7, "-02"),
            ("${0,2,x}${0,2,X}", 171, "abAB"),
            ("${0,0,o}", 8, "10"),
            ("${-8,0,x}", 7, "ffffffff"),
            ("${0,3,n}", 0xAB, "b.a"),
            ("${0,7,N}", 0xAB, "B.A.0.0"),
            ("${0,6,n}", 0xAB, "b.a.0."),
            ("${0,0,n}", 0xAB, "b.a"),
        ],
    )
    def test_formats_as_bind_does(self, template: str, number: int, expected: str) -> None:
        assert fill(template, number) == expected

    @pytest.mark.parametrize("template", ["${", "${0,1,z}", "${x}", "${0,128}", "${0,1,d", "${-9,1,n}"])
    def test_refuses(self, template: str) -> None:
        with pytest.raises(GenerateError) as caught:
            fill(template, 7)
        assert caught.value.remedy
