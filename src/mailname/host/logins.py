"""HOST-01 and HOST-02: who may come in, and how. What sshd does counts (``sshd -T``, and what it offers), not what files say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.host.facts import whole_number
from mailname.host.step import judged, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.host.facts import Facts
    from mailname.host.step import Result
    from mailname.plan.model import Hosts

# What crypt(5) calls these hashes; all others can be tried by the million in a second.
_STRONG = {
    "y": "yescrypt",
    "gy": "gost-yescrypt",
    "7": "scrypt",
    "2b": "bcrypt",
    "2y": "bcrypt",
    "6": "sha512crypt",
    "5": "sha256crypt",
}
_WEAK = {"1": "md5crypt", "old": "DES or something as old", "3": "NTLM", "md5": "SunMD5", "sha1": "sha1crypt"}
# Broken, or given up by OpenSSH's own defaults (RFC 9142, RFC 8758). "ssh-rsa" is signatures with SHA-1, "rsa-sha2-256" is not.
_BROKEN = ("cbc", "3des", "arcfour", "hmac-md5", "group1-", "-sha1", "ssh-dss", "ssh-rsa")
# Nobody can forge these, and OpenSSH and Debian accept them as they come; who likes shorter lists is told.
_SHORT = ("hmac-sha1", "umac-64")
_ENDED = (124, 137)  # what timeout says where a program did not end, or had to be killed; sudo tells its list before it waits
_SMALLEST_RSA = 2048
_KEYS = ".ssh/authorized_keys"


def judge_administrator(facts: Facts, wanted: Hosts) -> Result:
    """Judge whether the administrator exists, may use sudo, and has a password that is not weak; and that root has none."""
    code, name = "HOST-01", wanted.administrator
    if not facts.is_root:
        return unknown(code, "who has which password is told to root alone, and sudo was not allowed without one.")
    wrong, right = [], []
    passwords = {words[0]: (words[1], words[2]) for words in map(str.split, facts["passwords"].lines) if len(words) == 3}
    if facts["groups"].code:
        wrong.append(f"there is no user {name}.")
    else:
        if facts["sudo"].code in _ENDED:
            wrong.append("sudo does not answer within 8 seconds: very often the host's own name cannot be resolved (HOST-09).")
        elif "may run the following" in facts["sudo"].text:
            right.append(f"{name} may use sudo.")
        else:
            wrong.append("sudo is not installed." if facts["sudo"].code == 127 else f"{name} may not use sudo.")
        wrong += [f"{name} {fault}." for fault in _password_faults(*passwords.get(name, ("locked", "none")), needed=True)]
    wrong += [f"root {fault}." for fault in _password_faults(*passwords.get("root", ("locked", "none")), needed=False)]
    empty = sorted(user for user, (lock, scheme) in passwords.items() if scheme == "empty" and lock == "open")
    wrong += [f"{user} comes in without any password." for user in empty if user not in (name, "root")]
    return judged(
        code, wrong, right, f"Make the user {name} with sudo and a password, and lock root's.", "mailname host prepare PLAN"
    )


def _password_faults(lock: str, scheme: str, *, needed: bool) -> Iterator[str]:
    if scheme == "empty" and lock == "open":
        yield "has an empty password"
    elif scheme == "none" or lock == "locked":
        if needed:
            yield "has no password, so a console does not let in who has lost his key"
    elif scheme not in _STRONG:
        yield f"has a password that is kept in a weak form ({_WEAK.get(scheme, scheme)})"
    elif not needed:
        yield "has a password: lock it"


def judge_ssh(facts: Facts, wanted: Hosts) -> Result:
    """Judge how sshd lets people in."""
    code = "HOST-02"
    if facts["sshd"].code:
        return _without_its_settings(code, facts)
    theirs, roots = facts.pairs("sshd", " "), facts.pairs("sshd-root", " ")
    wrong, right = [], []
    if roots.get("permitrootlogin") != "no":
        wrong.append(f"root may log in by SSH (PermitRootLogin {roots.get('permitrootlogin')}).")
    asks = [
        word
        for key, word in (("passwordauthentication", "password"), ("kbdinteractiveauthentication", "keyboard-interactive"))
        if theirs.get(key) != "no"
    ]
    if theirs.get("pubkeyauthentication") != "yes":
        wrong.append("keys are not accepted (PubkeyAuthentication no).")
    if asks and not wanted.password_logins:
        wrong.append(f"passwords may be guessed by SSH ({' and '.join(asks)} on).")
    elif not asks and not wanted.password_logins:
        right.append("keys only.")
        offered = [word for word in ("password", "keyboard-interactive") if word in facts.offered_logins]
        if offered:
            wrong.append(f"sshd still offers {' and '.join(offered)}: its files were changed, and it was not reloaded.")
    if theirs.get("permitemptypasswords") == "yes":
        wrong.append("empty passwords are accepted (PermitEmptyPasswords yes).")
    if not theirs.get("authorizedkeysfile", _KEYS).startswith(_KEYS):
        right.append(f"keys are in {theirs['authorizedkeysfile']}, which was not read.")
    elif facts["groups"].code == 0 and not _keys(facts["keys"].text):
        wrong.append(f"{wanted.administrator} has no key in authorized_keys.")
    for line in facts["host-keys"].lines:
        bits, _, rest = line.partition(" ")
        kind = rest.rpartition("(")[2].rstrip(")")
        if kind == "DSA" or (kind == "RSA" and (whole_number(bits) or 0) < _SMALLEST_RSA):
            wrong.append(f"a host key is weak: {kind} with {bits} bits.")
    for key in ("ciphers", "macs", "kexalgorithms", "hostkeyalgorithms"):
        accepted = [one for one in theirs.get(key, "").split(",") if one]
        short = [one for one in accepted if one.startswith(_SHORT)]
        broken = [one for one in accepted if one not in short and any(word in one for word in _BROKEN)]
        if broken:
            wrong.append(f"weak {key} are accepted: {', '.join(broken)}.")
        if short:
            right.append(f"{', '.join(short)} accepted: not broken, but the weakest of these.")
    wrong += _old(facts)
    return judged(code, wrong, right, "Set it in a drop-in that is read first, and reload sshd.", "mailname host prepare PLAN")


def _without_its_settings(code: str, facts: Facts) -> Result:
    said = _first(facts["sshd"].text)
    if not _refuses(facts):
        return unknown(code, f"'sshd -T' does not tell: {said}", "Look at it on the host: sudo sshd -T")
    text = f"sshd does not accept its own configuration, and would not start again: {said}"
    return judged(code, [text], [], "Mend that line by hand, and do not restart sshd before it is accepted.", "sudo sshd -t")


def _refuses(facts: Facts) -> bool:
    """Tell whether sshd itself has refused its files, and not something around it: no sshd, no time, no rights, no /run/sshd."""
    told = facts["sshd"]
    return facts.is_root and told.code not in (*_ENDED, 126, 127) and "privilege separation" not in told.text


def _old(facts: Facts) -> Iterator[str]:
    """Yield that sshd has not read its files since they were changed."""
    lines = facts["sshd-age"].lines
    changed = whole_number(lines[0]) if lines else None
    read = whole_number(lines[-1].partition("=@")[2]) if lines else None
    if changed is not None and read is not None and changed > read:
        yield "sshd's files were changed after it read them: what it does may be something else."


def _keys(text: str) -> list[str]:
    return [line for line in text.split("\n") if not line.startswith("#") and ("ssh-" in line or "ecdsa-" in line)]


def _first(text: str) -> str:
    return text.strip().partition("\n")[0].strip() or "no output"
