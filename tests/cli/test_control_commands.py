"""``mailname status``, ``notify``, ``retransfer``, ``reload``, ``publish``: orders to running servers."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.serving import PROGRAM, serving, until
from tests.engines.pair import PLAN
from tests.server.running import free_port, zone_text

from mailname.view.span import span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def mailname(*argv: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run([PROGRAM, *map(str, argv)], capture_output=True, text=True, timeout=60, check=False, env=environment)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Path]:
    """Run a primary of example.tech and a secondary zone whose primary is silent."""
    (tmp_path / "example.tech.zone").write_text(zone_text(1), encoding="utf-8")
    config = tmp_path / "server.toml"
    config.write_text(
        f"""listen = ["127.0.0.1:{free_port()}"]
state = "state"
control = "control"
[[zone]]
name = "example.tech"
role = "primary"
file = "example.tech.zone"
  [[zone.secondary]]
  address = "127.0.0.1"
  port = {free_port()}
[[zone]]
name = "alone.test"
role = "primary"
file = "example.tech.zone"
[[zone]]
name = "copy.test"
role = "secondary"
  [[zone.primary]]
  address = "127.0.0.1"
  port = {free_port()}
""",
        encoding="utf-8",
    )
    with serving(tmp_path, "--config", str(config)):
        yield tmp_path / "control"


def status(control: Path, *zone: str) -> dict[str, Any]:
    done = mailname("status", *zone, "--control", control, "--json")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


class TestStatus:
    def test_tells_what_is_held_and_what_is_wrong(self, control: Path) -> None:
        """Exit code 1 while a zone is not well."""
        until(lambda: status(control, "copy.test")["zones"][0]["last_failure"])
        until(lambda: status(control, "example.tech")["zones"][0]["secondaries"][0]["says"])
        until(lambda: status(control, "example.tech")["zones"][0]["secondaries"][0]["cause"])
        done = mailname("status", "--control", control)
        assert done.returncode == 1
        for words in (
            "2 not well",
            "example.tech primary serving 1 7",
            "copy.test secondary not loaded",
            "REPL-07 nothing-listens",
            "Start the server on 127.0.0.1",
            "has not acknowledged serial 1 yet",
        ):
            assert words in " ".join(done.stdout.split())
        assert status(control)["schema"] == "mailname.status/1"

    def test_of_a_zone_that_is_well_is_exit_0(self, control: Path) -> None:
        """So that a script can ask."""
        done = mailname("status", "alone.test", "--control", control)
        assert (done.returncode, "well" in done.stdout) == (0, True)

    @pytest.mark.parametrize(
        ("seconds", "text"), [(0, "0s"), (59.6, "1m"), (200, "3m 20s"), (86400 * 6 + 3600 * 4 + 5, "6d 4h"), (86405, "1d 5s")]
    )
    def test_spans_are_written_in_their_two_largest_units(self, seconds: float, text: str) -> None:
        """Nobody wants the seconds of a week."""
        assert span(seconds) == text


class TestHistory:
    def test_tells_what_happened(self, control: Path) -> None:
        """One line for each thing, however often it happened; the same as JSON."""
        until(lambda: status(control, "copy.test")["zones"][0]["last_failure"])
        done = mailname("history", "copy.test", "--control", control)
        assert done.returncode == 0
        assert "refresh failed (connection-refused)" in done.stdout
        told = json.loads(mailname("history", "--control", control, "--json").stdout)
        assert (told["schema"], told["kept"]) == ("mailname.history/1", str(control.parent / "state" / "history.sqlite"))
        peer = next(one["peer"] for one in told["events"] if one["zone"] == "copy.test.")
        of_peer = ("--peer", peer, "--most", "1", "--json", "--control", control)
        assert [one["peer"] for one in json.loads(mailname("history", *of_peer).stdout)["events"]] == [peer]
        assert "Nothing has happened" in mailname("history", "--peer", "192.0.2.99", "--control", control).stdout
        assert mailname("history", "other.test", "--control", control).returncode == 4


class TestOrders:
    def test_reload_takes_a_good_file_and_tells_of_a_bad_one(self, control: Path) -> None:
        """Exit codes 0 and 4; the place is told."""
        file = control.parent / "example.tech.zone"
        file.write_text(zone_text(2), encoding="utf-8")
        assert mailname("reload", "example.tech", "--control", control).returncode == 0
        assert status(control, "example.tech")["zones"][0]["serial"] == 2
        file.write_text(zone_text(3, "www A nonsense"), encoding="utf-8")
        done = mailname("reload", "--control", control)
        assert done.returncode == 4
        assert "example.tech.zone:9:7" in done.stderr
        assert status(control, "example.tech")["zones"][0]["serial"] == 2

    @pytest.mark.parametrize(("order", "says"), [("notify", "2 zone(s) notified"), ("retransfer", "1 zone(s) asked for")])
    def test_notify_and_retransfer(self, control: Path, order: str, says: str) -> None:
        """All zones of the right kind; another zone is told."""
        done = mailname(order, "--control", control)
        assert (done.returncode, done.stdout.strip()) == (0, says)
        assert json.loads(mailname(order, "--control", control, "--json").stdout)["schema"] == f"mailname.{order}/1"
        done = mailname(order, "other.test", "--control", control)
        assert done.returncode == 4
        assert "is not served here" in done.stderr

    def test_without_a_server_is_told(self, tmp_path: Path) -> None:
        """Exit code 4 and what to do."""
        done = mailname("status", "--control", tmp_path / "none")
        assert done.returncode == 4
        assert "no server listens on the control socket" in done.stderr


class TestPublish:
    def test_tells_who_does_not_have_it(self, control: Path) -> None:
        """Exit code 1: it is loaded, but not every server answers with it. Nobody here has the plan's addresses."""
        plan = control.parent / "plan.toml"
        plan.write_text(PLAN, encoding="utf-8")
        network = control.parent / "network.json"
        network.write_text('{"schema": "mailname.network/1", "places": [], "root_hints": []}', encoding="utf-8")
        options = (plan, "--control", control, "--network", network, "--wait", "0", "--json")
        refused = mailname("publish", *options)
        assert refused.returncode == 4 or json.loads(refused.stdout)["zones"]
        done = mailname("publish", *options, "--dry-run")
        assert json.loads(done.stdout)["published"] is False
        done = mailname("publish", *options, "--yes-really")
        told = json.loads(done.stdout)
        assert (done.returncode, told["published"]) == (1, True)
        assert all("cannot be reached" in one["says"] for one in told["servers"])
        assert status(control, "example.tech")["zones"][0]["serial"] == told["zones"][0]["serial"]


Kinds = tuple[type, ...]
NUMBER: Kinds = (int,)
TEXT: Kinds = (str,)
MAYBE: Kinds = (type(None),)
ZONE: dict[str, Kinds] = {"zone": TEXT, "role": TEXT, "state": TEXT, "serial": NUMBER + MAYBE, "records": NUMBER + MAYBE}
ZONE |= {
    "since": TEXT + MAYBE,
    "problem": (dict, *MAYBE),
    "cause": (dict, *MAYBE),
    "secondaries": (list,),
    "refused": (list,),
}
COPY: dict[str, Kinds] = {
    "primaries": (list,),
    "refresh_at": TEXT + MAYBE,
    "expires_at": TEXT + MAYBE,
    "confirmed_at": TEXT + MAYBE,
}
COPY |= {"busy": (bool,), "last_notify": (dict, *MAYBE), "last_transfer": (dict, *MAYBE), "last_failure": (dict, *MAYBE)}
FAILURE: dict[str, Kinds] = {
    "at": TEXT,
    "since": TEXT,
    "count": NUMBER,
    "peer": TEXT,
    "reason": TEXT,
    "says": TEXT,
    "remedy": TEXT,
}
FAILURE |= {"asked_from": TEXT + MAYBE, "offered_serial": NUMBER + MAYBE, "signed": (bool,)}
SECONDARY: dict[str, Kinds] = {"address": TEXT, "state": TEXT, "serial": NUMBER + MAYBE, "tries": NUMBER, "says": TEXT}
SECONDARY |= {"rival": (dict, *MAYBE), "fetched": (dict, *MAYBE), "refused": (dict, *MAYBE), "cause": (dict, *MAYBE)}
SECONDARY |= {"holds": (dict, *MAYBE)}
CAUSE: dict[str, Kinds] = {
    "code": TEXT,
    "cause": TEXT,
    "where": TEXT,
    "says": TEXT,
    "remedy": TEXT,
    "since": TEXT + MAYBE,
    "heard": (list,),
}
EVENT: dict[str, Kinds] = {
    "zone": TEXT,
    "peer": TEXT,
    "direction": TEXT,
    "what": TEXT,
    "kind": TEXT + MAYBE,
    "start": TEXT,
    "end": TEXT,
}
EVENT |= {"count": NUMBER, "serial_from": NUMBER + MAYBE, "serial_to": NUMBER + MAYBE, "messages": NUMBER, "records": NUMBER}
EVENT |= {"octets": NUMBER, "seconds": (float,), "result": TEXT, "says": TEXT, "remedy": TEXT, "key": TEXT + MAYBE}
EVENT |= {"known": (bool,)}


class TestSchema:
    """What programs read: names and kinds of values stay as they are within a version; new names may come."""

    @staticmethod
    def wrong(told: dict[str, Any], wanted: dict[str, Kinds]) -> list[str]:
        """Return the names that are missing or of another kind."""
        return [name for name, kinds in wanted.items() if not isinstance(told.get(name, ...), kinds)]

    def test_of_status_and_history(self, control: Path) -> None:
        """``mailname.status/1`` and ``mailname.history/1``, with a zone that fails and a secondary that is silent."""
        until(lambda: status(control, "copy.test")["zones"][0]["last_failure"])
        until(lambda: status(control, "example.tech")["zones"][0]["secondaries"][0]["cause"])
        told = status(control)
        zones = {one["zone"]: one for one in told["zones"]}
        copy, ours = zones["copy.test."], zones["example.tech."]
        assert [self.wrong(zone, ZONE) for zone in zones.values()] == [[], [], []]
        assert self.wrong(copy, COPY) + self.wrong(copy["last_failure"], FAILURE) == []
        assert self.wrong(copy["cause"], CAUSE) + self.wrong(ours["secondaries"][0]["cause"], CAUSE) == []
        assert self.wrong(ours["secondaries"][0], SECONDARY) == []
        assert told["history"].keys() == {"kept", "problem", "dropped"}
        history = json.loads(mailname("history", "--control", control, "--json").stdout)
        assert {tuple(self.wrong(event, EVENT)) for event in history["events"]} == {()}
