"""A word by mail, handed to one SMTP server (RFC 5321), with TLS unless the settings say otherwise."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.watch.settings import read_secret

if TYPE_CHECKING:
    from datetime import datetime

    from mailname.watch.message import Message
    from mailname.watch.settings import MailTable

SECONDS = 30.0  # for each answer of the server


def mail_of(settings: MailTable, message: Message, number: int, made: datetime) -> EmailMessage:
    """Return the mail; sent twice, it has the same Message-ID."""
    mail = EmailMessage()
    mail["Subject"] = message.subject
    mail["From"] = settings.sender
    mail["To"] = ", ".join(settings.to)
    mail["Date"] = format_datetime(made)
    domain = settings.sender.rpartition("@")[2]
    mail["Message-ID"] = f"<mailname-watch-{number}-{made.timestamp():.0f}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5: nobody's holiday answers
    mail.set_content(message.text)
    return mail


def send_mail(settings: MailTable, mail: EmailMessage) -> None:
    """Hand it over; in a thread, for it waits. Raises HostError: not every recipient was taken."""
    where = f"{settings.server} port {settings.port}"
    try:
        with _connected(settings) as server:
            if settings.user is not None and settings.password_file is not None:
                server.login(settings.user, read_secret(settings.password_file))
            refused = server.send_message(mail)
    except (smtplib.SMTPException, OSError) as error:
        raise HostError(f"{where} did not take the mail: {_why(error)}", step="mail") from None
    if refused:
        raise HostError(f"{where} did not take the mail for {', '.join(refused)}", step="mail")


def _connected(settings: MailTable) -> smtplib.SMTP:
    if settings.security == "tls":
        return smtplib.SMTP_SSL(settings.server, settings.port, timeout=SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(settings.server, settings.port, timeout=SECONDS)
    try:
        if settings.security == "starttls":
            server.starttls(context=ssl.create_default_context())
    except BaseException:
        server.close()
        raise
    return server


def _why(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        # An answer to AUTH may have what was sent in it.
        text = (
            ""
            if isinstance(error, smtplib.SMTPAuthenticationError)
            else said.decode("utf-8", "replace")
            if isinstance(said, bytes)
            else said
        )
        return f"{error.smtp_code} {text or 'to the password'}".strip()
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"it refused {', '.join(error.recipients)}"
    return str(error) or type(error).__name__
