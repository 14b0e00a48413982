"""The one reader of a project's images, wherever they lie."""

from __future__ import annotations

from pathlib import Path

from holotype.errors import ArchiveError
from holotype.store.archives import ArchiveReader, read_file
from holotype.store.location import PACK, TREE, Location
from holotype.store.packs import PackReader


class Store:
    """Reads locations in a folder of packs, and in archives and trees anywhere. Thread-safe; pickles as its folder."""

    def __init__(self, packs: Path) -> None:
        self._folder = packs
        self._packs = PackReader(packs)
        self._archives = ArchiveReader()

    def __reduce__(self) -> tuple[type[Store], tuple[Path]]:
        return Store, (self._folder,)

    def read(self, location: Location) -> bytes:
        """The bytes at `location`, by one `pread`, or the file in its folder.

        Raises `PackError` or `ArchiveError` if they are not there any more.
        """
        if location.kind == PACK:
            return self._packs.read(location)
        if location.kind != TREE:
            return self._archives.read(
                Path(location.file), location.offset, location.length, (location.size, location.mtime_ns)
            )
        data = read_file(Path(location.file), location.path)
        if len(data) != location.length:
            raise ArchiveError(
                f"{location.file}/{location.path} has changed since it was imported (another size); import it again"
            )
        return data

    def close(self) -> None:
        """Close every file."""
        self._packs.close()
        self._archives.close()
