"""Opening a file of other people: as it is, or the one file in a gzip, zip or tar, unpacked as it is read.

What is counted are the bytes that come out, not what a header says of them. Nothing is written, but for a form that
must be read from several places, which is unpacked to a file that is gone afterwards.
"""

from __future__ import annotations

import gzip
import io
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holotype.benchmark.reading.limits import Limits
from holotype.benchmark.reading.tapes import tar_member
from holotype.benchmark.reading.zips import NO_FILES, only_member, opened_zip
from holotype.errors import ArchiveError, PredictionError
from holotype.files import printable
from holotype.store.opening import opened_file
from holotype.store.tar.headers import BLOCK, parse_header

HEAD: Final = 4096
"""Bytes by which a form is told."""
_STEP: Final = 1 << 20
_GZIP, _ZIP = b"\x1f\x8b", b"PK\3\4"
_OTHERS: Final = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "rar",
}
_ARCHIVES: Final = {".gz": "gzip", ".tgz": "gzip", ".zip": "zip", ".tar": "tar"}


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A file that is open: `where` it is for messages, the `name` that its form is told by, and its bytes.

    `path` is that of the plain file, None where the bytes come out of an archive.
    """

    where: str
    name: str
    file: io.BufferedReader
    path: Path | None

    def head(self) -> bytes:
        """The first bytes, which are read again."""
        return self.file.peek(HEAD)[:HEAD]


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[Source]:
    """A file to read, of at most so many bytes when it is unpacked.

    Raises `PredictionError`: what is no plain file, or is called otherwise than it is; archives that hold more than a
    file, links, other archives, names that lead out of a folder, what is encrypted, damaged, or larger than allowed.
    """
    where = printable(path)
    try:
        with opened_file(path) as file:
            kind = _kind(file, path.name)
            _check_name(path.name, kind, where)
            if kind:
                yield from _unpacked(file, kind, path.name, where, limits)
            elif (size := os.fstat(file.fileno()).st_size) > limits.bytes:
                raise PredictionError(f"{where} has {size:,} bytes, {limits.bytes:,} are allowed")
            else:
                yield Source(where, path.name, file, path)
    except OSError as error:
        raise PredictionError(f"cannot read {where}: {error.strerror or error}") from error
    except ArchiveError as error:
        raise PredictionError(str(error)) from error


@contextmanager
def seekable(source: Source) -> Iterator[Path]:
    """The path of a plain file with the bytes of a source."""
    if source.path is not None:
        yield source.path
        return
    with tempfile.NamedTemporaryFile(prefix="holotype-") as file:
        while data := source.file.read(_STEP):
            file.write(data)
        file.flush()
        yield Path(file.name)


def _kind(file: io.BufferedReader, name: str) -> str:
    """What sort of an archive a file is, "" for none. A zip of arrays is none unless its name says so: it is npz."""
    head = file.peek(BLOCK)[:BLOCK]
    if head.startswith((_ZIP, NO_FILES)):
        return "" if _is_npz(head) and not name.lower().endswith(".zip") else "zip"
    return _archive(head)


def _archive(head: bytes) -> str:
    if head.startswith(_GZIP):
        return "gzip"
    if head.startswith((_ZIP, NO_FILES)):
        return "zip"
    if other := next((name for magic, name in _OTHERS.items() if head.startswith(magic)), ""):
        return other
    return "tar" if _is_tar(head) else ""


def _is_tar(head: bytes) -> bool:
    if len(head) < BLOCK or not head[0]:
        return False
    try:
        parse_header(head[:BLOCK])
    except ValueError:
        return False
    return True


def _is_npz(head: bytes) -> bool:
    """Whether the first member of a zip is an array."""
    length = int.from_bytes(head[26:28], "little")
    return head.startswith(_ZIP) and head[30 : 30 + length].endswith(b".npy")


def _check_name(name: str, kind: str, where: str) -> None:
    """Raise `PredictionError` where a name says another archive than the file is."""
    said = next((archive for ending, archive in _ARCHIVES.items() if name.lower().endswith(ending)), "")
    if said != kind and said:
        raise PredictionError(f"{where} is called {Path(name).suffix}, but is {kind or 'no archive'}")
    if kind in _OTHERS.values():
        raise PredictionError(f"{where} is packed with {kind}: hand it in plain, or with gzip, zip or tar")
    if kind and not said and Path(name).suffix:
        raise PredictionError(f"{where} is called {Path(name).suffix[:20]}, but is {kind}")


def _unpacked(file: io.BufferedReader, kind: str, name: str, where: str, limits: Limits) -> Iterator[Source]:
    if kind == "zip":
        with opened_zip(file, where) as archive:
            member = only_member(archive, where)
            with archive.open(member) as packed:
                yield _plain(packed.read, where, Path(member.filename).name, limits.bytes)
        return
    read: Callable[[int], bytes] = file.read
    if kind == "gzip":
        read = gzip.GzipFile(fileobj=file, mode="rb").read
        name = name.lower().removesuffix(".gz").replace(".tgz", ".tar")
        unpacked = _reader(read, where, limits.bytes)
        if not _is_tar(unpacked.peek(BLOCK)[:BLOCK]):
            yield _checked(Source(where, name, unpacked, None))
            return
        read = unpacked.read
    first, rest = tar_member(read, where)
    yield _plain(rest, where, first, limits.bytes)


def _plain(read: Callable[[int], bytes], where: str, name: str, most: int) -> Source:
    return _checked(Source(f"{where}/{name}", name, _reader(read, where, most), None))


def _checked(source: Source) -> Source:
    if kind := _archive(source.head()):
        raise PredictionError(f"{source.where} is an archive in an archive ({kind}): hand in the file itself")
    return source


def _reader(read: Callable[[int], bytes], where: str, most: int) -> io.BufferedReader:
    return io.BufferedReader(_Counted(read, where, most), _STEP)


class _Counted(io.RawIOBase):
    """Bytes that something unpacks, at most so many."""

    def __init__(self, read: Callable[[int], bytes], where: str, most: int) -> None:
        self._read, self._where, self._left, self._most = read, where, most, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._read(min(len(buffer), self._left + 1))
        except EOFError as error:
            raise PredictionError(f"{self._where} is cut off") from error
        except (gzip.BadGzipFile, zlib.error, zipfile.BadZipFile, ValueError) as error:
            raise PredictionError(f"{self._where} is damaged: {error}") from error
        self._left -= len(data)
        if self._left < 0:
            raise PredictionError(f"{self._where} unpacks to more than the {self._most:,} bytes allowed")
        buffer[: len(data)] = data
        return len(data)
