"""The verdict in one sentence, the same on a terminal and in the page; it claims of mail only what is so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name

from mailname.checks.reading import mail_exchangers
from mailname.checks.wording import spoken

if TYPE_CHECKING:
    from mailname.checks import Facts, Verdict
    from mailname.plan import Plan

_SENTENCES = {
    "well": "{domain} is well: its mail finds its way.",
    "fragile": "{domain} is fragile: mail arrives, and something is wrong.",
    "broken": "{domain} is broken: mail does not arrive.",
    "unknown": "We could not find out whether {domain} is well.",
}
_NULL_MX = {
    "well": "{domain} is well, and takes no mail: it has a null MX.",
    "fragile": "{domain} is fragile: it can be found, takes no mail (null MX), and something is wrong.",
    "broken": "{domain} is broken: it cannot be found by everyone.",
}
_NO_MX = {
    "well": "{domain} is well. It has no MX: mail for it goes to its own address, if it has one.",
    "fragile": "{domain} is fragile: it can be found, has no MX, and something is wrong.",
    "broken": "{domain} is broken: it cannot be found by everyone.",
}


def sentence(plan: Plan, facts: Facts, verdict: Verdict) -> str:
    """Say how the domain is."""
    hosts = mail_exchangers(plan, facts)
    takes_none = _NO_MX if hosts == () else _NULL_MX if hosts == (dns.name.root,) else {}
    planned = facts.planned and bool(plan.mail_hosts)  # then it is a fault that there is none, and told as that
    chosen = _SENTENCES if planned else {**_SENTENCES, **takes_none}
    return chosen[verdict.verdict].format(domain=spoken(plan.domain))
