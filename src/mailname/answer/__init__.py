"""Query and zone in, response out. Pure: no socket, no clock."""

from mailname.answer.respond import Response, Transport, reply_to, respond, truncated
from mailname.answer.settings import Settings
from mailname.answer.table import Unserved, ZoneTable

__all__ = ["Response", "Settings", "Transport", "Unserved", "ZoneTable", "reply_to", "respond", "truncated"]
