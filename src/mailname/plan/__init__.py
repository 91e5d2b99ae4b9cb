"""What the owner wants: a plan read with every mistake told, expanded to zones, guarded, and put into the registrar's words."""

from mailname.plan.expand import expand, expand_all
from mailname.plan.load import Loaded, load
from mailname.plan.model import MailHost, NameServer, Plan, Record, ReverseZone, Soa, TransferKey
from mailname.plan.toml_text import decode

__all__ = [
    "Loaded",
    "MailHost",
    "NameServer",
    "Plan",
    "Record",
    "ReverseZone",
    "Soa",
    "TransferKey",
    "decode",
    "expand",
    "expand_all",
    "load",
]
