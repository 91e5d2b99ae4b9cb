"""Query and zone in, response out. Pure: no socket, no clock."""

from mailname.answer.respond import Transport, respond
from mailname.answer.table import Unserved, ZoneTable

__all__ = ["Transport", "Unserved", "ZoneTable", "respond"]
