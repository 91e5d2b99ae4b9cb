"""Names in a plan: the domain, host names, owners of records, and the contact's mailbox.

A name with a dot in it is a full name, a name without one stands in the domain, and ``@`` is the domain itself; so no trailing
dot is ever needed, and none can be forgotten. Names that are not ASCII are taken as IDNA2008 U-labels and used as A-labels.
"""

from __future__ import annotations

import difflib
import re

import dns.name
import idna
from dns.name import Name

from mailname.plan.address import is_address
from mailname.plan.fault import WrongValueError

_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_OWNER_LABEL = re.compile(r"[A-Za-z0-9_/-]{1,63}|\*")


def read_domain(text: str) -> Name:
    """Read the name of the zone: at least two labels, none of them odd."""
    if match := re.fullmatch(r"(?:[a-z]+:)?//([^/]+).*", text):
        raise WrongValueError(f"'{text}' is a web address, not a domain.", f'Write "{match[1]}".', instead=match[1])
    if "@" in text:
        after = text.rpartition("@")[2]
        raise WrongValueError(f"'{text}' is a mailbox, not a domain.", f'Write "{after}".', instead=after)
    if is_address(text):
        raise WrongValueError(f"{text} is an address, not a domain.", 'Write the name, as in "example.tech".')
    labels = _labels(text, "domain")
    if len(labels) < 2:
        raise WrongValueError(
            f"'{text}' is a top-level domain, not a domain that you can register.",
            f'Write the whole name, as in "example.{text.rstrip(".")}".',
        )
    if labels[-1] == "arpa":
        raise WrongValueError(
            f"'{text}' is a reverse zone.", "Write the domain of your mail here, and give the prefix as [[reverse_zone]]."
        )
    if labels[-1].isdigit():
        raise WrongValueError(f"'{text}' ends in a number, as no domain does.", 'Write the name, as in "example.tech".')
    return _host(text, labels)


def read_host(text: str, domain: Name) -> Name:
    """Read the name of a host, as MX and NS name one: letters, digits and hyphens (RFC 1123 section 2.1)."""
    if text == "@":
        return domain
    if is_address(text):
        raise WrongValueError(
            f"'{text}' is an address; a name is needed here.",
            "Name the host, and give the address in its addresses.",
        )
    labels = _labels(text, "host name")
    if "_" in text:
        fixed = text.replace("_", "-")
        raise WrongValueError(
            f"'{text}' is not a host name: '_' may not stand in one.", f'Write for instance "{fixed}".', instead=fixed
        )
    if "*" in text:
        raise WrongValueError(f"'{text}' is a wildcard, not a host.", "Name one host.")
    return _completed(text, _host(text, labels), domain)


def read_owner(text: str, domain: Name) -> Name:
    """Read the owner of a record; service labels (_dmarc) and wildcards are allowed, names outside the domain are not."""
    if text == "@":
        return domain
    labels = _labels(text, "name")
    for number, label in enumerate(labels):
        if not _OWNER_LABEL.fullmatch(label) or (label == "*" and number):
            raise WrongValueError(
                f"'{text}' is not a name: '{label}' cannot be a label here.", "Use letters, digits, '-' and '_'."
            )
    owner = _completed(text, _name(text, labels), domain)
    if not owner.is_subdomain(domain):
        tail = domain.to_text(omit_final_dot=True)
        meant = f"{text.rstrip('.')}.{tail}"
        head, ending = labels[: 1 - len(domain.labels)], ".".join(labels[1 - len(domain.labels) :])
        if difflib.SequenceMatcher(None, ending, tail).ratio() > 0.8:  # the domain, misspelt
            meant = ".".join([*head, tail])
        raise WrongValueError(
            f"'{text}' is outside the domain {tail}.",
            f'A name with a dot is a full name. Did you mean "{meant}"?',
            instead=meant,
        )
    return owner


def read_mailbox(text: str) -> Name:
    """Turn a mailbox into the name that stands in the SOA (RFC 1035 section 8): dots before the @ belong to one label."""
    if match := re.fullmatch(r".*<([^<>@\s]+@[^<>@\s]+)>\s*", text):
        raise WrongValueError(
            f"'{text}' is a mailbox with a person's name.", f'Write the mailbox alone: "{match[1]}".', instead=match[1]
        )
    local, at, host = text.rpartition("@")
    if not at:
        guess = text.rstrip(".").replace(".", "@", 1)
        hint = f'Did you mean "{guess}"?' if "." in text.rstrip(".") else 'Write a mailbox, as in "hostmaster@example.tech".'
        raise WrongValueError(f"'{text}' is not a mailbox: it has no @.", hint)
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", local) or len(local) > 63:
        raise WrongValueError(
            f"'{local}' cannot stand before the @ of the contact.",
            "Use at most 63 plain letters, digits, and single dots between them.",
        )
    if is_address(host):
        raise WrongValueError(f"'{host}' is an address; a contact has a name after the @.", 'As in "hostmaster@example.tech".')
    labels = _labels(host, "mail domain")
    try:
        return Name((local.encode(), *_host(host, labels).labels))
    except dns.name.NameTooLong:
        raise WrongValueError(f"'{text}' is too long for the SOA record.", "Use a shorter mailbox.") from None


def complete(name: Name, domain: Name) -> Name:
    """Make a relative name absolute by the plan's rule: one label stands in the domain, several are a full name."""
    if name.is_absolute():
        return name
    return name.concatenate(domain if len(name.labels) <= 1 else dns.name.root)


def say(name: Name) -> str:
    """Write a name as people do: no final dot, and the U-labels beside the A-labels where they differ."""
    return name.to_text(omit_final_dot=True)


def _completed(text: str, absolute: Name, domain: Name) -> Name:
    if "." in text:
        return absolute
    try:
        return absolute.relativize(dns.name.root).concatenate(domain)
    except dns.name.NameTooLong:
        raise WrongValueError(f"'{text}' is too long.", "A whole name has at most 253 characters.") from None


def _labels(text: str, kind: str) -> list[str]:
    """Split into A-labels; what stays out of the way of nobody is checked by the callers."""
    article = "an" if kind[0] in "aeiou" else "a"
    bare = text.removesuffix(".")
    if not bare.strip():
        raise WrongValueError(f"This is empty; {article} {kind} is needed.", 'As in "example.tech".')
    if bare != bare.strip() or re.search(r"\s", bare):
        fixed = re.sub(r"\s+", "", text)
        raise WrongValueError(
            f"'{text}' is not {article} {kind}: it has a space in it.", f'Did you mean "{fixed}"?', instead=fixed
        )
    labels = []
    for label in re.split(r"[.\u3002\uff0e\uff61]", bare):
        if not label:
            fixed = re.sub(r"\.+", ".", text).strip(".")
            raise WrongValueError(
                f"'{text}' is not {article} {kind}: it has an empty label.", f'Did you mean "{fixed}"?', instead=fixed
            )
        labels.append(_a_label(label, text, kind))
    return labels


def _a_label(label: str, text: str, kind: str) -> str:
    article = "an" if kind[0] in "aeiou" else "a"
    try:
        if not label.isascii():
            return idna.encode(label, uts46=True, std3_rules=True).decode()
        if label.lower().startswith("xn--"):
            idna.ulabel(label)
    except idna.IDNAError as error:
        raise WrongValueError(
            f"'{text}' is not {article} {kind}: '{label}' is not allowed by IDNA2008 ({_plain(error)}).",
            "Write it as your registrar shows it, or in its xn-- form.",
        ) from None
    if len(label) > 63:
        raise WrongValueError(f"'{text}' is not {article} {kind}: a label has more than 63 characters.", "Use a shorter name.")
    return label


def _plain(error: idna.IDNAError) -> str:
    return str(error).rstrip(".")


def _host(text: str, labels: list[str]) -> Name:
    for label in labels:
        if not _HOST_LABEL.fullmatch(label):
            odd = next((c for c in label if not (c.isascii() and (c.isalnum() or c == "-"))), None)
            why = f"'{odd}' may not stand in one" if odd else f"'{label}' begins or ends with a hyphen"
            raise WrongValueError(f"'{text}' is not a host name: {why}.", "Use letters, digits and hyphens between them.")
    return _name(text, labels)


def _name(text: str, labels: list[str]) -> Name:
    try:
        return Name((*(label.encode() for label in labels), b""))
    except dns.name.NameTooLong:
        raise WrongValueError(f"'{text}' is too long.", "A whole name has at most 253 characters.") from None
