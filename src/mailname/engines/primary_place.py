"""Where the primary is that a plan is published to: its control socket, and the folder in which its zone files lie."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mailname.errors import HostError
from mailname.server.atomic import write_atomic
from mailname.server.control import ask

if TYPE_CHECKING:
    from pathlib import Path


class PrimaryPlace(Protocol):
    """A running primary, on this machine or another. All methods raise HostError."""

    def __str__(self) -> str:
        """Say where, as in a message."""

    async def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """Give the server an order, and return its answer."""

    async def read(self, path: Path) -> bytes | None:
        """Return what a file of the server's holds; None where there is none."""

    async def write(self, path: Path, octets: bytes) -> None:
        """Replace a file of the server's as a whole, and make its folder where it lacks."""

    async def remove(self, path: Path) -> None:
        """Remove a file of the server's."""


@dataclass(frozen=True, slots=True)
class PrimaryHere:
    """A primary on this machine."""

    control: Path

    def __str__(self) -> str:
        return str(self.control)

    async def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """Give the server an order, and return its answer."""
        return await ask(self.control, order)

    async def read(self, path: Path) -> bytes | None:
        """Return what a file holds; None where there is none."""
        try:
            return await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise HostError(
                f"cannot read {path}: {error.strerror}", remedy="Look at who owns the file.", step="publish"
            ) from error

    async def write(self, path: Path, octets: bytes) -> None:
        """Replace a file as a whole."""
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        await asyncio.to_thread(write_atomic, path, octets)

    async def remove(self, path: Path) -> None:
        """Remove a file."""
        await asyncio.to_thread(path.unlink, missing_ok=True)
