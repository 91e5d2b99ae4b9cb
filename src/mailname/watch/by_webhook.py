"""A word by webhook: an HTTP POST of the message as JSON. The address and the token may be secrets: no error tells them."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailname.errors import HostError
from mailname.watch.settings import check_url, read_secret

if TYPE_CHECKING:
    from mailname.watch.message import Message
    from mailname.watch.settings import WebhookTable

SECONDS = 30.0


def post(settings: WebhookTable, message: Message, number: int) -> None:
    """Post it; in a thread, for it waits. No redirection is followed. Raises HostError: it was not answered with 2xx."""
    url = settings.url or (read_secret(settings.url_file) if settings.url_file else "")
    try:
        check_url(url)
    except ValueError as error:
        raise HostError(f"the webhook's address cannot be used: {error}", step="webhook") from None
    parts = urlsplit(url)
    host = parts.hostname or ""
    document = {**message.document, "subject": message.subject, "text": message.text}
    headers = {"Content-Type": "application/json", "User-Agent": "mailname", "Idempotency-Key": f"mailname-watch-{number}"}
    if settings.token_file is not None:
        headers["Authorization"] = f"Bearer {read_secret(settings.token_file)}"
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, parts.port, timeout=SECONDS, context=ssl.create_default_context())
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=SECONDS)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, json.dumps(document, ensure_ascii=False).encode(), headers)
        status = connection.getresponse().status
    except (http.client.HTTPException, OSError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise HostError(f"the webhook at {host} did not take the message: {why}", step="webhook") from None
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise HostError(f"the webhook at {host} answered with the status {status}", step="webhook")
