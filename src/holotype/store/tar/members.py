"""Small members of a tar, compressed with gzip or not, read in one pass and in bounded memory.

What comes beside the images (boxes, devkit) is small and compressed. `tarfile` takes whatever memory a header asks for,
and where a header is damaged or missing it stops in silence; here both are errors.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.store.opening import opened_file
from holotype.store.tar.headers import LONGEST, parse_extended

LARGEST_IN_ALL: Final = 4 << 30
"""Bytes that an archive may expand to. The official boxes of ILSVRC2012's training images need about 0.9 GB."""

_BLOCK = 512
_STEP = 1 << 20
_LARGEST_NESTED = 64 << 20
_NESTED = (".tar", ".tar.gz", ".tgz")
_GZIP = b"\x1f\x8b"
_AGAIN = "download it again"


@dataclass(slots=True)
class _Budget:
    left: int


@dataclass(frozen=True, slots=True)
class _Tape:
    """Bytes of a tar called `where`, read forwards; `budget` is what all tars in the file may still expand to."""

    file: IO[bytes] | gzip.GzipFile
    where: str
    budget: _Budget

    def take(self, count: int, what: str) -> bytes:
        data = self._read(count, what)
        if len(data) < count:
            raise ArchiveError(f"{self.where} ends inside {what}, {count - len(data):,} bytes too early: {_AGAIN}")
        return data

    def _read(self, count: int, what: str) -> bytes:
        try:
            data = self.file.read(min(count, self.budget.left + 1))
        except EOFError as error:
            raise ArchiveError(f"{self.where} ends inside {what}, its gzip data are cut off: {_AGAIN}") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise ArchiveError(f"{self.where} is damaged at {what} ({error}): {_AGAIN}") from error
        self.budget.left -= len(data)
        if self.budget.left < 0:
            raise ArchiveError(f"{self.where} expands to more bytes than such an archive has, at {what}: not read on")
        return data

    def skip(self, count: int, what: str) -> None:
        for start in range(0, count, _STEP):
            self.take(min(_STEP, count - start), what)

    def finish(self) -> None:
        """Read the zeros behind the last member: only at their end does gzip compare its checksum."""
        while data := self._read(_STEP, "its end"):
            if data.count(0) < len(data):
                raise ArchiveError(f"{self.where} goes on after its end mark: it is damaged, {_AGAIN}")


def read_members(
    path: Path, suffixes: tuple[str, ...], largest: int, in_all: int = LARGEST_IN_ALL
) -> Iterator[tuple[str, bytes]]:
    """``(name, bytes)`` of the plain members whose names end with one of `suffixes`, in order.

    The tar may be compressed with gzip, and may hold such tars, whose members then come as ``outer.tar.gz/member``.
    macOS's ``._`` companions are passed over.

    Raises `ArchiveError` naming the member: deeper archives, one of more than `largest` bytes, more than `in_all` bytes
    together, links and devices, absolute names or names with ``..``, damage, a missing end, anything behind the end.
    """
    try:
        with opened_file(path) as file:
            yield from _read(_opened(file, printable(path), _Budget(in_all)), "", suffixes, largest)
    except OSError as error:
        raise ArchiveError(f"cannot read {printable(path)}: {error.strerror or error}") from error


def _opened(file: IO[bytes], where: str, budget: _Budget) -> _Tape:
    compressed = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    return _Tape(gzip.GzipFile(fileobj=file, mode="rb") if compressed else file, where, budget)


def _read(tape: _Tape, inside: str, suffixes: tuple[str, ...], largest: int) -> Iterator[tuple[str, bytes]]:
    for name, size in _members(tape):
        what = repr(name)
        if name.endswith(suffixes) and not name.rpartition("/")[2].startswith("._"):
            yield inside + name, _content(tape, size, largest, what)
        elif name.endswith(_NESTED):
            if inside:
                raise ArchiveError(
                    f"{tape.where}: member {what} is a third archive inside the other two: unpack it first"
                )
            data = _content(tape, size, _LARGEST_NESTED, what)
            nested = _opened(io.BytesIO(data), f"{tape.where}/{name}", tape.budget)
            yield from _read(nested, f"{name}/", suffixes, largest)
        else:
            tape.skip(_padded(size), what)


def _content(tape: _Tape, size: int, largest: int, what: str) -> bytes:
    if size > largest:
        raise ArchiveError(f"{tape.where}: member {what} has {size:,} bytes, more than the {largest:,} allowed")
    return tape.take(_padded(size), what)[:size]


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _members(tape: _Tape) -> Iterator[tuple[str, int]]:
    """Name and size of each plain member; whoever asks for the next has read its padded data."""
    what = "its first header"
    stated: dict[str, bytes] = {}
    while any(block := tape.take(_BLOCK, what)):
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise ArchiveError(f"{tape.where} is not a tar, or is damaged, at {what} ({error}): {_AGAIN}") from error
        if header.size < 0:
            raise ArchiveError(f"{tape.where} has a member of negative size at {what}: {_AGAIN}")
        if header.type in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE):
            stated |= _extended(tape, header)
            continue
        name = stated["path"].decode(errors="surrogateescape") if "path" in stated else header.name
        size = int(stated.get("size", header.size))
        stated = {}
        _check(tape.where, name, header)
        what = f"the header after {name!r}"
        if header.isreg():
            yield name, size
    tape.finish()


def _extended(tape: _Tape, header: tarfile.TarInfo) -> dict[str, bytes]:
    """The name and the size that an extended header states for the next member."""
    data = _content(tape, header.size, LONGEST[header.type], "an extended header")
    try:
        return parse_extended(header.type, data)
    except ValueError as error:
        raise ArchiveError(f"{tape.where} {error}") from error


def _check(where: str, name: str, header: tarfile.TarInfo) -> None:
    if name.startswith("/") or ".." in name.split("/") or not name.isprintable() or not name:
        raise ArchiveError(f"{where}: refused for the name of its member {name!r}")
    if header.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE):
        kind = "a link" if header.issym() or header.islnk() else "no plain file"
        raise ArchiveError(f"{where}: member {name!r} is {kind}: such an archive is not read")
