"""The last record of a message: found in both forms of the code, as dnspython finds it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.wire
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import zones

from mailname.transfer.axfr import outgoing
from mailname.wire import last_record

if TYPE_CHECKING:
    from mailname.zone import Zone


def _source() -> Any:
    """Load the source of the module, whatever was installed."""
    path = Path(str(last_record.__file__)).parent / "last_record.py"
    spec = importlib.util.spec_from_file_location("last_record_source", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FORMS: tuple[Any, ...] = (last_record, _source())


def walked(wire: bytes) -> int:
    """Walk through a message with dnspython, names not followed."""
    start = -1
    try:
        parser = dns.wire.Parser(wire)
        _, _, questions, *records = parser.get_struct("!6H")
        for number in range(questions + sum(records)):
            at = parser.current
            while 0 < (length := parser.get_uint8()) < 64:
                parser.get_bytes(length)
            if length:
                if length < 192:
                    return -1
                parser.get_uint8()
            if number < questions:
                parser.get_struct("!HH")
                continue
            start = at
            parser.get_bytes(parser.get_struct("!HHIH")[3])
    except dns.exception.FormError:
        return -1
    return start


class TestLastRecord:
    @pytest.mark.parametrize("form", FORMS)
    @given(zone=zones(), cut=st.integers(0, 400))
    def test_of_a_transfer_is_found_if_all_of_it_is_there(self, form: Any, zone: Zone, cut: int) -> None:
        """Whole messages end in a record; what was cut off does not end at all."""
        for wire, _ in outgoing(zone, 1):
            assert form.last_record(wire) == walked(wire) > 0
            assert form.last_record(wire[:cut]) == walked(wire[:cut])

    @pytest.mark.parametrize("form", FORMS)
    @given(counts=st.lists(st.integers(0, 3), min_size=4, max_size=4), rest=st.binary(max_size=60))
    def test_of_any_octets_is_looked_for_inside_them(self, form: Any, counts: list[int], rest: bytes) -> None:
        """Whatever a stranger sends."""
        wire = bytes(4) + b"".join(count.to_bytes(2, "big") for count in counts) + rest
        assert form.last_record(wire) == walked(wire)
