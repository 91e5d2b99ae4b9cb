"""The word arrives: by mail, by webhook, by a command; what is refused waits; no secret is told."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.server.tls_certificates import Certificates
from tests.watch.receivers import Hook, Mailbox, listening

from mailname.errors import HostError
from mailname.watch.history import FILE, History
from mailname.watch.message import Message, trial_message
from mailname.watch.settings import Settings, read_settings
from mailname.watch.telling import GIVEN_UP, Telling

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
NOW = 1_800_000_000.0
SECRET = "correct-horse"
HELLO = trial_message(["example.tech"], datetime.fromtimestamp(NOW, UTC))


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = History(tmp_path / FILE)
    yield opened
    opened.close()


def settings(folder: Path, text: str) -> Settings:
    (folder / "watch.toml").write_text(text)
    (folder / "watch.toml").chmod(0o600)
    secret = folder / "secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o600)
    return read_settings(folder / "watch.toml")


def mail(port: int, more: str = 'security = "none"', server: str = "127.0.0.1") -> str:
    return f'[mail]\nserver = "{server}"\nport = {port}\nfrom = "watch@example.net"\nto = ["me@example.org"]\n{more}\n'


def put(telling: Telling, message: Message = HELLO) -> None:
    with telling.history.together():
        telling.put(7, message, NOW)


class TestMail:
    async def test_is_taken_whole(self, tmp_path: Path, history: History) -> None:
        """Subject, sender, recipients, text; and no robot answers it. RFC 3834 section 5."""
        box = Mailbox()
        async with listening(box) as port:
            telling = Telling(settings(tmp_path, mail(port)), history)
            put(telling, Message("ns2 does not answer\N{HORIZONTAL ELLIPSIS}", ".\nA line.\n..\n", {}))
            assert await telling.go(NOW) == 0
        (got,) = box.mails
        assert (got["Subject"], got["To"], got["Auto-Submitted"]) == ("ns2 does not answer…", "me@example.org", "auto-generated")
        assert got.get_content().replace("\r\n", "\n") == ".\nA line.\n..\n"
        assert "mailname-watch-7" in got["Message-ID"]
        assert history.outbox() == []

    async def test_goes_over_tls_with_a_password_that_nobody_reads(
        self, tmp_path: Path, history: History, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """STARTTLS is insisted on, the certificate is looked at, and a server that repeats the password is not repeated."""
        made = Certificates(tmp_path)
        files = made.sign("box", names="DNS:localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
        box = Mailbox(tls=context, password=SECRET)
        async with listening(box) as port:
            told = settings(tmp_path, mail(port, 'user = "watch"\npassword_file = "secret"', "localhost"))
            telling = Telling(told, history)
            put(telling)
            assert await telling.go(NOW) == 1  # nobody whom we trust has signed it
            assert not any(line.startswith("AUTH") for line in box.commands)
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
            box.password = "another"
            assert await telling.go(NOW + 600) == 1
            (waiting,) = history.outbox()
            assert "535" in waiting.problem
            box.password = SECRET
            assert await telling.go(NOW + 6000) == 0
        assert [one["Subject"] for one in box.mails] == ["mailname watch: a test"]
        said = caplog.text + waiting.problem
        assert SECRET not in said
        assert "AUTH" not in said

    async def test_that_is_refused_waits_longer_each_time_and_is_given_up_at_last(
        self, tmp_path: Path, history: History, caplog: pytest.LogCaptureFixture
    ) -> None:
        box = Mailbox(refuses=("DATA",))
        async with listening(box) as port:
            telling = Telling(settings(tmp_path, mail(port)), history)
            put(telling)
            waits = []
            at = NOW
            for _ in range(9):
                assert await telling.go(at) == 1
                (waiting,) = history.outbox()
                assert await telling.go(at) == 1, "it is not due again at once"
                waits.append(waiting.again - at)
                at = waiting.again
            assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
            assert "450 not now" in waiting.problem
            assert await telling.go(NOW + GIVEN_UP) == 0
        assert "given up" in caplog.text
        assert history.outbox() == []

    async def test_to_a_server_that_is_down_waits(self, tmp_path: Path, history: History) -> None:
        box = Mailbox()
        async with listening(box) as port:
            pass
        telling = Telling(settings(tmp_path, mail(port)), history)
        put(telling)
        assert await telling.go(NOW) == 1
        assert "127.0.0.1" in history.outbox()[0].problem


class TestWebhook:
    async def test_gets_the_message_as_json_with_its_token(self, tmp_path: Path, history: History) -> None:
        hook = Hook()
        async with listening(hook) as port:
            url = f"http://127.0.0.1:{port}/hooks/abc?room=7"
            telling = Telling(settings(tmp_path, f'[webhook]\nurl = "{url}"\ntoken_file = "secret"\n'), history)
            put(telling)
            assert await telling.go(NOW) == 0
        ((line, headers, document),) = hook.posts
        assert line == "POST /hooks/abc?room=7 HTTP/1.1"
        assert headers["authorization"] == f"Bearer {SECRET}"
        assert (document["schema"], document["event"], document["domains"]) == ("mailname.watch/1", "test", ["example.tech"])

    async def test_that_says_no_waits_and_its_address_is_not_told(
        self, tmp_path: Path, history: History, caplog: pytest.LogCaptureFixture
    ) -> None:
        """No redirection is followed, either: the message goes where its owner said."""
        hook = Hook(status="302 Found")
        async with listening(hook) as port:
            (tmp_path / "where").write_text(f"http://127.0.0.1:{port}/{SECRET}\n")
            (tmp_path / "where").chmod(0o600)
            telling = Telling(settings(tmp_path, '[webhook]\nurl_file = "where"\n'), history)
            put(telling)
            assert await telling.go(NOW) == 1
        assert history.outbox()[0].problem == "the webhook at 127.0.0.1 answered with the status 302"
        assert SECRET not in caplog.text


class TestCommand:
    async def test_reads_the_message(self, tmp_path: Path, history: History) -> None:
        program = f"import sys; open({str(tmp_path / 'got')!r}, 'w').write(sys.stdin.read())"
        telling = Telling(settings(tmp_path, f"[command]\nrun = {json.dumps([sys.executable, '-c', program])}\n"), history)
        put(telling)
        assert await telling.go(NOW) == 0
        assert json.loads((tmp_path / "got").read_text())["subject"] == "mailname watch: a test"

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            (["/nowhere/tell"], "cannot be started: No such file"),
            ([sys.executable, "-c", "raise SystemExit('no line')"], "ended with 1: no line"),
        ],
    )
    async def test_that_fails_is_run_again_later(self, tmp_path: Path, history: History, words: list[str], why: str) -> None:
        telling = Telling(settings(tmp_path, f"[command]\nrun = {json.dumps(words)}\n"), history)
        put(telling)
        assert await telling.go(NOW) == 1
        assert why in history.outbox()[0].problem


class TestChannels:
    async def test_do_not_wait_for_each_other(self, tmp_path: Path, history: History, caplog: pytest.LogCaptureFixture) -> None:
        """One that is down keeps its message; the other has gone, and does not go twice."""
        hook = Hook()
        caplog.set_level(logging.WARNING)
        async with listening(hook) as port:
            text = f'[webhook]\nurl = "http://127.0.0.1:{port}/"\n[command]\nrun = ["/nowhere/tell"]\n'
            telling = Telling(settings(tmp_path, text), history)
            put(telling)
            assert await telling.go(NOW) == 1
            assert await telling.go(NOW + 60) == 1
            assert len(hook.posts) == 1
        assert [one.channel for one in history.outbox()] == ["command"]
        assert await Telling(settings(tmp_path, mail(1)), history).go(NOW + 999) == 0
        assert "the settings have no command any more" in caplog.text

    async def test_a_message_that_is_being_sent_holds_nobody_up(self, tmp_path: Path, history: History) -> None:
        """A server that accepts and says nothing is waited for in a thread."""
        connected, ended = asyncio.Event(), asyncio.Event()

        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected.set()
            await ended.wait()
            writer.close()

        listener = await asyncio.start_server(mute, "127.0.0.1", 0)
        async with listener:
            telling = Telling(settings(tmp_path, mail(listener.sockets[0].getsockname()[1])), history)
            put(telling)
            going = asyncio.ensure_future(telling.go(NOW))
            await connected.wait()
            assert not going.done()
            ended.set()
            assert await going == 1


class TestSettings:
    def test_of_the_document_are_settings(self, tmp_path: Path) -> None:
        """What docs/watch.md shows can be copied."""
        page = (ROOT / "docs/watch.md").read_text(encoding="utf-8")
        read = settings(tmp_path, page.partition("```toml\n")[2].partition("```")[0])
        assert read.mail is not None
        assert read.webhook is not None
        assert read.webhook.url_file == tmp_path / "webhook-url"
        assert read.quiet_hours() is not None
        assert read.damped() == Settings().damped()

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ('[mail]\nserver = "x.example"\nfrom = "a@b"\nto = []\n', "nobody"),
            (mail(25, 'security = "none"\nuser = "me"\npassword_file = "secret"'), "not sent in the clear"),
            (mail(25, 'user = "me"'), "belong together"),
            (mail(25).replace("me@example.org", "me at home"), "no mail address"),
            ("[webhook]\n", "one address"),
            ('[webhook]\nurl = "http://hooks.example.org/x"\n', "write https://"),
            ('[webhook]\nurl = "file:///etc/passwd"\n', "cannot be the webhook's address"),
            ('[quiet]\nfrom = "22:00"\nuntil = "22:00"\n', "end when they begin"),
            ('[quiet]\nfrom = "late"\nuntil = "07:00"\n', "no time of day"),
            ('[quiet]\nfrom = "22:00"\nuntil = "07:00"\ntime_zone = "Berlin"\n', "no time zone"),
            ('[damping]\nconfirm = "soon"\n', "not a time"),
            ("[mial]\n", "Did you mean 'mail'?"),
        ],
    )
    def test_that_are_wrong_are_told_with_their_place(self, tmp_path: Path, text: str, why: str) -> None:
        from mailname.errors import PlanError

        with pytest.raises(PlanError) as told:
            settings(tmp_path, text)
        assert why in str(told.value)
        assert "watch.toml:" in str(told.value)

    def test_secret_that_others_can_read_is_none(self, tmp_path: Path, history: History) -> None:
        read = settings(tmp_path, '[webhook]\nurl_file = "secret"\n')
        (tmp_path / "secret").chmod(0o644)
        telling = Telling(read, history)
        with pytest.raises(HostError, match="others can read"):
            asyncio.run(telling.say("webhook", 1, HELLO, NOW))
        (tmp_path / "watch.toml").write_text('[webhook]\nurl = "https://hooks.example.org/x"\n')
        (tmp_path / "watch.toml").chmod(0o644)
        with pytest.raises(HostError, match="chmod 600"):
            read_settings(tmp_path / "watch.toml")
