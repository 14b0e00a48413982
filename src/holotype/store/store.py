"""The one reader of images, wherever they lie."""

from __future__ import annotations

from pathlib import Path

from holotype.errors import ArchiveError, PackError
from holotype.store.archives import open_archive, open_pack, read_file
from holotype.store.location import PACK, TREE, Location
from holotype.store.openfiles import MAX_BYTES, OpenFile, OpenFiles

_OPEN_FILES = 64


class Store:
    """Reads locations in a folder of packs or of a release's shards, and in archives and trees anywhere.

    Keeps up to 64 files open. Thread-safe; pickles as its folder.
    """

    def __init__(self, packs: Path) -> None:
        self._folder = packs
        self._files = OpenFiles(self._open, _OPEN_FILES)

    def __reduce__(self) -> tuple[type[Store], tuple[Path]]:
        return Store, (self._folder,)

    def read(self, location: Location) -> bytes:
        """The bytes at `location`, by one `pread`, or the file in its folder.

        Raises if they are not there any more: `PackError` for packs, `ArchiveError` for what was imported, and that
        before memory is taken. An archive's size and time of change are compared whenever it is opened.
        """
        if location.kind == PACK:
            return self._read_pack(location)
        return self._read_file(location) if location.kind == TREE else self._read_archive(location)

    def close(self) -> None:
        """Close every file."""
        self._files.clear()

    def _read_pack(self, location: Location) -> bytes:
        try:
            return self._files[location.file, None].read(location.offset, location.length)
        except EOFError as error:
            raise PackError(f"{self._folder / location.file} has {error}") from error
        except OSError as error:
            raise PackError(f"cannot read {self._folder / location.file}: {error.strerror}") from error

    def _read_archive(self, location: Location) -> bytes:
        path, offset, length = location.file, location.offset, location.length
        if length > MAX_BYTES:
            raise ArchiveError(f"{path}: {length:,} bytes at {offset:,} are over the limit of {MAX_BYTES:,}")
        try:
            return self._files[path, (location.size, location.mtime_ns)].read(offset, length)
        except EOFError as error:
            raise ArchiveError(f"{path} has {error}: it is shorter than it was; import it again") from error
        except OSError as error:
            raise ArchiveError(f"cannot read {path}: {error.strerror}") from error

    def _read_file(self, location: Location) -> bytes:
        data = read_file(Path(location.file), location.path)
        if len(data) != location.length:
            raise ArchiveError(
                f"{location.file}/{location.path} has changed since it was imported (another size); import it again"
            )
        return data

    def _open(self, key: tuple[str, tuple[int, int] | None]) -> OpenFile:
        file, state = key
        return open_pack(self._folder, file) if state is None else open_archive(file, *state)
