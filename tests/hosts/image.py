"""The image that test hosts start from: a small system with systemd and sshd, and a folder of packages that it may install.

It is built once, by debootstrap, from the mirror of this machine's own apt configuration, and kept in ``build/hosts``. A host
that runs from it needs no network: apt finds what ``prepare`` and ``deploy`` install in the folder ``/srv/packages``.

``python -m tests.hosts.image`` builds it beforehand: two minutes in which other tests can run.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.interop.programs import go_without, need

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORM = 1  # raise it where what is done with the packages changes
ROOT = Path(__file__).parents[2] / "build" / "hosts"

#: What a rented machine has when it is handed over.
_FRESH = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "libpam-systemd",
    "openssh-server",
    "sudo",
    "iproute2",
    "procps",
    "ca-certificates",
)
#: What may be installed on it, each with what it needs.
_OFFERED = (
    "nftables",
    "fail2ban",
    "python3-systemd",
    "netbase",
    "chrony",
    "systemd-resolved",
    "rsyslog",
    "cron",
    "unattended-upgrades",
    "python3",
    "python3-venv",
    "libpam-pwquality",
    "bind9",
    "bind9-utils",
    "bind9-dnsutils",
    "knot",
    "nsd",
    "avahi-daemon",
    "nginx-light",
    "postfix",
    "lynis",
)
#: The same, but not beside one of those.
_INSTEAD = ("systemd-timesyncd",)
_PACKAGES = "srv/packages"


def _mirror() -> tuple[str, str]:
    """Return the mirror and the release that this machine's apt itself installs from."""
    codename = platform.freedesktop_os_release()["VERSION_CODENAME"]
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)", "Created-By: Packages"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    places = [line.split(" ")[0] for line in said.splitlines() if line.split(" ")[1:] == [codename, "main"]]
    if not places:
        go_without(f"apt knows no mirror for {codename} here")
    return places[0], codename


def _inside(root: Path, *argv: str) -> None:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    subprocess.run(["chroot", str(root), *argv], env=environment, check=True, capture_output=True, text=True)


def _index(folder: Path) -> str:
    """Return the ``Packages`` file of a folder of packages."""
    entries = []
    for package in sorted(folder.glob("*.deb")):
        control = subprocess.run(["dpkg-deb", "-f", str(package)], capture_output=True, text=True, check=True).stdout.strip()
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        entries.append(f"{control}\nFilename: ./{package.name}\nSize: {package.stat().st_size}\nSHA256: {digest}\n")
    return "\n".join(entries)


@contextlib.contextmanager
def _without_waiting_for_the_disk(folder: Path) -> Iterator[Path]:
    """Give a folder in which nothing that is written is synced; what was written is in ``folder`` then."""
    parts = {name: folder.with_name(f"{folder.name}.{name}") for name in ("lower", "work", "root")}
    for part in (folder, *parts.values()):
        part.mkdir()
    layers = f"lowerdir={parts['lower']},upperdir={folder},workdir={parts['work']},volatile"
    mount = ["mount", "-t", "overlay", "overlay", "-o", layers, str(parts["root"])]
    subprocess.run(mount, check=True, capture_output=True, text=True)
    try:
        yield parts["root"]
    finally:
        subprocess.run(["umount", "--recursive", str(parts["root"])], check=True, capture_output=True, text=True)
        for part in parts.values():
            shutil.rmtree(part)


def _build(root: Path) -> None:
    (debootstrap,) = need("debootstrap")
    mirror, codename = _mirror()
    subprocess.run(
        [debootstrap, "--variant=minbase", f"--include={','.join(_FRESH)}", codename, str(root), mirror],
        capture_output=True,
        text=True,
        check=True,
    )
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")  # for the time of building alone
    proxy = subprocess.run(["apt-config", "dump", "Acquire::http::Proxy"], capture_output=True, text=True, check=True).stdout
    (root / "etc/apt/apt.conf.d/90building").write_text(proxy)
    for together in (_OFFERED, _INSTEAD):
        _inside(root, "apt-get", "-qq", "install", "--no-install-recommends", "--download-only", *together)
    offered = root / _PACKAGES
    offered.mkdir(parents=True)
    for package_file in (root / "var/cache/apt/archives").glob("*.deb"):
        package_file.rename(offered / package_file.name.replace("%3a", "_"))
    (offered / "Packages").write_text(_index(offered))
    for path in ("etc/resolv.conf", "etc/apt/apt.conf.d/90building", "etc/machine-id", "var/lib/dbus/machine-id"):
        (root / path).unlink(missing_ok=True)
    (root / "etc/machine-id").touch()
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:/{_PACKAGES} ./\n")
    _inside(root, "apt-get", "-qq", "update")


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def image() -> Path:
    """Return the image's root folder; build it where it is not there, which takes two minutes. Nobody may change it."""
    if os.geteuid() != 0:
        go_without("an image of a host needs root")
    need("debootstrap", "systemd-nspawn")
    kind = hashlib.sha256(repr((_FORM, _FRESH, _OFFERED, _INSTEAD)).encode()).hexdigest()[:12]
    root = ROOT / kind
    with _one_at_a_time(ROOT):
        if not root.exists():
            unfinished = ROOT / f"{kind}.unfinished"
            for left in ROOT.glob(f"{unfinished.name}*"):
                shutil.rmtree(left, ignore_errors=True)
            try:
                with _without_waiting_for_the_disk(unfinished) as built:
                    _build(built)
            except subprocess.CalledProcessError as error:
                said = ((error.stdout or "") + (error.stderr or "")).strip()[-2000:]
                go_without(f"no image of a host can be built here: {error.cmd}: {said}")
            unfinished.rename(root)
    return root


if __name__ == "__main__":
    image()
