"""What is published: an immutable zone, its serial, its text, and the difference between two of them."""

from mailname.zone.rrset import RRset
from mailname.zone.serial import Serial
from mailname.zone.zone import Kind, Lookup, Node, Zone, ZoneBuilder

__all__ = ["Kind", "Lookup", "Node", "RRset", "Serial", "Zone", "ZoneBuilder"]
