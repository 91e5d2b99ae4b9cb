"""Many files are made durable together, and none is taken for durable before it is."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from mailname.server.durable import Durable, _tells_of_faults

if TYPE_CHECKING:
    from pathlib import Path


class _Disk:
    """Notes what was ordered; an order may be held up."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, int]] = []
        self.goes_on = threading.Event()
        self.entered = threading.Event()
        self.faulty: set[int] = set()

    def sync(self, handle: int) -> None:
        self.orders.append(("file", handle))
        self.entered.set()
        assert self.goes_on.wait(30)
        if handle in self.faulty:
            raise OSError(5, "broken")

    def sync_all(self, handle: int) -> bool:
        self.orders.append(("all", handle))
        return not self.faulty


def _open(folder: Path, count: int) -> list[int]:
    return [os.open(folder / str(number), os.O_RDWR | os.O_CREAT, 0o600) for number in range(count)]


def _while_the_first_waits(disk: _Disk, handles: list[int]) -> tuple[Durable, list[OSError]]:
    """Let one file be waited for, and all others come meanwhile."""
    durable = Durable(disk.sync, disk.sync_all)
    faults: list[OSError] = []

    def sync(handle: int) -> None:
        try:
            durable.sync(handle)
        except OSError as error:
            faults.append(error)

    threads = [threading.Thread(target=sync, args=(handle,)) for handle in handles]
    threads[0].start()
    assert disk.entered.wait(30)
    for thread in threads[1:]:
        thread.start()
    while durable.waiting() < len(threads) - 1:
        threading.Event().wait(0.001)
    disk.goes_on.set()
    for thread in threads:
        thread.join(30)
    return durable, faults


class TestDurable:
    def test_one_file_costs_one_order(self, tmp_path: Path) -> None:
        disk = _Disk()
        disk.goes_on.set()
        (handle,) = _open(tmp_path, 1)
        Durable(disk.sync, disk.sync_all).sync(handle)
        assert disk.orders == [("file", handle)]

    def test_who_comes_while_another_waits_is_not_covered_by_that_order(self, tmp_path: Path) -> None:
        """What they have written may have come too late for the order that was under way; one more is for all of them."""
        disk, handles = _Disk(), _open(tmp_path, 10)
        _while_the_first_waits(disk, handles)
        assert [kind for kind, _ in disk.orders] == ["file", "all"]
        assert disk.orders[0][1] == handles[0]

    def test_where_not_all_can_be_written_each_has_an_order_of_its_own(self, tmp_path: Path) -> None:
        disk, handles = _Disk(), _open(tmp_path, 10)
        disk.faulty = {handles[3]}
        _while_the_first_waits(disk, handles)
        assert sorted(handle for kind, handle in disk.orders if kind == "file") == handles

    def test_an_older_system_is_not_relied_on(self) -> None:
        """Before Linux 5.8 syncfs says nothing of what could not be written."""
        told = [_tells_of_faults(one) for one in ("4.19.0-27-amd64", "5.7.1", "5.8", "6.1.0-18-amd64", "odd")]
        assert told == [False, False, True, True, False]

    def test_few_have_no_order_for_all(self, tmp_path: Path) -> None:
        disk, handles = _Disk(), _open(tmp_path, 3)
        _while_the_first_waits(disk, handles)
        assert {kind for kind, _ in disk.orders} == {"file"}
        assert {handle for _, handle in disk.orders} == set(handles)

    def test_each_learns_its_own_fault_and_others_go_on(self, tmp_path: Path) -> None:
        """A disk that refuses one file has not refused the others."""
        disk, handles = _Disk(), _open(tmp_path, 8)
        disk.faulty = {handles[0], handles[5]}
        durable, faults = _while_the_first_waits(disk, handles)
        assert len(faults) == 2
        durable.sync(handles[1])
        with pytest.raises(OSError, match="broken"):
            durable.sync(handles[5])

    def test_a_large_file_holds_up_nobody(self, tmp_path: Path) -> None:
        """Tens of megabytes take a second to write; a change of a small zone does not wait for that."""
        disk = _Disk()
        large, small = _open(tmp_path, 2)
        os.ftruncate(large, 2 << 20)
        durable = Durable(disk.sync, disk.sync_all)
        writing = threading.Thread(target=durable.sync, args=(large,))
        writing.start()
        assert disk.entered.wait(30)
        other = threading.Thread(target=durable.sync, args=(small,))
        other.start()
        while ("file", small) not in disk.orders:
            threading.Event().wait(0.001)
        disk.goes_on.set()
        writing.join(30)
        other.join(30)
