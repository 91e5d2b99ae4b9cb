"""The server's configuration: every mistake at once, each with its place."""

from __future__ import annotations

import subprocess
import sys
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import dns.name
import pytest

from mailname.errors import HostError, PlanError
from mailname.server.config import config_for_folder, own_address, parse_endpoint
from mailname.server.config_file import load_config
from mailname.server.folder_reading import list_files
from mailname.server.keyfile import make_key_file
from mailname.server.network import Endpoint
from mailname.server.tls import TlsFiles
from mailname.transfer.actions import Peer, PeerTls
from mailname.wire.tsig_key import key_text, make_key

if TYPE_CHECKING:
    from pathlib import Path

KEY = dns.name.from_text("transfer.example.tech")
GOOD = """
listen = ["127.0.0.1:5300", "[::1]:5300"]
state = "state"
control = "control.sock"
[[key]]
file = "transfer.key"
[[zone]]
name = "example.tech"
role = "primary"
file = "zones/example.tech.zone"
allow_transfer = ["192.0.2.0/24"]
  [[zone.secondary]]
  address = "192.0.2.1"
  key = "transfer.example.tech"
[[zone]]
name = "other.test"
role = "secondary"
  [[zone.primary]]
  address = "2001:db8::2"
  port = 5300
"""
SYNTAX = """listen = ["127.0.0.1:5300", "nonsense", "192.0.2.1:99999", "[::1"]
stat = "state"
control = 5
[[zone]]
name = "example.tech"
role = "primry"
allow_transfer = ["192.0.2.0/33", 5]
[[zone]]
name = "a..b"
role = "secondary"
  [[zone.primary]]
  address = "bad"
  port = 70000
  kee = "x"
"""
MEANING = """listen = ["127.0.0.1:5300"]
state = "state"
[[key]]
file = "none.key"
[[zone]]
name = "example.tech"
role = "primary"
[[zone]]
name = "EXAMPLE.tech"
role = "secondary"
"""


def mistakes(text: str, folder: Path) -> list[str]:
    file = str(folder / "server.toml")
    with pytest.raises(PlanError) as caught:
        load_config(text, file)
    return [str(mistake).removeprefix(file + ":") for mistake in caught.value.mistakes]


class TestGood:
    def test_is_read_with_paths_relative_to_the_file(self, tmp_path: Path) -> None:
        """So that the server may be started from anywhere."""
        make_key_file(tmp_path / "transfer.key", KEY)
        config = load_config(GOOD, str(tmp_path / "server.toml"))
        assert [str(at) for at in config.listen] == ["127.0.0.1:5300", "[::1]:5300"]
        assert (config.state, config.control) == (tmp_path / "state", tmp_path / "control.sock")
        first, second = config.zones
        assert first.file == tmp_path / "zones" / "example.tech.zone"
        assert first.secondaries == (Peer(ip_address("192.0.2.1"), 53, KEY),)
        assert first.allow_transfer == (ip_network("192.0.2.0/24"),)
        assert second.primaries == (Peer(ip_address("2001:db8::2"), 5300),)
        assert list(config.keys) == [KEY]

    def test_peer_shares_several_keys(self, tmp_path: Path) -> None:
        """The name of a [[key]] stands for all keys of its file, in their order; a list of names does, too."""
        new, third = dns.name.from_text("new"), dns.name.from_text("third")
        (tmp_path / "transfer.key").touch(0o600)
        (tmp_path / "transfer.key").write_text(key_text(make_key(new)) + key_text(make_key(KEY)), encoding="ascii")
        make_key_file(tmp_path / "third.key", third)
        text = GOOD.replace('file = "transfer.key"', 'file = "transfer.key"\nname = "transfer.example.tech"')
        text = text.replace("[[zone]]", '[[key]]\nfile = "third.key"\n[[zone]]', 1)
        for written, keys in (
            ('"transfer.example.tech"', (new, KEY)),
            ('["third", "transfer.example.tech"]', (third, new, KEY)),
            ('["new", "third"]', (new, third)),
        ):
            read = load_config(text.replace('key = "transfer.example.tech"', f"key = {written}"), str(tmp_path / "server.toml"))
            (peer,) = read.zones[0].secondaries
            assert (peer.keys, peer.key) == (keys, keys[0])
        assert [(one.name, len(one.keys)) for one in read.key_files] == [(KEY, 2), (None, 1)]


TLS = """
listen = ["127.0.0.1"]
tls_listen = ["127.0.0.1", "[::1]:8853"]
state = "state"
[tls]
certificate = "ns.crt"
key = "ns.key"
client_ca = "clients.crt"
[[zone]]
name = "example.tech"
role = "secondary"
  [[zone.primary]]
  address = "192.0.2.1"
  tls_pin = "Vq2aFhkVuHpHTqUAUMXRqS1eOVOSwlLzzQyTSPV4ZeE="
  [[zone.primary]]
  address = "192.0.2.2"
  port = 8853
  tls_name = "ns2.example.tech"
  tls_ca = "ca.crt"
  [[zone.secondary]]
  address = "192.0.2.3"
  tls = true
"""


class TestTls:
    def test_is_read(self, tmp_path: Path) -> None:
        """Port 853 unless given, but for a secondary, which is notified by UDP; paths are relative to the file."""
        read = load_config(TLS, str(tmp_path / "server.toml"))
        assert [str(at) for at in read.tls_listen] == ["127.0.0.1:853", "[::1]:8853"]
        assert read.tls == TlsFiles(tmp_path / "ns.crt", tmp_path / "ns.key", tmp_path / "clients.crt")
        (zone,) = read.zones
        assert zone.primaries == (
            Peer(ip_address("192.0.2.1"), 853, tls=PeerTls(pins=("Vq2aFhkVuHpHTqUAUMXRqS1eOVOSwlLzzQyTSPV4ZeE=",))),
            Peer(ip_address("192.0.2.2"), 8853, tls=PeerTls("ns2.example.tech", ca=tmp_path / "ca.crt")),
        )
        assert zone.secondaries == (Peer(ip_address("192.0.2.3"), 53, tls=PeerTls()),)

    @pytest.mark.parametrize(
        ("before", "after", "says"),
        [
            ('  tls_pin = "Vq2a', '  tls_pin = "', "has 29 octets, a SHA-256 has 32"),
            ('  tls_pin = "Vq2aFhkVuHpHTqUAUMXRqS1eOVOSwlLzzQyTSPV4ZeE="', "  tls = true", "Add tls_name or tls_pin."),
            ("  port = 8853", "  tls = false", "tls is false, and yet"),
            ("  tls = true", '  tls_name = "ns1"', "a secondary proves who it is by its key"),
            ('[tls]\ncertificate = "ns.crt"\nkey = "ns.key"\nclient_ca = "clients.crt"', "", "there is no certificate for TLS"),
        ],
    )
    def test_contradictions_are_told(self, tmp_path: Path, before: str, after: str, says: str) -> None:
        """Each with what to do."""
        assert before in TLS
        (told,) = mistakes(TLS.replace(before, after, 1), tmp_path)
        assert says in told


class TestMistakes:
    def test_of_form_are_told_all_at_once(self, tmp_path: Path) -> None:
        """In the order of the file, each with line, column and what to do."""
        assert [line.split(". ")[0] for line in mistakes(SYNTAX, tmp_path)] == [
            "1:1: The key 'state' is missing",
            "1:29: 'nonsense' cannot be 'listen': nonsense is not an address with an optional port, such as 192.0.2.1:53 or "
            "[2001:db8::1]:53",
            "1:41: '192.0.2.1:99999' cannot be 'listen': 99999 is not a port from 1 to 65535",
            "1:60: '[::1' cannot be 'listen': [::1 is not an address with an optional port, such as 192.0.2.1:53 or "
            "[2001:db8::1]:53",
            "2:1: There is no key 'stat' here",
            "3:11: 5 cannot be 'control': Input is not a valid path for <class 'pathlib.Path'>",
            "6:8: 'primry' cannot be 'role': Input should be 'primary' or 'secondary'",
            "7:19: '192.0.2.0/33' cannot be 'allow_transfer': it is not a network, such as 192.0.2.0/24",
            "7:35: 5 cannot be 'allow_transfer': it is not a network, such as 192.0.2.0/24",
            "9:8: 'a..b' cannot be 'name': a..b is not a domain name",
            "12:13: 'bad' cannot be 'address': it is not an IPv4 or IPv6 address",
            "13:10: 70000 cannot be 'port': Input should be less than or equal to 65535",
            "14:3: There is no key 'kee' here",
        ]

    def test_near_misses_are_guessed(self, tmp_path: Path) -> None:
        """The word that was probably meant."""
        told = mistakes(SYNTAX, tmp_path)
        assert any(line.endswith("Did you mean 'state'?") for line in told)
        assert any(line.endswith("Did you mean 'key'?") for line in told)

    def test_of_meaning_are_told_all_at_once(self, tmp_path: Path) -> None:
        """A key file that is not there among them."""
        told = mistakes(MEANING, tmp_path)
        assert [line.split(" ")[0] for line in told] == ["4:8:", "5:1:", "8:1:", "9:8:"]
        assert "cannot read the key file" in told[0]
        assert "the primary zone example.tech has no file." in told[1]
        assert "has no primary." in told[2]
        assert "is listed twice." in told[3]

    def test_key_that_nobody_has(self, tmp_path: Path) -> None:
        """It stands at the peer that wants it."""
        text = GOOD.replace('[[key]]\nfile = "transfer.key"\n', "")
        assert mistakes(text, tmp_path) == [
            "12:9: there is no key transfer.example.tech. Add a [[key]] with the file that holds it."
        ]

    def test_syntax_that_is_no_toml(self, tmp_path: Path) -> None:
        """As in a plan."""
        assert mistakes("listen = [", tmp_path)[0].startswith("1:")

    @pytest.mark.parametrize(
        ("text", "mode", "says"),
        [
            ('key "a" { algorithm hmac-sha256; secret "c2VjcmV0"; };', 0o644, "others can read the key file"),
            ("rubbish", 0o600, "cannot be used"),
        ],
    )
    def test_key_file_that_cannot_be_used(self, tmp_path: Path, text: str, mode: int, says: str) -> None:
        """A secret that others know is none; and it is never printed."""
        (tmp_path / "transfer.key").write_text(text, encoding="utf-8")
        (tmp_path / "transfer.key").chmod(mode)
        (line,) = mistakes(GOOD, tmp_path)
        assert line.startswith("6:8: ")
        assert says in line
        assert "c2VjcmV0" not in line


class TestEndpoint:
    @pytest.mark.parametrize(
        ("text", "address", "port"),
        [
            ("192.0.2.1", "192.0.2.1", 53),
            ("192.0.2.1:5300", "192.0.2.1", 5300),
            ("2001:db8::1", "2001:db8::1", 53),
            ("[2001:db8::1]", "2001:db8::1", 53),
            ("[2001:db8::1]:5300", "2001:db8::1", 5300),
        ],
    )
    def test_is_read_as_people_write_it(self, text: str, address: str, port: int) -> None:
        """The port is 53 unless given."""
        assert parse_endpoint(text) == Endpoint(ip_address(address), port)


class TestFolder:
    def test_each_file_is_a_zone(self, tmp_path: Path) -> None:
        """NAME.zone is zone NAME, root.zone the root; what starts with a dot is being written."""
        for name in ("example.tech.zone", "root.zone", "0%2F25.2.0.192.in-addr.arpa.zone", ".example.tech.zone.x.new", "notes"):
            (tmp_path / name).touch()
        config = config_for_folder(tmp_path, (), (), None)
        assert config.folder is not None
        assert list_files(config.folder.path) == [b"0%2F25.2.0.192.in-addr.arpa.zone", b"example.tech.zone", b"root.zone"]

    def test_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        """A wrong path serves nothing."""
        with pytest.raises(HostError, match="there is no folder"):
            config_for_folder(tmp_path / "none", (), (), None)


class TestOwnAddress:
    @pytest.mark.parametrize(
        ("listen", "towards", "ours"),
        [
            (["192.0.2.1"], "198.51.100.1", "192.0.2.1"),
            (["0.0.0.0"], "198.51.100.1", None),
            (["127.0.0.1", "192.0.2.1"], "198.51.100.1", "192.0.2.1"),
            (["192.0.2.1"], "2001:db8::1", None),
            (["192.0.2.1"], "127.0.0.1", None),
        ],
    )
    def test_is_the_one_we_are_known_by(self, listen: list[str], towards: str, ours: str | None) -> None:
        """Lists of addresses at the peer are to match."""
        found = own_address(tuple(Endpoint(ip_address(text)) for text in listen), ip_address(towards))
        assert found == (ip_address(ours) if ours else None)


class TestStart:
    def test_reads_a_configuration_without_the_plan(self, tmp_path: Path) -> None:
        """All of the plan takes as long to import as half the server; nobody needs it to serve."""
        make_key_file(tmp_path / "transfer.key", KEY)
        (tmp_path / "serve.toml").write_text(GOOD)
        reads = (
            "from pathlib import Path; from mailname.server.config_file import load_config; import mailname.server.service, sys;"
        )
        reads += "load_config(Path('serve.toml').read_text(), 'serve.toml');"
        reads += "print([name for name in sys.modules if name.startswith('mailname.plan')])"
        done = subprocess.run([sys.executable, "-c", reads], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout.strip() == "[]"
