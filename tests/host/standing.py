"""A host on which a server was deployed, as its script would tell it; each part can be another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.host.deploy_facts import Kept, Standing
from mailname.host.facts import Facts, Told
from mailname.host.ssh import Login

if TYPE_CHECKING:
    from collections.abc import Mapping

STANDING = {
    "uid": "0",
    "login": "root",
    "member": "root",
    "init": "systemd\nsystemd 252 (252.39-1~deb12u1)",
    "python": "3 11 x86_64",
    "offered-python": "3.11.2-1+b1",
    "machine-type": "x86_64",
    "libc": "glibc 2.36",
    "release": "releases/abc",
    "releases": "abc",
    "underway": "",
    "enabled": "enabled\nenabled",
    "active": "active\nactive",
    "listening": "",
    "processes": "",
    "addresses": "2: host0    inet 192.0.2.11/24 scope global host0",
    "disk": "Filesystem 1-blocks Used Available Capacity Mounted\n/dev/sda 100 1 9000000000 1% /",
}


def standing(
    told: Mapping[str, str] | None = None,
    *,
    files: Mapping[str, Kept] | None = None,
    behind: float | None = 0.0,
    failing: tuple[str, ...] = (),
) -> Standing:
    """Return what stands there: as above, but for what is ``told``; the commands of ``failing`` ended with exit status 1."""
    said = {name: Told(text, int(name in failing)) for name, text in (STANDING | dict(told or {})).items()}
    return Standing(Login("root@192.0.2.11", is_root=True), Facts(said), files or {}, behind)
