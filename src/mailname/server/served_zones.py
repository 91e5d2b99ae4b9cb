"""All zones of one server: those with a configuration of their own, and those of a folder, most of which are asleep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mailname.server.primary_zone import PrimaryZone
from mailname.server.secondary_zone import SecondaryZone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.name import Name

    from mailname.server.context import Context
    from mailname.server.folder_zones import FolderZones

ServedZone = PrimaryZone | SecondaryZone


class ServedZones(dict["Name", ServedZone]):
    """Zones by their names. Iterating gives those with a configuration of their own; asking for one gives any.

    Attributes:
        folder: the zones of a folder, where there is one.

    """

    def __init__(self) -> None:
        super().__init__()
        self.folder: FolderZones | None = None

    def get(self, apex: Name, default: Any = None) -> Any:
        """Return the zone of this name; one that is asleep is woken."""
        found = super().get(apex)
        if found is None and self.folder is not None:
            found = self.folder.get(apex)
        return default if found is None else found

    @property
    def count(self) -> int:
        """How many there are, those of the folder as well."""
        return len(self) + (0 if self.folder is None else len(self.folder))

    def serves(self, apex: Name) -> bool:
        """Tell whether there is a zone of this name."""
        return apex in self or (self.folder is not None and apex in self.folder)

    async def retire_all(self, context: Context) -> None:
        """Let all zones with a configuration of their own stop working: whatever is under way for any of them ends first.

        To look for each one's among what is under way for ten thousand others would take long.
        """
        for zone in self.values():
            zone.retired = True
        await context.end_tasks()
        for zone in self.values():
            await zone.retire()


def batched(names: list[Name], size: int) -> Iterator[list[Name]]:
    """Cut a list into parts of at most ``size`` (itertools has this from Python 3.12 on)."""
    return (names[at : at + size] for at in range(0, len(names), size))
