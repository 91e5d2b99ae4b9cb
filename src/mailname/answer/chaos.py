"""Class CH: what the server says about itself, where the operator wants it to (RFC 4892)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.TXT import TXT

from mailname.answer.reply import Reply
from mailname.zone import RRset

if TYPE_CHECKING:
    from mailname.answer.settings import Settings
    from mailname.wire.message import Question

_VERSION = {dns.name.from_text(name) for name in ("version.bind.", "version.server.")}
_IDENTITY = {dns.name.from_text(name) for name in ("id.server.", "hostname.bind.")}


def chaos(question: Question, settings: Settings) -> Reply | None:
    """Answer a question of class CH; None when there is nothing to tell, so that it is refused."""
    text = settings.version if question.name in _VERSION else settings.identity if question.name in _IDENTITY else None
    if text is None:
        return None
    reply = Reply(authoritative=True, subject=question.name)
    if question.rdtype in {RdataType.TXT, RdataType.ANY}:
        rdata = TXT(RdataClass.CH, RdataType.TXT, [text.encode()])
        reply.answer.append(RRset(question.name, RdataType.TXT, 0, (rdata,)))
    return reply
