"""Where each file's bytes lie in a tar, by its headers: of any bytes that can be read forwards, and of an open file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from holotype.errors import ArchiveError
from holotype.store.tar.headers import (
    BLOCK,
    FILES,
    FOLDER,
    LONGEST,
    other_format,
    parse_extended,
    parse_header,
    refused,
    safe_name,
    shown,
)

Read = Callable[[int, int], bytes]
"""Reads so many bytes from a position, all of them, or raises an error. Positions only grow."""

_ZEROS = bytes(BLOCK)
_PADDING = 1 << 20
_MOST_EXTENDED = 8
_DAMAGED = "it is damaged; fetch it again"
_GO_ON = "the download is incomplete; go on with it (wget --continue) or fetch it again"


@dataclass(frozen=True, slots=True)
class Headers:
    """Plain files of a tar, in order, as columns of equal length.

    `offsets` are those of the data, in bytes from the beginning of the file that the tar lies in; `lengths` are in
    bytes. `next` is where to go on; None where the end of the tar was reached.
    """

    names: list[str]
    offsets: list[int]
    lengths: list[int]
    next: int | None


class Member(NamedTuple):
    """A plain file: its `name`, where its `size` bytes begin, and where the `next` header is. A folder has no name."""

    name: str
    offset: int
    size: int
    next: int


def read_headers(file: int, where: str, start: int, stop: int, limit: int = 100_000) -> Headers:
    """At most `limit` files of the tar that lies in the open `file` from byte `start` to before byte `stop`.

    `start` may be what `next` was. Folders are left out. One small `pread` per member, none of its data.
    Raises `ArchiveError`, which calls the tar `where` and counts bytes from the beginning of `file`, for what is
    damaged, cut short or no tar, and for a member that is not a plain file with a safe name.
    """
    names: list[str] = []
    offsets: list[int] = []
    lengths: list[int] = []
    read, position = partial(_read, file, stop), start
    try:
        if stop - start < BLOCK and (what := other_format(read(start, stop - start))):
            raise ValueError(what)
        for name, offset, length, following in members(read, start, stop):
            if len(names) == limit:
                return Headers(names, offsets, lengths, position)
            if name:
                names.append(name)
                offsets.append(offset)
                lengths.append(length)
            position = following
        _check_end(read, start, position, stop)
    except ValueError as error:
        raise ArchiveError(f"{where} {error}") from error
    except OSError as error:
        raise ArchiveError(f"{where} cannot be read: {error.strerror}") from error
    return Headers(names, offsets, lengths, None)


def whole_members(file: int, start: int) -> Iterator[Member]:
    """The members of the tar in an open `file` from byte `start` to its end, or to the first damaged or unfinished.

    Raises OSError where the file cannot be read.
    """
    stop = os.fstat(file).st_size
    with suppress(ValueError):
        yield from members(partial(_read, file, stop), start, stop)


def members(read: Read, start: int, stop: int) -> Iterator[Member]:
    """The members of a tar from byte `start` up to its end mark, in order; none reaches beyond byte `stop`.

    Only headers are read. Raises ValueError, whose text lacks its subject, for what is damaged or no tar, and for a
    member that is not a plain file with a safe name.
    """
    tar = _Tar(read, start, stop)
    position = start
    while (block := read(position, BLOCK)) != _ZEROS:
        yield (member := tar.member(position, block))
        position = member.next


def _read(file: int, stop: int, position: int, length: int) -> bytes:
    data = os.pread(file, length, position) if position + length <= stop else b""
    if len(data) != length:
        raise ValueError(f"ends at byte {stop:,} without an end mark: {_GO_ON}")
    return data


def _check_end(read: Read, start: int, position: int, stop: int) -> None:
    """What follows the end mark may only be the zeros that fill a record."""
    rest = stop - position
    if position == start:
        raise ValueError(f"begins with zeros and holds nothing: {_GO_ON}")
    if rest > _PADDING:
        raise ValueError(
            f"has an end mark at byte {position:,} but goes on for {rest:,} bytes: the download is unfinished "
            "(go on with it: wget --continue), or archives were joined (give them one by one)"
        )
    padding = read(position, max(rest, 2 * BLOCK))
    if used := padding.lstrip(b"\0"):
        raise ValueError(
            f"has an end mark at byte {position:,} but goes on at byte {stop - len(used):,}: it is damaged "
            "(fetch it again), or archives were joined (give them one by one)"
        )


@dataclass(frozen=True, slots=True)
class _Tar:
    """A tar somewhere. What its errors say are predicates without their subject."""

    read: Read
    start: int
    stop: int

    def member(self, position: int, block: bytes) -> Member:
        """The member whose first header is `block`."""
        kind, name, size = self.header(position, block)
        if kind in LONGEST:
            position, kind, name, size = self.extended(position, kind, size)
        data = position + BLOCK
        try:
            plain = _plain_name(kind, name, size)
        except ValueError as error:
            raise ValueError(f"(at byte {position:,}) {error}") from error
        if data + size > self.stop:
            missing = data + size - self.stop
            raise ValueError(f"ends inside member {shown(name)}: {missing:,} bytes are missing; {_GO_ON}")
        return Member(plain, data, size, _after(data, size))

    def header(self, position: int, block: bytes) -> tuple[bytes, bytes, int]:
        try:
            return parse_header(block)
        except ValueError as error:
            what = other_format(block) if position == self.start else ""
            damaged = f"is damaged, or not a tar, at byte {position:,}: {error}; fetch it again"
            raise ValueError(what or damaged) from error

    def extended(self, position: int, kind: bytes, size: int) -> tuple[int, bytes, bytes, int]:
        """Where the header after the extended ones is, and what it and they state."""
        first, stated = position, dict[str, bytes]()
        for _ in range(_MOST_EXTENDED):
            more = self.extension(position, kind, size)
            if twice := stated.keys() & more.keys():
                raise ValueError(
                    f"states the {min(twice)} of a member twice, at byte {position:,}; pack the archive again"
                )
            stated |= more
            position = _after(position + BLOCK, size)
            block = self.read(position, BLOCK)
            if block == _ZEROS:
                raise ValueError(f"has an extended header at byte {first:,} that no member follows; fetch it again")
            kind, name, size = self.header(position, block)
            if kind not in LONGEST:
                return position, kind, stated.get("path", name), int(stated.get("size", size))
        raise ValueError(f"has more than {_MOST_EXTENDED} extended headers in a row at byte {first:,}; fetch it again")

    def extension(self, position: int, kind: bytes, size: int) -> dict[str, bytes]:
        if size > LONGEST[kind]:
            raise ValueError(f"has an extended header of {size:,} bytes at byte {position:,}: {_DAMAGED}")
        try:
            return parse_extended(kind, self.read(position + BLOCK, size))
        except ValueError as error:
            raise ValueError(f"(at byte {position:,}) {error}") from error


def _after(data: int, size: int) -> int:
    return data + -(-size // BLOCK) * BLOCK


def _plain_name(kind: bytes, name: bytes, size: int) -> str:
    """The name of a plain file; empty for a folder. Raises ValueError for anything else."""
    if kind in FILES and name[-1:] != b"/" and size < 2**63:
        return safe_name(name)
    if kind not in FILES and kind != FOLDER:
        raise ValueError(f"holds {shown(name)}, {refused(kind)}")
    if size >= 2**63:
        raise ValueError(f"holds {shown(name)} with an impossible size: {_DAMAGED}")
    safe_name(name.rstrip(b"/") or b"/")
    if size:
        raise ValueError(f"holds {shown(name)}, a folder with {size:,} bytes of its own: {_DAMAGED}")
    return ""
