"""Files and objects that stay open for reading, and are read at any place by many threads at once."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

from holotype.errors import ArchiveError, BucketError, ObjectChanged
from holotype.store.objects import ObjectPath

Key = TypeVar("Key", bound=Hashable)


class OpenFile:
    """A plain file open for reading; closed when its last user lets go of it.

    `flags` are added to those of opening, `folder` is the descriptor that a relative `path` starts from. `size` in
    bytes and `mtime_ns` are those at opening. Raises OSError where there is no such plain file; no pipe is waited for.
    """

    __slots__ = ("_descriptor", "mtime_ns", "size")

    def __init__(self, path: str | os.PathLike[str], flags: int = 0, folder: int | None = None) -> None:
        self._descriptor = -1
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | flags, dir_fd=folder)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "not a plain file")
        self._descriptor, self.size, self.mtime_ns = descriptor, status.st_size, status.st_mtime_ns

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def read(self, offset: int, length: int) -> bytes:
        """The `length` bytes from `offset`, by one `pread`.

        Raises EOFError if they are not all there, before memory is taken for them, and OSError if they cannot be read.
        """
        if not 0 <= offset <= offset + length <= self.size:
            self.size = os.fstat(self._descriptor).st_size  # it may have grown
            if not 0 <= offset <= offset + length <= self.size:
                raise EOFError(f"no bytes at {offset:,} + {length:,}")
        data = os.pread(self._descriptor, length, offset)
        if len(data) != length:
            raise EOFError(f"no bytes at {offset:,} + {length:,}")
        return data


class RemoteFile:
    """An object in an object store as it is at opening, read by ranges.

    `size` in bytes and `mtime_ns` are those of the object; what is read is of that content and no other. Raises OSError
    where there is no such object, or the store does not answer.
    """

    __slots__ = ("_bucket", "_etag", "_key", "mtime_ns", "size", "url")

    def __init__(self, path: ObjectPath) -> None:
        self.url, self._bucket, self._key = str(path), path.bucket, path.key
        with self._told():
            state = self._bucket.state(self._key) if self._key else None
        if state is None:
            raise OSError(errno.ENOENT, "there is no such object")
        self.size, self.mtime_ns, self._etag = state.size, state.mtime_ns, state.etag

    def read(self, offset: int, length: int) -> bytes:
        """The `length` bytes from `offset`, by one request.

        Raises EOFError if they are not all there, before anything is asked, `ArchiveError` where the object has been
        replaced, and OSError if they cannot be read.
        """
        self._check(offset, length)
        with self._told():
            return self._bucket.read(self._key, offset, length, self._etag)

    def read_many(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """The bytes of many ranges, each ``(offset, length)``, neighbours by one request. Raises as `read` does."""
        for offset, length in ranges:
            self._check(offset, length)
        with self._told():
            return self._bucket.read_ranges(self._key, ranges, self._etag)

    def _check(self, offset: int, length: int) -> None:
        if not 0 <= offset <= offset + length <= self.size:
            raise EOFError(f"no bytes at {offset:,} + {length:,}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except ObjectChanged as error:
            raise ArchiveError(f"{self.url} was replaced while it was read: nothing of it was taken") from error
        except BucketError as error:
            raise OSError(errno.EIO, error.reason) from error


class OpenFiles(Generic[Key]):
    """The `most` files used last, opened by `open_file` as they are asked for. Thread-safe.

    What a thread reads from stays open while it reads, also if it is forgotten here meanwhile.
    """

    def __init__(self, open_file: Callable[[Key], OpenFile | RemoteFile], most: int) -> None:
        self._open = open_file
        self._most = most
        self._files: OrderedDict[Key, OpenFile | RemoteFile] = OrderedDict()
        self._lock = threading.Lock()

    def __getitem__(self, key: Key) -> OpenFile | RemoteFile:
        with self._lock:
            file = self._files.get(key)
            if file is not None:
                self._files.move_to_end(key)
                return file
            file = self._files[key] = self._open(key)
            if len(self._files) > self._most:
                self._files.popitem(last=False)
            return file

    def clear(self) -> None:
        """Let go of every file."""
        with self._lock:
            self._files.clear()


MAX_BYTES: Final = 256 << 20
"""A larger file is rejected unread."""
