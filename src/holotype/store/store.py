"""The one reader of images, wherever they lie."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from holotype.errors import ArchiveError, BucketError, BucketGone, ForeignFiles, PackError
from holotype.files import printable
from holotype.store.archives import open_archive, open_pack, read_file
from holotype.store.bucket import Bucket, is_url
from holotype.store.cache import default_cache
from holotype.store.location import PACK, TREE, Location
from holotype.store.objects import place
from holotype.store.openfiles import MAX_BYTES, OpenFile, OpenFiles, RemoteFile
from holotype.store.pack_reading import PackReader
from holotype.store.reach import ANYWHERE, Folders, outside, real

_OPEN_FILES = 64
_AT_ONCE = 4
_AHEAD = 32 << 20


class Store:
    """Reads locations in packs or a release's shards, in a folder or an object store, and in archives and trees below
    `folders`.

    Keeps up to 64 files open, and what it read from an object store in the user's cache. Thread-safe; pickles as its
    folders.
    """

    def __init__(self, packs: Path | Bucket, folders: Folders = ANYWHERE) -> None:
        self._packs = packs
        self._place = packs.url if isinstance(packs, Bucket) else packs
        self._remote = PackReader(packs, default_cache()) if isinstance(packs, Bucket) else None
        self._below = folders
        self._anywhere = folders == ANYWHERE
        self._places: dict[str, str] = {}
        self._files = OpenFiles(self._open, _OPEN_FILES)

    def __reduce__(self) -> tuple[type[Store], tuple[Path | Bucket, Folders]]:
        return Store, (self._packs, self._below)

    @property
    def is_far(self) -> bool:
        """Whether packs or shards lie in an object store: asking takes long there, and is paid for."""
        return self._remote is not None

    def read(self, location: Location) -> bytes:
        """The bytes at `location`, by one `pread`, or the file in its folder.

        Raises if they are not there any more: `PackError` for packs, `ArchiveError` for what was imported, and that
        before memory is taken. An archive's size and time of change are compared whenever it is opened. Raises
        `ForeignFiles` for what lies elsewhere than below the folders.
        """
        if location.kind == PACK:
            return self._read_pack(location)
        return self._read_file(location) if location.kind == TREE else self._read_archive(location)

    def is_away(self, location: Location) -> bool:
        """Whether an image lies in an object store."""
        return self.is_far if location.kind == PACK else is_url(location.file)

    def read_many(self, locations: Sequence[Location]) -> list[bytes]:
        """The bytes at many locations, in their order: in an object store neighbours by one request, and some packs or
        archives at once. Raises as `read` does."""
        found: dict[int, bytes] = {}
        together: defaultdict[Location, list[int]] = defaultdict(list)
        for number, one in enumerate(locations):
            if one.kind != TREE and self.is_away(one):
                together[replace(one, offset=0, length=0)].append(number)
            else:
                found[number] = self.read(one)
        if together:
            wanted = [[locations[number] for number in numbers] for numbers in together.values()]
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                for numbers, read in zip(together.values(), pool.map(self._read_of_one, wanted), strict=True):
                    found.update(zip(numbers, read, strict=True))
        return [found[number] for number in range(len(locations))]

    def read_each(self, locations: Sequence[Location]) -> Iterator[bytes | ArchiveError | PackError]:
        """As `read_many`, one after the other, read ahead by some megabytes in an object store, with the error in the
        place of what is not there any more.

        Raises `BucketError` where an object store cannot be read at all.
        """
        if not any(map(self.is_away, locations)):
            yield from map(self._read_or_error, locations)
            return
        for some in _windows(locations):
            yield from self._read_window(some)

    def close(self) -> None:
        """Close every file."""
        self._files.clear()

    def _read_window(self, locations: Sequence[Location]) -> Sequence[bytes | ArchiveError | PackError]:
        try:
            return self.read_many(locations)
        except (ArchiveError, PackError) as error:
            _check_is_there(error)
        return [self._read_or_error(location) for location in locations]

    def _read_or_error(self, location: Location) -> bytes | ArchiveError | PackError:
        try:
            return self.read(location)
        except (ArchiveError, PackError) as error:
            _check_is_there(error)
            return error

    def _read_pack(self, location: Location) -> bytes:
        if self._remote is not None:
            return self._remote.read(location.file, location.offset, location.length)
        try:
            return self._files[location.file, None].read(location.offset, location.length)
        except EOFError as error:
            raise PackError(f"{self._place}/{location.file} has {error}") from error
        except OSError as error:
            raise PackError(f"cannot read {self._place}/{location.file}: {error.strerror}") from error

    def _read_archive(self, location: Location) -> bytes:
        return self._read_in_archive([location])[0]

    def _read_of_one(self, locations: Sequence[Location]) -> list[bytes]:
        """The bytes at locations in one pack or archive."""
        if self._remote is None or locations[0].kind != PACK:
            return self._read_in_archive(locations)
        return self._remote.read_many(locations[0].file, [(one.offset, one.length) for one in locations])

    def _read_in_archive(self, locations: Sequence[Location]) -> list[bytes]:
        """The bytes at locations in one archive."""
        first = locations[0]
        path = self._lies(first.file)
        for one in locations:
            if one.length > MAX_BYTES:
                raise ArchiveError(
                    f"{path}: {one.length:,} bytes at {one.offset:,} are over the limit of {MAX_BYTES:,}"
                )
        ranges = [(one.offset, one.length) for one in locations]
        try:
            file = self._files[path, (first.size, first.mtime_ns)]
            return file.read_many(ranges) if isinstance(file, RemoteFile) else [file.read(*one) for one in ranges]
        except EOFError as error:
            raise ArchiveError(f"{path} has {error}: it is shorter than it was; import it again") from error
        except OSError as error:
            raise ArchiveError(f"cannot read {path}: {error.strerror}") from error

    def _read_file(self, location: Location) -> bytes:
        data = read_file(place(self._lies(location.file)), location.path)
        if len(data) != location.length:
            raise ArchiveError(
                f"{location.file}/{location.path} has changed since it was imported (another size); import it again"
            )
        return data

    def _lies(self, file: str) -> str:
        """Where an archive or a tree truly lies: what is opened is what was judged."""
        if self._anywhere:
            return file
        if file not in self._places:
            if outside([file], self._below):
                raise ForeignFiles(self._place, [printable(file)])
            self._places[file] = str(real(file))
        return self._places[file]

    def _open(self, key: tuple[str, tuple[int, int] | None]) -> OpenFile | RemoteFile:
        file, state = key
        return open_archive(file, *state) if state is not None else open_pack(Path(self._place), file)


def _check_is_there(error: ArchiveError | PackError) -> None:
    """Raises the error where it is of an object store as a whole."""
    if isinstance(error, BucketError) and not isinstance(error, BucketGone):
        raise error


def _windows(locations: Sequence[Location]) -> Iterator[Sequence[Location]]:
    """Locations in pieces of at most 32 MiB of data, or of one."""
    start = held = 0
    for number, one in enumerate(locations):
        if number > start and held + one.length > _AHEAD:
            yield locations[start:number]
            start, held = number, 0
        held += one.length
    if start < len(locations):
        yield locations[start:]
