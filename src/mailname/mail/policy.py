"""The TXT records by which a domain says how its mail is to be judged: SPF, DMARC, DKIM keys, MTA-STS, TLS reports.

Each function takes what TXT records hold (their strings joined) and returns what is wrong with it, in a few words each.
A domain without such a record has nothing wrong here.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from mailname.mail.dkim_key import key_faults, key_notes

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LOOKUPS = 10  # RFC 7208 section 4.6.4
ASKING = ("include", "a", "mx", "ptr", "exists")
_TERM = re.compile(r"([+?~-]?)([a-z][a-z0-9_.-]*)(?:([:=/])(.*))?", re.IGNORECASE)
_MACRO = re.compile(r"%(?:\{[slodiphcrtv]\d*r?[.+,/_=-]*\}|[%_-])", re.IGNORECASE)  # RFC 7208 section 7.1
_POLICIES = ("none", "quarantine", "reject")


def spf_faults(texts: Iterable[str]) -> list[str]:
    """Judge SPF (RFC 7208) from all TXT records of a name."""
    records = [text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
    if len(records) > 1:
        return [f"there are {len(records)} SPF records, and with more than one none counts"]
    return [fault for record in records for fault in _spf_terms(record.split()[1:])]


def spf_record_faults(record: str) -> list[str]:
    """Return what is wrong with one SPF record by itself."""
    return _spf_terms(record.split()[1:])


def _spf_terms(terms: list[str]) -> list[str]:
    faults, lookups = [], 0
    for at, term in enumerate(terms):
        match = _TERM.fullmatch(term)
        if match is None:
            faults.append(f"'{term}' is no term of SPF")
            continue
        sign, name, mark, value = match[1], match[2].lower(), match[3] or "", match[4] or ""
        if "%" in _MACRO.sub("", value):
            faults.append(f"'{term}' holds a macro that is none")
        if mark == "=":
            lookups += name == "redirect"
            faults += _modifier_faults(name, value, terms[:at])
            continue
        if name in ("ip4", "ip6"):
            if not _is_network(value, 4 if name == "ip4" else 6):
                faults.append(f"'{term}' holds no {'IPv4' if name == 'ip4' else 'IPv6'} network")
        elif name == "all":
            if sign in ("", "+"):
                faults.append(f"'{term}' lets everybody send in the domain's name")
            if at + 1 < len(terms) and any("=" not in later for later in terms[at + 1 :]):
                faults.append(f"what follows '{term}' is never looked at")
        elif name in ASKING:
            lookups += 1
            if name in ("include", "exists") and not (mark == ":" and value):
                faults.append(f"'{term}' names no domain")
            elif (mark == ":" and not value) or not _is_well_measured(name, mark, value):
                faults.append(f"'{term}' is no {name} of SPF")
        else:
            faults.append(f"'{term}' is no mechanism of SPF")
    if lookups > MOST_LOOKUPS:
        faults.append(f"it takes {lookups} questions to judge, and receivers stop after {MOST_LOOKUPS}")
    return faults


def _modifier_faults(name: str, value: str, before: list[str]) -> list[str]:
    """Judge a modifier; unknown ones are ignored (section 6)."""
    if name not in ("redirect", "exp"):
        return []
    faults = [] if value else [f"'{name}=' names no domain"]
    if sum(other.lower().startswith(f"{name}=") for other in before) == 1:
        faults.append(f"{name}= is there more than once")
    return faults


def _is_well_measured(name: str, mark: str, value: str) -> bool:
    """Tell whether prefix lengths are where they may be: behind ``a`` and ``mx``, up to 32 and 128 (section 5.6)."""
    _, slash, lengths = (mark + value).partition("/")
    if not slash or "%" in value:
        return True
    if name not in ("a", "mx"):
        return mark == ":" and re.search(r"/\d*$", value) is None
    match = re.fullmatch(r"(?:/(\d{1,2}))?(?://(\d{1,3}))?", f"/{lengths}")
    return match is not None and int(match[1] or 0) <= 32 and int(match[2] or 0) <= 128


def _is_network(text: str, version: int) -> bool:
    try:
        return isinstance(ip_network(text, strict=False), IPv4Network if version == 4 else IPv6Network)
    except ValueError:
        return False


def tags(record: str) -> dict[str, str]:
    """Read a list of ``tag=value`` pairs (RFC 6376 section 3.2); what is no pair is left out."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals}


def dmarc_faults(texts: Iterable[str]) -> list[str]:
    """Judge DMARC (RFC 7489 section 6.3) from the TXT records of ``_dmarc``."""
    records = [text for text in texts if re.match(r"v\s*=\s*DMARC1\s*(;|$)", text)]
    if len(records) > 1:
        return [f"there are {len(records)} DMARC records, and with more than one none counts"]
    faults = []
    for record in records:
        found = tags(record)
        if "p" not in found:
            faults.append("it has no policy (p=)")
        faults += [
            f"{tag}={found[tag]} is no policy" for tag in ("p", "sp") if tag in found and found[tag].lower() not in _POLICIES
        ]
        share = found.get("pct", "100")
        if not (share.isdigit() and int(share) <= 100):
            faults.append(f"pct={share} is no percentage")
        for tag in ("rua", "ruf"):
            faults += [f"{tag} '{uri.strip()}' is no mailto: address" for uri in _uris(found, tag) if not _is_mailbox_uri(uri)]
    return faults


def _uris(found: dict[str, str], tag: str) -> list[str]:
    return found[tag].split(",") if found.get(tag) else []


def _is_mailbox_uri(uri: str) -> bool:
    return re.fullmatch(r"mailto:[^@\s]+@[^@\s]+", uri.strip().partition("!")[0], re.IGNORECASE) is not None


def dkim_faults(texts: Iterable[str]) -> list[str]:
    """Judge a DKIM key (RFC 6376 section 3.6.1) from the TXT records of a selector."""
    records = list(texts)
    if len(records) > 1:
        parts = sum("p" not in tags(record) for record in records)
        split = ": the key was cut into several records, where one record of several strings belongs" if parts else ""
        return [f"there are {len(records)} records, and a selector has one{split}"]
    faults = []
    for record in records:
        found = tags(record)
        if found.get("v", "DKIM1") != "DKIM1":
            faults.append(f"v={found['v']} is no version of DKIM")
        faults += key_faults(found) if "p" in found else ["it has no key (p=)"]
    return faults


def dkim_notes(texts: Iterable[str]) -> list[str]:
    """Return what is worth a word about a selector's key: shorter than is used today, or revoked."""
    records = [tags(text) for text in texts]
    return key_notes(records[0]) if len(records) == 1 else []


def report_domains(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the domains to which a DMARC record sends reports (RFC 7489 section 7.1), in small letters."""
    found = [tags(text) for text in texts if re.match(r"v\s*=\s*DMARC1\s*(;|$)", text)]
    uris = [uri for record in found for tag in ("rua", "ruf") for uri in _uris(record, tag) if _is_mailbox_uri(uri)]
    return tuple(dict.fromkeys(uri.strip().partition("!")[0].rpartition("@")[2].lower().rstrip(".") for uri in uris))


def announces_mta_sts(texts: Iterable[str]) -> bool:
    """Tell whether senders are told to fetch a policy (RFC 8461 section 3.1)."""
    return any(text.startswith("v=STSv1") for text in texts)


def mta_sts_faults(texts: Iterable[str]) -> list[str]:
    """Judge the MTA-STS announcement (RFC 8461 section 3.1) from the TXT records of ``_mta-sts``."""
    records = [text for text in texts if text.startswith("v=STSv1")]
    if len(records) > 1:
        return [f"there are {len(records)} records, and with more than one none counts"]
    return [
        "its id is not 1 to 32 letters and digits"
        for record in records
        if not re.fullmatch(r"[A-Za-z0-9]{1,32}", tags(record).get("id", ""))
    ]


def tls_report_faults(texts: Iterable[str]) -> list[str]:
    """Judge where TLS reports go (RFC 8460 section 3) from the TXT records of ``_smtp._tls``."""
    records = [text for text in texts if text.startswith("v=TLSRPTv1")]
    if len(records) > 1:
        return [f"there are {len(records)} records, and with more than one none counts"]
    faults = []
    for record in records:
        uris = _uris(tags(record), "rua")
        if not uris:
            faults.append("it says nowhere to report to (rua=)")
        faults += [
            f"'{uri.strip()}' is neither a mailto: nor an https: address"
            for uri in uris
            if not _is_mailbox_uri(uri) and not re.fullmatch(r"https://\S+", uri.strip(), re.IGNORECASE)
        ]
    return faults
