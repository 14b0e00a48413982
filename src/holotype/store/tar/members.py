"""Small members of a tar, compressed with gzip or not, read in one pass and in bounded memory.

What comes beside the images (boxes, devkit) is small and compressed. `tarfile` takes whatever memory a header asks for,
and where a header is damaged or missing it stops in silence; here both are errors.
"""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.store.opening import opened_file
from holotype.store.tar.headers import COMPARE, DAMAGED
from holotype.store.tar.scan import Member, members

LARGEST_IN_ALL: Final = 4 << 30
"""Bytes that an archive may expand to. The official boxes of ILSVRC2012's training images need about 0.9 GB."""

_STEP = 1 << 20
_LARGEST_NESTED = 64 << 20
_NESTED = (".tar", ".tar.gz", ".tgz")
_GZIP = b"\x1f\x8b"
_AGAIN = "fetch it again"


@dataclass(slots=True)
class _Budget:
    left: int


class _Tape:
    """Bytes of a tar called `where`, read forwards; `budget` is what all tars in the file may still expand to."""

    def __init__(self, file: IO[bytes], where: str, budget: _Budget) -> None:
        compressed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        self._file = gzip.GzipFile(fileobj=file, mode="rb") if compressed else file
        self._at, self._what = 0, "its first header"
        self.where, self.budget = where, budget

    def members(self) -> Iterator[Member]:
        """The plain files. Raises `ArchiveError` for whatever is wrong with the tar, up to the last of its bytes."""
        try:
            for member in members(self.read, 0, sys.maxsize):
                if member.name:
                    self._what = repr(member.name)
                    yield member
        except ValueError as error:
            raise ArchiveError(f"{self.where} {error}") from error
        self._what = "its end"
        while data := self._some(_STEP):  # only at the end of all zeros does gzip compare its checksum
            if data.count(0) < len(data):
                raise ArchiveError(f"{self.where} goes on after its end mark: {DAMAGED}")

    def read(self, position: int, length: int) -> bytes:
        """The bytes from a position that is not passed yet. Raises `ArchiveError` where they are not all there."""
        for start in range(self._at, position, _STEP):
            self._all(min(_STEP, position - start))
        return self._all(length)

    def _all(self, count: int) -> bytes:
        data = self._some(count)
        if missing := count - len(data):
            raise ArchiveError(f"{self.where} ends at {self._what}, {missing:,} bytes too early: {_AGAIN}")
        return data

    def _some(self, count: int) -> bytes:
        try:
            data = self._file.read(min(count, self.budget.left + 1))
        except EOFError as error:
            raise ArchiveError(f"{self.where} ends at {self._what}, its gzip data are cut off: {_AGAIN}") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise ArchiveError(f"{self.where} is damaged at {self._what} ({error}): {COMPARE}") from error
        self._at += len(data)
        self.budget.left -= len(data)
        if self.budget.left < 0:
            raise ArchiveError(
                f"{self.where} expands to more bytes than such an archive has, at {self._what}: not read on"
            )
        return data


def read_members(
    path: Path, suffixes: tuple[str, ...], largest: int, in_all: int = LARGEST_IN_ALL
) -> Iterator[tuple[str, bytes]]:
    """``(name, bytes)`` of the plain members whose names end with one of `suffixes`, in order.

    The tar may be compressed with gzip, and may hold such tars, whose members then come as ``outer.tar.gz/member``.
    macOS's ``._`` companions are passed over.

    Raises `ArchiveError` naming the member: deeper archives, one of more than `largest` bytes, more than `in_all` bytes
    together, what `holotype.store.tar.scan.members` refuses, a missing end, anything behind the end.
    """
    try:
        with opened_file(path) as file:
            yield from _read(_Tape(file, printable(path), _Budget(in_all)), "", suffixes, largest)
    except OSError as error:
        raise ArchiveError(f"cannot read {printable(path)}: {error.strerror or error}") from error


def _read(tape: _Tape, inside: str, suffixes: tuple[str, ...], largest: int) -> Iterator[tuple[str, bytes]]:
    for member in tape.members():
        name = member.name
        if name.endswith(suffixes) and not name.rpartition("/")[2].startswith("._"):
            yield inside + name, _content(tape, member, largest)
        elif name.endswith(_NESTED):
            if inside:
                raise ArchiveError(
                    f"{tape.where}: member {name!r} is a third archive inside the other two: unpack it first"
                )
            data = io.BytesIO(_content(tape, member, _LARGEST_NESTED))
            yield from _read(_Tape(data, f"{tape.where}/{name}", tape.budget), f"{name}/", suffixes, largest)


def _content(tape: _Tape, member: Member, largest: int) -> bytes:
    if member.size > largest:
        raise ArchiveError(
            f"{tape.where}: member {member.name!r} has {member.size:,} bytes, more than the {largest:,} allowed"
        )
    return tape.read(member.offset, member.size)
