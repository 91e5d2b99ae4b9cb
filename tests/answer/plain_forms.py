"""The plain path in both its forms: as it was installed, and as its source runs without a compiler."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.message
from tests.uncompiled import from_sources

import mailname.answer
from mailname.answer import images, plain, respond
from mailname.wire.message import Request, read_request
from mailname.wire.octets import octets
from mailname.zone import Zone
from mailname.zone.image import build_image

if TYPE_CHECKING:
    from types import ModuleType

    from mailname.answer import ZoneTable


def uncompiled() -> tuple[ModuleType, ...]:
    """Load the sources of the plain path, and of what it is made of, beside the modules that were installed."""
    folder = Path(str(mailname.answer.__file__)).parent
    names = [f"mailname.answer.{path.stem}" for path in folder.glob("*.py") if path.stem.startswith(("plain", "image"))]
    return from_sources("mailname.answer.plain", "mailname.answer.images", among=names)


def is_compiled(module: ModuleType) -> bool:
    """Tell whether a module is machine code."""
    return not str(module.__file__).endswith(".py")


def must_be_compiled() -> bool:
    """Tell whether this is a place where nothing but a mistake keeps the core uncompiled."""
    wanted = "CI" in os.environ and os.environ.get("MAILNAME_PURE") != "1" and sys.platform.startswith("linux")
    return wanted and shutil.which(os.environ.get("CC", "cc")) is not None


@dataclass(frozen=True, slots=True)
class Form:
    """One form of the plain path."""

    plain: Any
    images: Any

    def serving(self, blocks: dict[bytes, bytes | None], options: tuple[int, ...] = ()) -> Any:
        """Return what this form answers from."""
        return self.images.Images(blocks, options)


SOURCE = Form(*uncompiled())
FORMS = (Form(plain, images), SOURCE) if is_compiled(plain) else (SOURCE,)


class Served:
    """A table of zones, and the same zones as images in every form."""

    def __init__(self, table: ZoneTable, options: tuple[int, ...] = ()) -> None:
        self.table = table
        zones = {apex: table[apex] for apex in table}
        blocks = {octets(apex).lower(): build_image(entry) if isinstance(entry, Zone) else None for apex, entry in zones.items()}
        self.images = [(form, form.serving(blocks, options)) for form in FORMS]

    def answer(self, query: bytes) -> bytes | None:
        """Answer plainly; all forms must say the same, octet for octet."""
        answers = {form.plain.answer_plain(images, query) for form, images in self.images}
        assert len(answers) == 1, f"{query.hex()}: the forms differ: {answers}"
        found: bytes | None = answers.pop()
        return found

    def agrees(self, query: bytes) -> bool:
        """Tell whether a question is plain; if so, its answer must be the reference's."""
        answer = self.answer(query)
        if answer is None:
            return False
        request = read_request(query)
        assert isinstance(request, Request), f"{query.hex()}: {request.problem}, and yet it is answered"
        wanted = respond(request, self.table, transport="udp")
        assert contents(answer) == contents(wanted), (
            f"{query.hex()}\n{dns.message.from_wire(answer)}\n{dns.message.from_wire(wanted)}"
        )
        return True


def contents(wire: bytes) -> tuple[object, ...]:
    """Return all that a reply says, records in their order; dnspython compares names without regard to case."""
    message = dns.message.from_wire(wire, one_rr_per_rrset=True, ignore_trailing=False)
    sections = [
        [(rrset.name.to_text().lower(), rrset.ttl, rrset.rdtype, rrset[0].to_digestable()) for rrset in section]
        for section in (message.answer, message.authority, message.additional)
    ]
    options = [(option.otype, option.to_wire()) for option in message.options]
    question = [(rrset.name.to_text(), rrset.rdtype, rrset.rdclass) for rrset in message.question]
    return (
        message.id,
        int(message.flags),
        message.rcode(),
        question,
        *sections,
        message.edns,
        message.ednsflags,
        message.payload,
        options,
    )
