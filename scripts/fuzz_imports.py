"""What is fuzzed of ``mailname import``: configurations, lists of records and zones as strangers have written them."""

from __future__ import annotations

from pathlib import Path

import dns.name

from mailname.errors import PlanError, ZoneError
from mailname.imports.clauses import read_clauses
from mailname.imports.found_zone import found_in_text
from mailname.imports.mail_lists import read_list
from mailname.imports.named_conf import read_configuration
from mailname.imports.new_plan import Known, new_plan
from mailname.imports.proof import prove
from mailname.imports.text_kind import apex_in, kind_of

APEX = dns.name.from_text("example.tech.")
_DATA = Path(__file__).resolve().parent.parent / "tests" / "data"


def _no_files(_pattern: str, _directory: str) -> list[tuple[str, str]]:
    raise ValueError("there are no files.")


def _no_file(written: str) -> tuple[str, str]:
    raise OSError(written)


def take_named_conf(data: bytes) -> None:
    """A configuration is read, or refused with a place; what it means never raises."""
    text = data.decode("utf-8", "replace")
    kind_of(text)
    try:
        clauses = read_clauses(text, "fuzz", _no_files)
    except PlanError as error:
        assert error.mistakes[0].problem
        return
    configuration = read_configuration(clauses)
    assert all(mistake.at.line >= 1 for mistake in configuration.mistakes)
    assert all(zone.at.file == "fuzz" for zone in configuration.zones)


def take_mail_list(data: bytes) -> None:
    """A list of records is read as far as it is one; what comes of it is in the domain."""
    listed = read_list(data.decode("utf-8", "replace"), "fuzz", APEX, ttl=3600)
    assert all(record.owner.is_subdomain(APEX) for record in listed.records)


def take_zone(data: bytes) -> None:
    """Of whatever is a zone a plan is written that means it, or the difference is known."""
    text = data.decode("utf-8", "replace")
    apex_in(text, "fuzz", None)
    try:
        found = found_in_text(text, "fuzz", APEX, _no_file)
    except ZoneError as error:
        assert error.problem
        return
    new = new_plan(found, Known())
    proof = prove(new.text, "fuzz.toml", found.zone)
    assert proof.lost_nothing or proof.mistakes or new.notes


def seeds(target: str) -> list[bytes]:
    """Return good inputs to begin with."""
    folder, pattern = {
        "named-conf": ("named", "etc/**/*"),
        "mail-list": ("mail_lists", "*.txt"),
    }.get(target, ("named", "var/**/*"))
    found = sorted(path for path in (_DATA / folder).glob(f"*/{pattern}" if folder == "named" else pattern) if path.is_file())
    return [path.read_bytes() for path in found]
