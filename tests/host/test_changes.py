"""From facts to what has to be changed: what holds is left alone, and everything else comes in an order that locks nobody out."""

from __future__ import annotations

import pytest
from tests.host.told import PLAN, SAFE, facts, host, wanted

from mailname.host import wanted_files as files
from mailname.host.change import When
from mailname.host.changes import START_JAIL, changes, key_lines, left_alone
from mailname.host.facts import Told

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@home"


def kept(**texts: str) -> str:
    """Return what a host tells of its files, by the names that ``wanted_files`` has for them."""
    return "\n".join(
        "\n".join([f"# {getattr(files, name)} 644 root", *(f" {line}" for line in text.splitlines())])
        for name, text in texts.items()
    )


def titles(**changed: str | Told | None) -> list[str]:
    return [one.title for one in changes(facts(changed), host(), wanted())]


class TestChanges:
    def test_of_a_safe_host_are_none(self) -> None:
        """What holds is left as it is, whoever made it so; none of our own files is needed for it."""
        assert changes(facts(), host(), wanted()) == ()

    def test_sshd_at_a_port_that_the_plan_does_not_open_keeps_the_packet_filter_away(self) -> None:
        """The rest is done, and the jail bans from where sshd listens."""
        elsewhere: dict[str, str | Told | None] = {
            "listening": SAFE["listening"].replace("0.0.0.0:22", "0.0.0.0:2222"),
            "sshd": SAFE["sshd"] + "\nport 2222",
            "filter": '{"nftables": []}',
            "fail2ban": Told("inactive", 3),
        }
        found = changes(facts(elsewhere), host(), wanted())
        assert "packet filter" not in {one.title for one in found}
        assert any(line == "+port = 2222" for one in found for line in one.diff)
        (left,) = left_alone(facts(elsewhere), host())
        assert 'open_ports = ["2222/tcp"]' in left.fix

    def test_jail_of_others_learns_only_that_the_owner_is_no_guesser(self) -> None:
        """Who has root's key and tries it is refused from now on; five of those would ban him."""
        (jail,) = [
            one for one in changes(facts({"sshd-root": "permitrootlogin yes"}), host(), wanted()) if one.title == "fail2ban"
        ]
        assert [line for line in jail.diff if line.startswith("+") and not line.startswith(("+#", "+++"))] == [
            "+[sshd]",
            "+ignoreregex = ROOT LOGIN REFUSED",
        ]
        assert jail.when is When.FIRST
        ours = kept(JAIL=files.jail(()))
        assert "fail2ban" not in titles(**{"sshd-root": "permitrootlogin yes", "kept": ours})

    @pytest.mark.parametrize(
        ("changed", "title", "line"),
        [
            ({"groups": Told("", 1), "keys": Told("", 1)}, "user anna", "+ user anna, with a home and /bin/bash"),
            ({"passwords": "root open y\nanna open y"}, "password of root", "- password of root: locked"),
            (
                {"passwords": "root locked none\nanna locked none"},
                "password of anna",
                "+ a new password of anna: a strong one, made here",
            ),
            ({"sudo": "anna is not allowed"}, "rights of anna", "+anna ALL=(ALL:ALL) NOPASSWD: ALL"),
            ({"sudo": None}, "packages", "+ package sudo"),
            ({"login-keys": KEY}, "keys of anna", "+ key for anna: ssh-ed25519 ...ZDI1NTE5AAAA me@home"),
            ({"sshd-root": "permitrootlogin yes"}, "sshd", "+PermitRootLogin no"),
            ({"fail2ban": Told("inactive", 3), "packages": "fail2ban installed"}, "packages", "+ package netbase"),
            ({"fail2ban": Told("inactive", 3)}, "fail2ban", "+ unit fail2ban: started, now and at boot"),
            ({"time-services": ""}, "packages", "+ package chrony"),
            ({"time-services": ""}, "clock", "+ unit chrony: started, now and at boot"),
            ({"zone": "/usr/share/zoneinfo/Asia/Tokyo\n1700000000"}, "time zone", "+ time zone Etc/UTC"),
            ({"filter": '{"nftables": []}'}, "packet filter", "+    tcp dport { 22, 53 } accept"),
            ({"filter": None}, "packages", "+ package nftables"),
            ({"name": "box\nbox"}, "own name", "+ns1"),
            ({"upgrades": "timer enabled\ntimer enabled\npackage installed"}, "security upgrades", '+APT::Periodic::Enable "1";'),
        ],
    )
    def test_shows_what_is_going_to_be_different(self, changed: dict[str, str | Told | None], title: str, line: str) -> None:
        found = [one for one in changes(facts(changed), host(), wanted()) if one.title == title]
        assert any(said.startswith(line) for one in found for said in one.diff), found

    def test_that_could_lock_out_come_behind_the_guard_and_roots_password_last(self) -> None:
        """Behind the guard are sshd and the packet filter; root keeps his password until the administrator has come in anew."""
        found = changes(
            facts({"sshd-root": "permitrootlogin yes", "filter": '{"nftables": []}', "passwords": "root open y"}),
            host(),
            wanted(),
        )
        assert {one.title for one in found if one.when is When.GUARDED} == {"sshd", "packet filter"}
        assert [one.title for one in found][-1] == "password of root"
        assert [one.when for one in found] == sorted((one.when for one in found), key=list(When).index)

    def test_no_step_holds_a_password(self) -> None:
        """A new password is made when it is set; what is shown, sent on or printed as JSON knows only that there is one."""
        told = facts({"passwords": "root locked none\nanna locked none", "packages": "sudo installed"})
        (found,) = changes(told, host(), wanted())
        assert found.makes_password
        assert found.steps == ()

    def test_one_time_service_that_runs_alone_is_left(self) -> None:
        alone = "Id=systemd-timesyncd.service\nActiveState=active"
        assert titles(**{"time-services": alone, "timesync": "", "chrony": None}) == []

    def test_of_two_time_services_one_stays(self) -> None:
        two = "Id=chrony.service\nActiveState=active\n\nId=ntpsec.service\nActiveState=active"
        (found,) = changes(facts({"time-services": two}), host(), wanted())
        assert found.diff == ("- unit ntpsec: stopped for good, chrony keeps the clock",)

    def test_passwords_stay_where_the_plan_has_them(self) -> None:
        text = files.sshd_drop_in(wanted(PLAN.replace("[hosts]", "[hosts]\npassword_logins = true")))
        assert "PasswordAuthentication" not in text
        assert "PermitRootLogin no" in text

    def test_fail2ban_is_held_while_it_is_installed(self) -> None:
        """It would ban whoever tried a user that did not exist yet: it starts only when it knows who prepares the host."""
        found = changes(facts({"fail2ban": Told("fail2ban-client: not found", 127)}), host(), wanted())
        assert found[0].steps[0]["held"] == ["fail2ban.service"]
        assert START_JAIL.index("MAILNAME_FROM") < START_JAIL.index("systemctl restart fail2ban")

    def test_a_stub_resolver_is_moved_and_its_servers_stay(self) -> None:
        """systemd-resolved leaves port 53; /etc/resolv.conf leads to the servers that it asked."""
        stub = SAFE["listening"] + '\nudp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=9,fd=1))'
        changed = {"listening": stub, "resolver": "/run/systemd/resolve/stub-resolv.conf\nnameserver 127.0.0.53"}
        (found,) = changes(facts(changed), host(), wanted())
        assert "+DNSStubListener=no" in found.diff
        assert "+ /etc/resolv.conf -> /run/systemd/resolve/resolv.conf" in found.diff


class TestLeftAlone:
    def test_sshd_that_refuses_its_own_configuration(self) -> None:
        broken = {"sshd": Told("/etc/ssh/sshd_config line 9: Bad configuration option: NoSuch", 255)}
        assert "NoSuch" in left_alone(facts(broken), host())[0].why
        assert "sshd" not in titles(**broken)

    def test_guard_that_is_armed(self) -> None:
        """Somebody else prepares this host, or was cut off: nobody changes what the guard is about to restore."""
        assert "guard" in left_alone(facts(guard=Told("/var/lib/mailname-guard/list", 0)), host())[0].why


class TestFiles:
    def test_keys_lose_what_a_cloud_put_before_them(self) -> None:
        """Root's key often may only say "log in as debian": that is no limit for the administrator."""
        assert key_lines(f"# x\nno-pty,command=\"echo 'Please login as the user'\" {KEY}\n\nnonsense") == [KEY]

    def test_include_comes_before_all_else_in_sshd_config(self) -> None:
        """The first value that sshd reads is the one that counts."""
        assert files.sshd_config("PermitRootLogin yes\n").startswith("Include /etc/ssh/sshd_config.d/*.conf\n")
        first = "# comment\n\nInclude /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\n"
        assert files.sshd_config(first) == first

    def test_hosts_file_leads_to_the_name_once(self) -> None:
        now = "127.0.0.1 localhost\n127.0.1.1 NS1.example.tech box ns1 # by cloud-init\n192.0.2.11 ns1\n"
        assert files.hosts_file(now, "ns1.example.tech", ["192.0.2.11", "2001:db8::11"]) == (
            "127.0.0.1 localhost\n127.0.1.1 box # by cloud-init\n"
            "192.0.2.11 ns1.example.tech ns1\n2001:db8::11 ns1.example.tech ns1\n"
        )

    def test_packet_filter_is_a_table_of_its_own(self) -> None:
        """Other tables, fail2ban's among them, are never flushed; what a host needs of ICMP comes in."""
        text = files.filter_text(host())
        assert "flush ruleset" not in text
        assert "table inet mailname\ndelete table inet mailname\ntable inet mailname {" in text
        assert "nd-neighbor-solicit" in text
        assert "packet-too-big" in text
        assert "udp dport { 53 } accept" in text

    def test_kept_files_are_read_as_they_are(self) -> None:
        text = "a\n\n  b\n"
        assert facts(kept=kept(HOSTS=text, HOSTNAME="ns1\n")).kept() == {files.HOSTS: text, files.HOSTNAME: "ns1\n"}
