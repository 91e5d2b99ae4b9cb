"""A packet filter of others on the host itself that drops what the plan wants open: it is opened by their own words.

A packet must be let through by every filter, so a table of ours beside it opens nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mailname.host.change import LeftAlone
from mailname.host.packet_filter import interfaces
from mailname.host.ruleset import Packet, read_ruleset

if TYPE_CHECKING:
    from mailname.host.facts import Facts
    from mailname.plan.hosts import Host

OURS = "mailname"  # the table that preparing makes
_UFW = "ufw-user-input"  # its chain, which stands before its unit has ever run


def others_that_drop(facts: Facts, host: Host) -> tuple[LeftAlone, ...]:
    """Return that others drop ports of the plan, and how those are opened there; empty where nobody does."""
    shut = _dropped(facts, host)
    if not shut:
        return ()
    ports = [f"{port}/{protocol}" for port, protocol in shut]
    active = {line.split()[0] for line in facts["active"].lines if line.strip()}
    if "firewalld.service" in active:
        who, opened = "firewalld", " ".join(f"--add-port={port}" for port in ports)
        typed = f"sudo firewall-cmd --permanent {opened} && sudo firewall-cmd --reload"
    elif any(_UFW in facts[name].text for name in ("filter", "iptables", "ip6tables")):
        who, typed = "ufw", "; ".join(f"sudo ufw allow {port}" for port in ports)
    else:
        who, typed = "a packet filter that is not ours", "sudo nft list ruleset; sudo iptables-save"
    return (
        LeftAlone(
            "HOST-06",
            f"{who} drops {', '.join(ports)} on this host, and the plan wants it open; a filter beside it would open nothing.",
            f"Open it there, and run this again: {typed}",
        ),
    )


def _dropped(facts: Facts, host: Host) -> list[tuple[int, str]]:
    """Return the ports of the plan that are dropped by other tables than ours."""
    told = facts["filter"]
    saved = [facts[name].text if not facts[name].code else "" for name in ("iptables", "ip6tables")]
    if not facts.is_root or (told.code and not any(saved)):
        return []
    rules = read_ruleset("" if told.code else _without_ours(told.text), *saved)
    if rules is None:
        return []
    by, versions = interfaces(facts), sorted({address.version for address in host.addresses})
    return [
        (port, protocol)
        for port, protocol in host.open_ports
        if any(rules.fate(Packet(version, protocol, port, by.get(version, ""))) == "dropped" for version in versions)
    ]


def _without_ours(text: str) -> str:
    try:
        entries = json.loads(text)["nftables"]
        kept = [
            one for one in entries if all(OURS not in (_word(value, "table"), _word(value, "name")) for value in one.values())
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return text
    return json.dumps({"nftables": kept})


def _word(value: object, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
