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
    COMPARE,
    DAMAGED,
    FILES,
    LONGEST,
    NO_FILES,
    PASSED_OVER,
    SPARSE,
    other_format,
    parse_extended,
    parse_header,
    refused,
    safe_name,
    shown,
)

Read = Callable[[int, int], bytes]
"""Reads so many bytes from a position, all of them, or raises EOFError. Positions only grow."""

_ZEROS = bytes(BLOCK)
_PADDING = 1 << 20
_LARGEST_RECORD = 64 << 20
_EMPTY = 1 << 16
_MOST_EXTENDED = 8
_MOST_SPARSE = 1 << 16
_GO_ON = "the download is incomplete; go on with it (wget --continue) or fetch it again"


@dataclass(frozen=True, slots=True)
class Headers:
    """Plain files of a tar, in order, as columns of equal length.

    `offsets` are those of the data, in bytes from the beginning of the file that the tar lies in; `lengths` are in
    bytes. `next` is where to go on; None where the end of the tar was reached. `passed_over` is the number of links,
    devices, pipes and sparse files among them.
    """

    names: list[str]
    offsets: list[int]
    lengths: list[int]
    next: int | None
    passed_over: int = 0


class Member(NamedTuple):
    """A plain file: its `name`, where its `size` bytes begin, and where the `next` header is.

    A folder has no name; nor has what is passed over, whose `offset` is -1.
    """

    name: str
    offset: int
    size: int
    next: int


def read_headers(
    file: Read, where: str, start: int, stop: int, limit: int = 100_000, begin: int | None = None
) -> Headers:
    """At most `limit` files of the tar that lies in a `file` from byte `start` to before byte `stop`.

    `start` may be what `next` was, of a tar that begins at byte `begin`. Folders are left out. One small read per
    member, none of its data. Raises `ArchiveError`, which calls the tar `where` and counts bytes from the beginning of
    `file`, for what is damaged, cut short or no tar, and for a member whose name is not safe or that could be
    understood in two ways.
    """
    passed_over = 0
    names: list[str] = []
    offsets: list[int] = []
    lengths: list[int] = []
    read, position = partial(_within, file, stop), start
    try:
        if stop - start < BLOCK and (what := other_format(read(start, stop - start))):
            raise ValueError(what)
        for name, offset, length, following in members(read, start, stop, lenient=True):
            if len(names) == limit:
                return Headers(names, offsets, lengths, position, passed_over)
            if name:
                names.append(name)
                offsets.append(offset)
                lengths.append(length)
            elif offset < 0:
                passed_over += 1
            position = following
        _check_end(read, start if begin is None else begin, position, stop)
    except ValueError as error:
        raise ArchiveError(f"{where} {error}") from error
    except OSError as error:
        raise ArchiveError(f"{where} cannot be read: {error.strerror}") from error
    return Headers(names, offsets, lengths, None, passed_over)


def whole_members(file: int, start: int) -> Iterator[Member]:
    """The members of the tar in an open `file` from byte `start` to its end, or to the first damaged or unfinished.

    Raises OSError where the file cannot be read.
    """
    stop = os.fstat(file).st_size
    with suppress(ValueError):
        yield from members(partial(_within, in_file(file), stop), start, stop)


def members(read: Read, start: int, stop: int, lenient: bool = False) -> Iterator[Member]:
    """The members of a tar from byte `start` up to its end mark, in order; none reaches beyond byte `stop`.

    Only headers are read. Raises ValueError, whose text lacks its subject, for what is damaged or no tar, and for a
    member that is not a plain file with a safe name; if `lenient` links, devices, pipes and sparse files are members.
    """
    tar = _Tar(read, start, stop, lenient)
    position = start
    while (block := read(position, BLOCK)) != _ZEROS:
        yield (member := tar.member(position, block))
        position = member.next


def in_file(file: int) -> Read:
    """Reads from an open file, by one `pread`."""

    def read(position: int, length: int) -> bytes:
        data = os.pread(file, length, position)
        if len(data) != length:
            raise EOFError
        return data

    return read


def _within(read: Read, stop: int, position: int, length: int) -> bytes:
    try:
        if position + length <= stop:
            return read(position, length)
    except EOFError:
        pass
    raise ValueError(f"ends at byte {stop:,} without an end mark: {_GO_ON}")


def _check_end(read: Read, start: int, position: int, stop: int) -> None:
    """What follows the end mark may only be the zeros that fill a record."""
    rest = stop - position
    if position == start and rest > _EMPTY:
        raise ValueError(f"begins with zeros and holds nothing: {_GO_ON}")
    if rest > _PADDING and not _is_record(stop - start, rest):
        raise ValueError(
            f"has an end mark at byte {position:,} but goes on for {rest:,} bytes: the download is unfinished "
            "(go on with it: wget --continue), or archives were joined (give them one by one)"
        )
    padding = read(position, max(rest, 2 * BLOCK))
    if used := padding.lstrip(b"\0"):
        raise ValueError(
            f"has an end mark at byte {position:,} but goes on at byte {stop - len(used):,}: it is damaged "
            "(compare it with the original), or archives were joined (give them one by one)"
        )


def _is_record(size: int, rest: int) -> bool:
    """Whether `rest` bytes may fill the last record of a tar, as those of ``tar -b 8192``: all records are as long."""
    record = 1 << max(rest - 1, 1).bit_length()
    return record <= _LARGEST_RECORD and size % record == 0


@dataclass(frozen=True, slots=True)
class _Tar:
    """A tar somewhere. What its errors say are predicates without their subject."""

    read: Read
    start: int
    stop: int
    lenient: bool = False

    def member(self, position: int, block: bytes) -> Member:
        """The member whose first header is `block`."""
        kind, name, size = self.header(position, block)
        if kind in LONGEST:
            position, kind, name, size = self.extended(position, kind, size)
        data = position + BLOCK
        try:
            plain = _plain_name(kind, name, size)
        except ValueError as error:
            if kind in PASSED_OVER and self.lenient:
                return self.passed_over(position, kind, name, size)
            raise ValueError(f"(at byte {position:,}) {error}") from error
        if data + size > self.stop:
            missing = data + size - self.stop
            raise ValueError(f"ends inside member {shown(name)}: {missing:,} bytes are missing; {_GO_ON}")
        return Member(plain, data, size, _after(data, size))

    def passed_over(self, position: int, kind: bytes, name: bytes, size: int) -> Member:
        """A member that is no file in one piece."""
        data = position + BLOCK
        try:
            safe_name(name)
            if size and kind != SPARSE:  # some readers take these for its data, some do not
                raise ValueError(f"holds {shown(name)}, {refused(kind)}, with {size:,} bytes of its own: {DAMAGED}")
        except ValueError as error:
            raise ValueError(f"(at byte {position:,}) {error}") from error
        if kind == SPARSE and self.read(position, BLOCK)[156:157] == SPARSE:
            data = self.after_map(position)
        if data + size > self.stop:
            raise ValueError(
                f"ends inside member {shown(name)}: {data + size - self.stop:,} bytes are missing; {_GO_ON}"
            )
        return Member("", -1, size, _after(data, size))

    def after_map(self, position: int) -> int:
        """Where the data of GNU's sparse file begin, behind the blocks that go on with the map in its header."""
        more, data = self.read(position, BLOCK)[482], position + BLOCK
        for _ in range(_MOST_SPARSE):
            if not more:
                return data
            more, data = self.read(data, BLOCK)[504], data + BLOCK
        raise ValueError(f"has a map of more than {_MOST_SPARSE:,} blocks at byte {position:,}: {DAMAGED}")

    def header(self, position: int, block: bytes) -> tuple[bytes, bytes, int]:
        try:
            return parse_header(block)
        except ValueError as error:
            what = other_format(block) if position == self.start else ""
            damaged = f"is damaged, or not a tar, at byte {position:,}: {error}; {COMPARE}"
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
                raise ValueError(f"has an extended header at byte {first:,} that no member follows: {DAMAGED}")
            kind, name, size = self.header(position, block)
            if kind not in LONGEST:
                if "sparse" in stated and kind in FILES:
                    kind = SPARSE
                return position, kind, stated.get("path", name), int(stated.get("size", size))
        raise ValueError(f"has more than {_MOST_EXTENDED} extended headers in a row at byte {first:,}: {DAMAGED}")

    def extension(self, position: int, kind: bytes, size: int) -> dict[str, bytes]:
        if size > LONGEST[kind]:
            raise ValueError(f"has an extended header of {size:,} bytes at byte {position:,}: {DAMAGED}")
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
    if kind not in FILES and kind not in NO_FILES:
        raise ValueError(f"holds {shown(name)}, {refused(kind)}")
    if size >= 2**63:
        raise ValueError(f"holds {shown(name)} with an impossible size: {DAMAGED}")
    safe_name(name.rstrip(b"/") or b"/")
    if size and kind != b"D":
        raise ValueError(f"holds {shown(name)}, a folder with {size:,} bytes of its own: {DAMAGED}")
    return ""
