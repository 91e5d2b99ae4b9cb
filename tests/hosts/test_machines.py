"""The hosts that the other tests of this folder stand on are real ones: they boot, reboot, and lose their network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hosts.machines import site

if TYPE_CHECKING:
    from pathlib import Path


class TestMachine:
    def test_boots_is_reached_and_comes_back(self, tmp_path: Path) -> None:
        """By SSH as root; a pulled cable is silence alone; after a reboot another boot ID; and after its plug was pulled."""
        with site(tmp_path) as hosts:
            machine = hosts.machine("ns1")
            machine.boot()
            assert machine.run("systemctl is-system-running --wait").strip() == "running"
            assert machine.run("apt-get -qq update && apt-cache policy fail2ban | grep -c srv/packages").strip() == "1"
            machine.run("touch /run/mark")
            machine.cut()
            assert machine.tried("true").returncode == 255
            machine.cut(off=False)
            machine.wait_for_ssh()
            assert machine.tried("test -e /run/mark").returncode == 0
            first = machine.run("cat /proc/sys/kernel/random/boot_id")
            boots = machine.boots
            machine.tried("systemctl reboot")  # which also ends the connection
            machine.wait_for_reboot(boots)
            second = machine.run("cat /proc/sys/kernel/random/boot_id")
            assert second != first
            machine.off(by_force=True)
            machine.boot()
            assert machine.run("hostname --fqdn").strip() == "ns1.example.tech"
