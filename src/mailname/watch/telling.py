"""Messages on their way: kept in the outbox until each channel has taken them, also when this process ends in between.

The mail server that should take a message may be the very one that is down: it is tried again, more and more rarely, for
three days. A message may arrive twice, when the process is killed just after it went; both then carry the same number.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.server.program import run_program
from mailname.watch.by_mail import mail_of, send_mail
from mailname.watch.by_webhook import post
from mailname.watch.message import Message

if TYPE_CHECKING:
    from mailname.watch.history import History, Waiting
    from mailname.watch.settings import Settings

log = logging.getLogger("mailname")

GIVEN_UP = 3 * 86400.0
_SOONEST, _RAREST = 60.0, 3600.0
_COMMAND_SECONDS = 60.0


@dataclass(slots=True)
class Telling:
    """The channels of the settings, and the outbox."""

    settings: Settings
    history: History

    @property
    def channels(self) -> tuple[str, ...]:
        """The ways that the settings have."""
        settings = self.settings
        ways = {"mail": settings.mail, "webhook": settings.webhook, "command": settings.command}
        return tuple(name for name, way in ways.items() if way is not None)

    def put(self, number: int, message: Message, at: float) -> None:
        """Put a message in the outbox of every channel; to be called within ``history.together``."""
        for channel in self.channels:
            self.history.send(number, channel, json.dumps(asdict(message), ensure_ascii=False), at)

    async def go(self, now: float, *, all_at_once: bool = False) -> int:
        """Send what is due, and return how many messages wait after it."""
        left = 0
        for waiting in self.history.outbox():
            if waiting.channel not in self.channels:
                log.warning("message %d: the settings have no %s any more; it is dropped", waiting.number, waiting.channel)
                self.history.sent(waiting)
            elif waiting.again > now and not all_at_once:
                left += 1
            else:
                left += not await self._sent(waiting, now)
        return left

    async def _sent(self, waiting: Waiting, now: float) -> bool:
        try:
            await self.say(waiting.channel, waiting.number, Message(**json.loads(waiting.message)), waiting.made)
        except HostError as error:
            if now - waiting.made >= GIVEN_UP:
                log.warning("message %d by %s is given up: %s", waiting.number, waiting.channel, error.problem)
                self.history.sent(waiting)
                return True
            log.warning("message %d waits: %s", waiting.number, error)
            self.history.not_sent(waiting, error.problem, now + min(_SOONEST * 2.0**waiting.tries, _RAREST))
            return False
        self.history.sent(waiting)
        return True

    async def say(self, channel: str, number: int, message: Message, made: float) -> None:
        """Send one message by one channel. Raises HostError: it was not taken."""
        settings = self.settings
        if channel == "mail" and settings.mail is not None:
            mail = mail_of(settings.mail, message, number, datetime.fromtimestamp(made, UTC))
            await asyncio.to_thread(send_mail, settings.mail, mail)
        elif channel == "webhook" and settings.webhook is not None:
            await asyncio.to_thread(post, settings.webhook, message, number)
        elif channel == "command" and settings.command is not None:
            await _run(settings.command.run, message)


async def _run(words: tuple[str, ...], message: Message) -> None:
    document = {**message.document, "subject": message.subject, "text": message.text}
    given = json.dumps(document, ensure_ascii=False).encode() + b"\n"
    try:
        ran = await run_program(*words, seconds=_COMMAND_SECONDS, given=given)
    except OSError as error:
        raise HostError(f"the command {words[0]} cannot be started: {error.strerror}", step="command") from error
    except TimeoutError:
        raise HostError(f"the command {words[0]} did not end within {_COMMAND_SECONDS:.0f} seconds", step="command") from None
    if ran.code:
        raise HostError(f"the command {words[0]} ended with {ran.code}: {ran.last_words}", step="command")
