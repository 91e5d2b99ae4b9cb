"""HOST-01 and HOST-02: who may come in, and how."""

from __future__ import annotations

import pytest
from tests.host.told import PLAN, SAFE, facts, wanted

from mailname.host.facts import Told
from mailname.host.logins import judge_administrator, judge_ssh
from mailname.host.step import Outcome


class TestAdministrator:
    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"groups": Told("id: 'anna': no such user", 1)}, "there is no user anna."),
            ({"sudo": "User anna is not allowed to run sudo on ns1."}, "anna may not use sudo."),
            ({"sudo": None}, "sudo is not installed."),
            ({"sudo": Told("User anna may run the following commands on ns1:", 137)}, "sudo does not answer within 8 seconds"),
            ({"passwords": "root locked none\nanna open empty"}, "anna has an empty password."),
            ({"passwords": "root locked none\nanna locked y"}, "anna has no password"),
            ({"passwords": "root locked none\nanna open 1"}, "a weak form (md5crypt)"),
            ({"passwords": "root locked none\nanna open old"}, "a weak form (DES or something as old)"),
            ({"passwords": "root open y\nanna open y"}, "root has a password: lock it."),
            ({"passwords": "root open empty\nanna open y"}, "root has an empty password."),
            ({"passwords": "root locked none\nanna open y\ngames open empty"}, "games comes in without any password."),
        ],
    )
    def test_what_is_wrong_is_named(self, changed: dict[str, Told | str | None], said: str) -> None:
        result = judge_administrator(facts(changed), wanted())
        assert result.outcome is Outcome.DOES_NOT_HOLD
        assert said in " ".join(result.seen)

    def test_without_rights_nothing_is_known(self) -> None:
        assert judge_administrator(facts(uid="1000"), wanted()).outcome is Outcome.UNKNOWN


class TestSsh:
    @pytest.mark.parametrize(
        ("name", "old", "new", "said"),
        [
            ("sshd-root", "permitrootlogin no", "permitrootlogin prohibit-password", "root may log in by SSH"),
            ("sshd", "passwordauthentication no", "passwordauthentication yes", "(password on)"),
            ("sshd", "kbdinteractiveauthentication no", "kbdinteractiveauthentication yes", "(keyboard-interactive on)"),
            ("sshd", "pubkeyauthentication yes", "pubkeyauthentication no", "keys are not accepted"),
            ("sshd", "aes256-gcm@openssh.com", "aes256-gcm@openssh.com,aes128-cbc", "weak ciphers are accepted: aes128-cbc."),
            ("sshd", "hmac-sha2-256", "hmac-md5", "weak macs are accepted: hmac-md5."),
            ("sshd", "ciphers", "hostkeyalgorithms rsa-sha2-512,ssh-rsa\nciphers", "are accepted: ssh-rsa."),
            ("sshd", "ciphers", "kexalgorithms diffie-hellman-group14-sha1\nciphers", "diffie-hellman-group14-sha1."),
            ("sshd", "ciphers", "permitemptypasswords yes\nciphers", "empty passwords are accepted"),
            ("keys", "ssh-ed25519", "# ssh-ed25519", "anna has no key in authorized_keys."),
            ("host-keys", "3072", "1024", "a host key is weak: RSA with 1024 bits."),
            ("sshd-age", "1700000000\n", "1700000101\n", "were changed after it read them"),
        ],
    )
    def test_what_is_wrong_is_named(self, name: str, old: str, new: str, said: str) -> None:
        assert old in SAFE[name]
        result = judge_ssh(facts({name: SAFE[name].replace(old, new)}), wanted())
        assert result.outcome is Outcome.DOES_NOT_HOLD
        assert said in result.seen[0]

    def test_what_debian_accepts_as_it_comes_is_told_and_no_failure(self) -> None:
        result = judge_ssh(facts(sshd=SAFE["sshd"] + ",umac-64-etm@openssh.com,hmac-sha1"), wanted())
        assert result.outcome is Outcome.HOLDS
        assert "umac-64-etm@openssh.com, hmac-sha1" in result.seen[-1]

    def test_passwords_may_be_wanted_by_the_plan(self) -> None:
        plan = wanted(PLAN.replace("[hosts]", "[hosts]\npassword_logins = true"))
        asks = SAFE["sshd"].replace("passwordauthentication no", "passwordauthentication yes")
        assert judge_ssh(facts(sshd=asks), plan).outcome is Outcome.HOLDS

    def test_what_is_offered_counts_more_than_what_files_say(self) -> None:
        """It was set, and sshd was not reloaded."""
        result = judge_ssh(facts(offered="publickey,password"), wanted())
        assert "sshd still offers password" in result.seen[0]

    def test_a_file_of_keys_elsewhere_is_no_missing_key(self) -> None:
        elsewhere = SAFE["sshd"].replace(".ssh/authorized_keys .ssh/authorized_keys2", "/etc/ssh/keys/%u")
        assert judge_ssh(facts(sshd=elsewhere, keys=Told("", 1)), wanted()).outcome is Outcome.HOLDS

    def test_bad_option_is_named_sshd_would_not_start_again(self) -> None:
        result = judge_ssh(facts(sshd=Told("/etc/ssh/sshd_config line 3: Bad configuration option: NoSuchOption", 255)), wanted())
        assert (result.outcome, result.command) == (Outcome.DOES_NOT_HOLD, "sudo sshd -t")
        assert "NoSuchOption" in result.seen[0]

    @pytest.mark.parametrize(
        ("told", "uid"),
        [
            (Told("sh: 1: sshd: not found", 127), "0"),
            (Told("", 124), "0"),
            (Told("Missing privilege separation directory: /run/sshd", 255), "0"),
            (Told("sshd: no hostkeys available -- exiting.", 1), "1000"),
        ],
    )
    def test_sshd_that_could_not_be_asked_is_no_verdict(self, told: Told, uid: str) -> None:
        assert judge_ssh(facts(sshd=told, uid=Told(uid, 0)), wanted()).outcome is Outcome.UNKNOWN
