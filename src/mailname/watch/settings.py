"""How the word is said: the settings file of ``mailname watch``, every mistake with its place. Secrets are files of mode 600."""

from __future__ import annotations

from datetime import time
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from mailname.errors import HostError
from mailname.plan.duration import read_seconds
from mailname.plan.fault import WrongValueError
from mailname.server.config_text import Contradiction, read_toml_as
from mailname.watch.quiet_hours import QuietHours
from mailname.watch.transitions import Damping

_MOST_SECRET = 65536  # octets


def _seconds(value: object) -> object:
    try:
        return read_seconds(value)
    except WrongValueError as error:
        raise ValueError(str(error)) from error


def _mailbox(value: object) -> object:
    if not isinstance(value, str):
        return value
    name, at, domain = value.rpartition("@")
    if (
        not at
        or not name
        or not domain
        or any(letter.isspace() or not letter.isprintable() or letter in "<>," for letter in value)
    ):
        raise ValueError("it is no mail address, such as me@example.org")
    return value


def _time(value: object) -> object:
    if isinstance(value, str):
        try:
            return time.fromisoformat(value)
        except ValueError as error:
            raise ValueError("it is no time of day, such as 22:00") from error
    return value


def _zone(value: object) -> object:
    try:
        return ZoneInfo(value) if isinstance(value, str) else value
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("it is no time zone, such as Europe/Berlin") from error


def check_url(text: str) -> None:
    """See that a webhook's address can be used. Raises ValueError, without the address: it may be a secret."""
    parts = urlsplit(text)
    usable = parts.port != 0 and parts.hostname and "@" not in parts.netloc and text.isprintable() and text.isascii()
    if parts.scheme not in ("http", "https") or not parts.hostname or not usable:
        raise ValueError("it is no address such as https://hooks.example.org/...")
    if parts.scheme == "http" and not _is_here(parts.hostname):
        raise ValueError("over http everybody on the way reads it; write https://")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_STRICT = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True)
Seconds = Annotated[int, BeforeValidator(_seconds)]
_SecretFile = Annotated[Path, Field(strict=False)]
Mailbox = Annotated[str, BeforeValidator(_mailbox)]


class MailTable(BaseModel):
    """By mail, handed to one SMTP server (RFC 5321)."""

    model_config = _STRICT
    server: str = Field(min_length=1)
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_file: _SecretFile | None = None
    sender: Mailbox = Field(alias="from")
    to: tuple[Mailbox, ...]


class WebhookTable(BaseModel):
    """By an HTTP POST of the message as JSON."""

    model_config = _STRICT
    url: str | None = None
    url_file: _SecretFile | None = None
    token_file: _SecretFile | None = None


class CommandTable(BaseModel):
    """By a program of one's own, which gets the message as JSON on its standard input."""

    model_config = _STRICT
    run: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1)


class QuietTable(BaseModel):
    """When nothing is said."""

    model_config = _STRICT
    start: Annotated[time, BeforeValidator(_time)] = Field(alias="from")
    until: Annotated[time, BeforeValidator(_time)]
    time_zone: Annotated[ZoneInfo, BeforeValidator(_zone)] = ZoneInfo("UTC")
    wake_when_broken: bool = True


class DampingTable(BaseModel):
    """How long something must be so before a word is said."""

    model_config = _STRICT
    confirm: Seconds = Field(default=60, ge=1, le=86400)
    longest: Seconds = Field(default=6 * 3600, ge=1, le=7 * 86400)


class Settings(BaseModel):
    """All of it. Without a way nothing is said but on the terminal, and the history is kept."""

    model_config = _STRICT
    mail: MailTable | None = None
    webhook: WebhookTable | None = None
    command: CommandTable | None = None
    quiet: QuietTable | None = None
    damping: DampingTable = DampingTable()

    def quiet_hours(self) -> QuietHours | None:
        """Return the hours in which nothing is said."""
        quiet = self.quiet
        return QuietHours(quiet.start, quiet.until, quiet.time_zone, quiet.wake_when_broken) if quiet else None

    def damped(self) -> Damping:
        """Return how soon and how often a word is said."""
        return Damping(float(self.damping.confirm), float(self.damping.longest))


def read_settings(file: Path) -> Settings:
    """Read the file; what it names lies relative to it.

    Raises:
        PlanError: every mistake.
        HostError: it cannot be read.

    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise HostError(f"cannot read the settings {file}: {why}", step="settings") from error
    read = read_toml_as(Settings, text, str(file), _contradictions)
    if read.webhook is not None and read.webhook.url is not None and file.stat().st_mode & 0o077:
        raise HostError(
            f"others can read {file}, and a webhook's address is often all that is needed to use it",
            remedy=f"chmod 600 {file}, or write url_file.",
            step="settings",
        )
    top = file.parent
    mail, hook = read.mail, read.webhook
    if mail is not None and mail.password_file is not None:
        mail = mail.model_copy(update={"password_file": top / mail.password_file})
    if hook is not None:
        files: dict[str, Any] = {"url_file": hook.url_file, "token_file": hook.token_file}
        hook = hook.model_copy(update={key: top / value for key, value in files.items() if value is not None})
    return read.model_copy(update={"mail": mail, "webhook": hook})


def _contradictions(read: Settings) -> list[Contradiction]:
    wrong: list[Contradiction] = []
    if read.webhook is not None and (read.webhook.url is None) == (read.webhook.url_file is None):
        wrong.append((("webhook",), "a webhook has one address", "Write url, or url_file where the address is a secret."))
    if read.webhook is not None and read.webhook.url is not None:
        try:
            check_url(read.webhook.url)
        except ValueError as error:  # told without the address, which may be a secret
            wrong.append((("webhook", "url"), f"this cannot be the webhook's address: {error}", "Correct it."))
    mail = read.mail
    if mail is not None and not mail.to:
        wrong.append((("mail", "to"), "nobody is to get the mail", 'Write to = ["you@another-provider.example"].'))
    if mail is not None and (mail.user is None) != (mail.password_file is None):
        wrong.append((("mail",), "user and password_file belong together", "Write both, or none."))
    if mail is not None and mail.user is not None and mail.security == "none":
        wrong.append((("mail", "security"), "a password is not sent in the clear", 'Write "starttls" or "tls".'))
    if read.quiet is not None and read.quiet.start == read.quiet.until:
        wrong.append((("quiet", "until"), "quiet hours that end when they begin", "Write another time."))
    return wrong


def read_secret(file: Path) -> str:
    """Read a secret, one line. Raises HostError: it cannot be read, or others can read it; never with the secret."""
    try:
        mode = file.stat().st_mode
        with file.open(encoding="utf-8") as opened:
            text = opened.read(_MOST_SECRET).strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise HostError(f"cannot read {file}: {why}", step="settings") from error
    if mode & 0o077:
        raise HostError(f"others can read {file}", remedy=f"chmod 600 {file}", step="settings")
    if not text or not text.isprintable():
        raise HostError(f"{file} does not hold one line of text", step="settings")
    return text
