"""The private Internet: root, TLD, registry, resolver, mail host and the plan's servers on this machine, and their faults."""

from mailname.lab.lab import Lab
from mailname.lab.network import LabNetwork

__all__ = ["Lab", "LabNetwork"]
