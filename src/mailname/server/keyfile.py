"""TSIG keys on disk: BIND's key clause in a file that only its owner can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.server.atomic import create_secret, write_atomic
from mailname.wire.tsig_key import Key, key_text, make_key, parse_keys

if TYPE_CHECKING:
    from pathlib import Path

    from dns.name import Name


def make_key_file(path: Path, name: Name, algorithm: str = "hmac-sha256") -> None:
    """Make a new secret and write it to a file of mode 600, which must not exist yet."""
    create_secret(path, key_text(make_key(name, algorithm)).encode())


def replace_keys(path: Path, keys: tuple[Key, ...]) -> None:
    """Replace what a key file holds; it stays its owner's, and nobody else's to read. Raises HostError."""
    try:
        was = path.stat()
    except OSError as error:
        raise HostError(f"cannot replace the key file {path}: {error.strerror}", step="key") from error
    write_atomic(path, "\n".join(map(key_text, keys)).encode(), mode=0o600, owner=(was.st_uid, was.st_gid))


def load_key_file(path: Path) -> Key:
    """Read a key, the first of several. Raises what ``load_keys`` does."""
    return load_keys(path)[0]


def load_keys(path: Path) -> tuple[Key, ...]:
    """Read the keys of a file. Refuses a file that others can read: a secret that others know is none.

    Raises:
        HostError: with the reason; never with the secret.

    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except OSError as error:
        problem = f"cannot read the key file {path}: {error.strerror}"
        raise HostError(problem, remedy="Make one: mailname key make NAME", step="key") from error
    except UnicodeDecodeError as error:
        raise HostError(f"the key file {path} is not text", remedy="Make one: mailname key make NAME", step="key") from error
    if mode & 0o077:
        raise HostError(f"others can read the key file {path}", remedy=f"chmod 600 {path}", step="key")
    try:
        return parse_keys(text)
    except ValueError as error:
        raise HostError(f"the key file {path} cannot be used: {error}", step="key") from error
