"""``check --rdap URL|FILE``: which RDAP server tells of the domain's registration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

if TYPE_CHECKING:
    from dns.name import Name


def rdap_server(text: str, domain: Name) -> str:
    """Return the server's URL: as given, or as IANA's bootstrap file has it for the domain. Raises UsageError."""
    if text.startswith(("http://", "https://")):
        parts = urlsplit(text)
        if not parts.hostname or "@" in parts.netloc:
            raise click.BadParameter(f"'{text}' is no address of a server. Write https://rdap.example/.", param_hint="--rdap")
        return text
    from mailname.checks.rdap import base_for

    try:
        found = base_for(Path(text).read_bytes(), domain)
    except OSError as error:
        raise click.BadParameter(
            f"'{text}' is neither a URL (https://...) nor a file that can be read: {error.strerror}.", param_hint="--rdap"
        ) from error
    except ValueError as error:
        raise click.BadParameter(
            f"'{text}' is no bootstrap file: {error}. IANA has it at https://data.iana.org/rdap/dns.json.", param_hint="--rdap"
        ) from error
    if found is None:
        raise click.BadParameter(f"{text} knows no RDAP server for {domain}; name one with --rdap URL.", param_hint="--rdap")
    return found
