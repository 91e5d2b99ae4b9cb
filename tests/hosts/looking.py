"""What ``mailname host check`` says of the one host of a test, and how packages are put there."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.machines import Machine, Site

PLAN = """
domain = "example.tech"
contact = "hostmaster@example.tech"
[[name_server]]
name = "ns1.example.tech"
addresses = ["192.0.2.11", "2001:db8::11"]
role = "primary"
[[mail_host]]
name = "mail.example.net"
"""


def looked(hosts: Site, folder: Path) -> tuple[int, dict[str, Any]]:
    """Return the exit code, and what is told of the host."""
    plan = folder / "plan.toml"
    plan.write_text(PLAN)
    main = "import sys; from mailname.cli.main import main; main()"
    argv = [sys.executable, "-c", main, "host", "check", str(plan), "--ssh-config", str(hosts.ssh_config), "--json"]
    done = subprocess.run(hosts.inside(*argv, "--resolver", "192.0.2.1"), capture_output=True, text=True, check=False)
    (host,) = json.loads(done.stdout)["hosts"]
    return done.returncode, host


def checked(hosts: Site, folder: Path) -> tuple[int, dict[str, dict[str, Any]]]:
    """Return the exit code, and the steps of the host by their codes."""
    code, host = looked(hosts, folder)
    assert host["trouble"] is None, host
    return code, {step["code"]: step for step in host["steps"]}


def install(machine: Machine, *packages: str) -> None:
    """Install packages from the host's own folder."""
    machine.run(f"DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends {' '.join(packages)}")
