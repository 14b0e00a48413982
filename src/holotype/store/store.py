"""The one reader of images, wherever they lie."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from holotype.errors import ArchiveError, ForeignFiles, PackError
from holotype.files import printable
from holotype.store.archives import check_pack_name, open_archive, open_pack, read_file
from holotype.store.bucket import Bucket
from holotype.store.location import PACK, TREE, Location
from holotype.store.openfiles import MAX_BYTES, OpenFile, OpenFiles
from holotype.store.reach import ANYWHERE, Folders, outside, real

_OPEN_FILES = 64
_AT_ONCE = 4
"""Objects of a bucket that are read from at once."""


class Store:
    """Reads locations in a folder or a bucket of packs or of a release's shards, and in archives and trees below
    `folders`.

    Keeps up to 64 files open. Thread-safe; pickles as its folders.
    """

    def __init__(self, packs: Path | Bucket, folders: Folders = ANYWHERE) -> None:
        self._packs = packs
        self._folder = packs if isinstance(packs, Path) else Path()
        self._bucket = packs if isinstance(packs, Bucket) else None
        self._below = folders
        self._anywhere = folders == ANYWHERE
        self._places: dict[str, str] = {}
        self._files = OpenFiles(self._open, _OPEN_FILES)

    def __reduce__(self) -> tuple[type[Store], tuple[Path | Bucket, Folders]]:
        return Store, (self._packs, self._below)

    def read(self, location: Location) -> bytes:
        """The bytes at `location`, by one `pread`, or the file in its folder.

        Raises if they are not there any more: `PackError` for packs, `ArchiveError` for what was imported, and that
        before memory is taken. An archive's size and time of change are compared whenever it is opened. Raises
        `ForeignFiles` for what lies elsewhere than below the folders.
        """
        if location.kind == PACK:
            return self._read_pack(location)
        return self._read_file(location) if location.kind == TREE else self._read_archive(location)

    @property
    def is_far(self) -> bool:
        """Whether packs or shards lie in a bucket: asking takes long there, and is paid for."""
        return self._bucket is not None

    def read_many(self, locations: Sequence[Location]) -> list[bytes]:
        """The bytes at some locations, in their order: in a bucket neighbours by one request, and some at once.

        Raises what `read` does.
        """
        if (bucket := self._bucket) is None or any(one.kind != PACK for one in locations):
            return [self.read(one) for one in locations]
        of: dict[str, list[Location]] = {}
        for one in locations:
            of.setdefault(one.file, []).append(one)
        with ThreadPoolExecutor(min(len(of), _AT_ONCE) or 1) as pool:
            reads = pool.map(lambda file: iter(_ranges(bucket, file, of[file])), of)
            found = dict(zip(of, reads, strict=True))
        return [next(found[one.file]) for one in locations]

    def close(self) -> None:
        """Close every file."""
        self._files.clear()

    def _read_pack(self, location: Location) -> bytes:
        if self._bucket is not None:
            return _ranges(self._bucket, location.file, [location])[0]
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

    def _read_file(self, location: Location) -> bytes:
        data = read_file(Path(self._place(location.file)), location.path)
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

    def _open(self, key: tuple[str, tuple[int, int] | None]) -> OpenFile:
        file, state = key
        return open_pack(self._folder, file) if state is None else open_archive(file, *state)


def _ranges(bucket: Bucket, file: str, locations: Sequence[Location]) -> list[bytes]:
    """The bytes of an object at some locations."""
    check_pack_name(file)
    for one in locations:
        if not (one.offset >= 0 and 0 <= one.length <= MAX_BYTES):  # what others made may say anything
            raise PackError(f"{bucket.url}/{file}: {one.length:,} bytes at {one.offset:,} are no image")
    try:
        return bucket.read_ranges(file, [(one.offset, one.length) for one in locations])
    except EOFError as error:
        raise PackError(f"{bucket.url}/{file} has {error}") from error
