"""The one reader of images, wherever they lie."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from holotype.errors import ArchiveError, ForeignFiles, PackError
from holotype.files import printable
from holotype.store.archives import open_archive, open_pack, read_file
from holotype.store.bucket import is_url
from holotype.store.location import PACK, TREE, Location
from holotype.store.objects import place
from holotype.store.openfiles import MAX_BYTES, OpenFile, OpenFiles, RemoteFile
from holotype.store.reach import ANYWHERE, Folders, outside, real

_OPEN_FILES = 64


class Store:
    """Reads locations in a folder of packs or of a release's shards, and in archives and trees below `folders`.

    Keeps up to 64 files open. Thread-safe; pickles as its folders.
    """

    def __init__(self, packs: Path, folders: Folders = ANYWHERE) -> None:
        self._folder = packs
        self._below = folders
        self._anywhere = folders == ANYWHERE
        self._places: dict[str, str] = {}
        self._files = OpenFiles(self._open, _OPEN_FILES)

    def __reduce__(self) -> tuple[type[Store], tuple[Path, Folders]]:
        return Store, (self._folder, self._below)

    def read(self, location: Location) -> bytes:
        """The bytes at `location`, by one `pread`, or the file in its folder.

        Raises if they are not there any more: `PackError` for packs, `ArchiveError` for what was imported, and that
        before memory is taken. An archive's size and time of change are compared whenever it is opened. Raises
        `ForeignFiles` for what lies elsewhere than below the folders.
        """
        if location.kind == PACK:
            return self._read_pack(location)
        return self._read_file(location) if location.kind == TREE else self._read_archive(location)

    def read_many(self, locations: Sequence[Location]) -> list[bytes]:
        """The bytes at many locations; neighbours in an object by one request. Raises as `read` does."""
        found: dict[int, bytes] = {}
        by_object: dict[tuple[str, int, int], list[int]] = defaultdict(list)
        for number, one in enumerate(locations):
            if is_url(one.file) and one.kind not in (PACK, TREE):
                by_object[one.file, one.size, one.mtime_ns].append(number)
            else:
                found[number] = self.read(one)
        for numbers in by_object.values():
            found.update(zip(numbers, self._read_object([locations[number] for number in numbers]), strict=True))
        return [found[number] for number in range(len(locations))]

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
        path, offset, length = self._place(location.file), location.offset, location.length
        if length > MAX_BYTES:
            raise ArchiveError(f"{path}: {length:,} bytes at {offset:,} are over the limit of {MAX_BYTES:,}")
        try:
            return self._files[path, (location.size, location.mtime_ns)].read(offset, length)
        except EOFError as error:
            raise ArchiveError(f"{path} has {error}: it is shorter than it was; import it again") from error
        except OSError as error:
            raise ArchiveError(f"cannot read {path}: {error.strerror}") from error

    def _read_object(self, locations: Sequence[Location]) -> list[bytes]:
        """The bytes at locations in one archive of an object store."""
        first = locations[0]
        path = self._place(first.file)
        if any(one.length > MAX_BYTES for one in locations):
            raise ArchiveError(f"{path}: an image is over the limit of {MAX_BYTES:,} bytes")
        try:
            file = self._files[path, (first.size, first.mtime_ns)]
            ranges = [(one.offset, one.length) for one in locations]
            return file.read_many(ranges) if isinstance(file, RemoteFile) else [file.read(*one) for one in ranges]
        except EOFError as error:
            raise ArchiveError(f"{path} has {error}: it is shorter than it was; import it again") from error
        except OSError as error:
            raise ArchiveError(f"cannot read {path}: {error.strerror}") from error

    def _read_file(self, location: Location) -> bytes:
        data = read_file(place(self._place(location.file)), location.path)
        if len(data) != location.length:
            raise ArchiveError(
                f"{location.file}/{location.path} has changed since it was imported (another size); import it again"
            )
        return data

    def _place(self, file: str) -> str:
        """Where an archive or a tree truly lies: what is opened is what was judged."""
        if self._anywhere:
            return file
        if file not in self._places:
            if outside([file], self._below):
                raise ForeignFiles(self._folder, [printable(file)])
            self._places[file] = str(real(file))
        return self._places[file]

    def _open(self, key: tuple[str, tuple[int, int] | None]) -> OpenFile | RemoteFile:
        file, state = key
        return open_pack(self._folder, file) if state is None else open_archive(file, *state)
