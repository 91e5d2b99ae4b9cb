"""BIND judges what we read of its configuration and its zone files, and is what a domain is taken over from."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import dns.name
from click.testing import CliRunner, Result
from tests.cli.test_import_zones import NAMED, ZONE
from tests.cli.test_rehearse import mailname as rehearsed
from tests.interop.programs import need
from tests.interop.real_servers import Bind, Key, PrimaryZone

from mailname.cli.main import command
from mailname.plan import expand, load
from mailname.plan.names import say
from mailname.zone import Serial
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from pathlib import Path

KEY = Key("transfer.example.tech", "dGhpcyBzZWNyZXQgaXMgcHVibGljLCBvbmx5IGZvciB0ZXN0cw==")
MORE = """
shop    300 A   192.0.2.80
*.dyn   TXT     "anything" "in two strings"
sub     NS      ns.sub
ns.sub  A       192.0.2.98
"""


def mailname(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def placed(folder: Path) -> Path:
    """Put the hoster's files where their absolute paths lead, so that BIND's own programs can read them."""
    root = folder / "root"
    for source in sorted((NAMED / "hoster").rglob("*")):
        if source.is_file():
            target = root / source.relative_to(NAMED / "hoster")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(re.sub(r"(?<![\w.])/(etc|var)/", rf"{root}/\1/", source.read_text()))
    (root / "var/log/named").mkdir(parents=True)
    return root


class TestConfiguration:
    def test_is_read_as_bind_reads_it(self, tmp_path: Path) -> None:
        """named-checkconf lists the same zones, and named-compilezone makes of each file the zone that the plan means."""
        check, compile_zone = need("named-checkconf", "named-compilezone")
        root = placed(tmp_path)
        conf = root / "etc/bind/named.conf"
        loaded = subprocess.run([check, "-z", str(conf)], capture_output=True, text=True, check=False)
        assert loaded.returncode == 0, loaded.stdout + loaded.stderr
        listed = subprocess.run([check, "-l", str(conf)], capture_output=True, text=True, check=True).stdout.split("\n")
        theirs = {tuple(line.split()[:1]) for line in listed if re.search(r" external (primary|secondary|master|slave)$", line)}
        assert mailname("import", conf, "-o", tmp_path, "--yes").exit_code == 1  # partner.example has no file
        plans = {path.stem: path for path in tmp_path.glob("*.toml")}
        assert {name for (name,) in theirs} == {*plans, "partner.example", "113.0.203.in-addr.arpa"}
        files = {
            "hoster.example": "var/lib/bind/db.hoster.example",
            "customer-a.example": "var/lib/bind/customer-a.example.zone",
            "friend.example": "var/cache/bind/sec.friend.example",
        }
        for name, file in files.items():
            text = subprocess.run(
                [compile_zone, "-q", "-k", "ignore", "-i", "none", "-o", "-", name, str(root / file)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            zone = read_zone(text, "compiled", dns.name.from_text(name)).zone
            assert expand(load(plans[name].read_text(), name).plan, zone.serial) == zone


class TestTakingOver:
    def test_from_a_running_bind(self, tmp_path: Path) -> None:
        """Transferred with the key, proven, compared with what is served; and with a stranger's eyes, question by question."""
        key = tmp_path / "transfer.key"
        key.write_text(f'key "{KEY.name}" {{ algorithm {KEY.algorithm}; secret "{KEY.secret}"; }};\n')
        key.chmod(0o600)
        with Bind([PrimaryZone("example.tech.", ZONE + MORE, key=KEY)]) as bind:
            at = f"127.0.0.1:{bind.port}"
            refused = mailname("import", "--server", at, "--zone", "example.tech", "-o", tmp_path)
            assert refused.exit_code == 1
            assert "REFUSED" in refused.output
            result = mailname("import", "--server", at, "--zone", "example.tech", "--key", key, "-o", tmp_path)
            assert result.exit_code == 0, result.output
            plan = tmp_path / "example.tech.toml"
            same = mailname("show", plan, "--diff", at, "--key", key)
            assert f"Nothing: example.tech at {at} is what the plan means." in same.stdout, same.output
            asked = mailname("show", plan, "--diff", at)
            assert f"Nothing: example.tech at {at} is what the plan means." in asked.stdout, asked.output
            assert "gives no transfer (refused)" in asked.stderr
            plan.write_text(plan.read_text().replace("192.0.2.80", "192.0.2.81"))
            for words in ((), ("--key", key)):
                changed = mailname("show", plan, "--diff", at, *words).stdout
                assert re.search(r"- shop +300 +A +192\.0\.2\.80\n\+ shop +300 +A +192\.0\.2\.81", changed), changed
        serial = load(plan.read_text(), "x").plan
        assert say(expand(serial, Serial(2026112207)).soa_rdata.mname) == "ns2.example.tech"

    def test_gives_a_plan_that_is_well(self, tmp_path: Path) -> None:
        """The pair as the recipe sets it up, from BIND's configuration to a rehearsal of the whole journey."""
        root = NAMED / "recipe-primary"
        assert mailname("import", root / "etc/bind/named.conf", "--root", root, "-o", tmp_path).exit_code == 0
        (tmp_path / "tmp").mkdir()
        done = rehearsed(tmp_path / "tmp", "rehearse", str(tmp_path / "example.tech.toml"), "--json")
        assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "well")

    def test_from_a_server_that_is_not_there(self, tmp_path: Path) -> None:
        """It could not be found out: that is no difference."""
        (tmp_path / "example.tech.zone").write_text(ZONE)
        assert mailname("import", tmp_path / "example.tech.zone", "-o", tmp_path).exit_code == 0
        result = mailname("show", tmp_path / "example.tech.toml", "--diff", "127.0.0.1:1")
        assert result.exit_code != 0
        assert "Nothing" not in result.stdout
