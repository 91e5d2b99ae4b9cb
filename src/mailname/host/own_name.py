"""HOST-09 and HOST-13: the host knows its name, and the world leads from the address to the name and back."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from mailname.host.step import judged, unknown

if TYPE_CHECKING:
    from mailname.host.facts import Facts
    from mailname.host.step import Result
    from mailname.plan.hosts import Host


def judge_own_name(facts: Facts, host: Host) -> Result:
    """Judge the host's own name: mail servers greet with it, and sudo waits ten seconds a time when it cannot be resolved."""
    code, name = "HOST-09", host.name.to_text(omit_final_dot=True)
    lines = facts["name"].lines
    if not lines:
        return unknown(code, "the host does not tell its name.")
    short, full = lines[0].strip(), lines[-1].strip() if facts["name"].code == 0 and len(lines) > 1 else ""
    wrong, right = [], []
    if facts["own-address"].code:
        wrong.append(f"its own name '{short}' cannot be resolved there: sudo and mail wait for it.")
    if full.lower() == name:
        right.append(f"{full}.")
    else:
        wrong.append(f"it takes itself for '{full or short}', the plan calls it {name}.")
    return judged(code, wrong, right, "Set the host name, and let /etc/hosts lead to it.", "mailname host prepare PLAN")


def judge_reverse_name(facts: Facts, host: Host) -> Result:
    """Judge the PTR record of each address, and whether its name leads back to it (RFC 1912 section 2.1).

    Where mail comes from, receivers want it to be the name that the host greets with; a name server may have another one.
    """
    code, name = "HOST-13", host.name.to_text(omit_final_dot=True)
    if not facts.names:
        return unknown(code, "no resolver was asked.", "Run it where a resolver can be reached, or name one: --resolver ADDRESS")
    wrong, right, silent = [], [], []
    for text, names in facts.names.items():
        if names is None:
            silent.append(text)
        elif not names:
            wrong.append(f"{text} has no PTR record.")
        elif host.takes_mail and (len(names) > 1 or names[0].rstrip(".").lower() != name):
            wrong.append(f"{text} leads to {', '.join(one.rstrip('.') for one in names)}, not to {name}.")
        else:
            right.append(f"{text} leads to {', '.join(one.rstrip('.') for one in names)}.")
        for one in names or ():
            back = facts.forward.get(one)
            if back is None:
                silent.append(one)
            elif ip_address(text) not in map(ip_address, back):
                wrong.append(f"{one.rstrip('.')} does not lead back to {text}.")
    if silent and not wrong:
        return unknown(code, f"the resolver did not tell where {', '.join(silent)} leads.")
    place = "Ask the provider of the address for the PTR record; it is set where the machine was rented."
    return judged(code, wrong, right, place, f"dig -x {host.addresses[0]} +short")
