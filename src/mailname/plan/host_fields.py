"""What a plan says of the machines themselves: an administrator, his SSH keys, a time zone, what else may listen."""

from __future__ import annotations

import base64
import binascii
import re

from mailname.plan.fault import WrongValueError

_KEY_TYPES = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
_USER = r"[a-z_][a-z0-9_-]{0,31}"  # what useradd takes without asking


def read_user(text: str) -> str:
    """Return the name of a user; raises WrongValueError for what is none, and for root."""
    if text == "root":
        raise WrongValueError("root is no administrator's own account.", 'Write another name, as in "admin".')
    if not re.fullmatch(_USER, text):
        raise WrongValueError(f"'{text}' is no name of a user.", "Use small letters, digits, '-' and '_', at most 32.")
    return text


def read_ssh_key(text: str) -> str:
    """Return a public key as it stands in authorized_keys, without options; raises WrongValueError for what is none."""
    if "PRIVATE KEY" in text:
        raise WrongValueError("This is a private key, which belongs in no plan.", "Write the line of the file that ends in .pub.")
    kind, _, rest = text.strip().partition(" ")
    encoded, _, comment = rest.strip().partition(" ")
    if kind not in _KEY_TYPES or "\n" in text.strip():
        raise WrongValueError("This is no SSH public key.", 'Write the one line of a .pub file, as in "ssh-ed25519 AAAA... me".')
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        blob = b""
    if not blob.startswith(len(kind).to_bytes(4, "big") + kind.encode()):
        raise WrongValueError("This SSH public key is cut short or spoiled.", "Copy the whole line of the .pub file.")
    return " ".join(word for word in (kind, encoded, comment.strip()) if word)


def read_service(text: str) -> tuple[int, str]:
    """Return the port and the protocol of '443/tcp'; raises WrongValueError."""
    number, _, protocol = text.partition("/")
    if not number.isascii() or not number.isdecimal() or not 1 <= int(number) <= 65535 or protocol not in ("tcp", "udp"):
        raise WrongValueError(f"'{text}' is no port with its protocol.", 'Write it as in "443/tcp".')
    return int(number), protocol


def read_time_zone(text: str) -> str:
    """Return the name of a time zone, as in Europe/Berlin; raises WrongValueError for what cannot be one."""
    if not re.fullmatch(r"[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){0,2}", text):
        raise WrongValueError(f"'{text}' is no time zone.", 'Write its name as in "Europe/Berlin" or "Etc/UTC".')
    return text
