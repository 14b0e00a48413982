"""Archives that are open for reading: on a disk, or by ranges in an object store; and what the latter will take."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.shapes import Kind, Source
from holotype.store.allowance import Allowance, Cost
from holotype.store.objects import ObjectPath
from holotype.store.openfiles import RemoteFile
from holotype.store.opening import opened_file
from holotype.store.tar.ahead import Ahead, cost, nested_cost
from holotype.store.tar.scan import Read, in_file, read_headers

_SAMPLE: Final = 16
"""Members by which it is told how many others there are."""
_BESIDE: Final = 9
"""Requests for the state of an object and its first header while it is imported; those cost no bytes to speak of."""


class Opened(NamedTuple):
    """A file that is open: what `read`s its headers in order, its `size` in bytes, and what may `fetch` any of it."""

    read: Read
    size: int
    fetch: Read


@contextmanager
def opened(
    path: Path, allowance: Allowance | None = None, at_once: int = 1, stride: float | None = None
) -> Iterator[Opened]:
    """A plain file, or an object, whose headers are read by so many requests `at_once`; about how many bytes lie
    between them is its `stride`, if that is known. Raises `ArchiveError`."""
    if isinstance(path, ObjectPath):
        allowance = allowance or Allowance()
        with _told(path), Ahead(RemoteFile(path), allowance, at_once=at_once, stride=stride) as ahead:
            yield Opened(ahead, ahead.stop, ahead.fetch)
        return
    try:
        file = opened_file(path)
    except OSError as error:
        raise ArchiveError(f"cannot open {path}: {error.strerror}") from error
    with file:
        read = in_file(file.fileno())
        yield Opened(read, os.fstat(file.fileno()).st_size, read)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except EOFError as error:
        raise ArchiveError(f"{path} has {error}") from error
    except OSError as error:
        raise ArchiveError(f"cannot read {path}: {error.strerror}") from error


def expected_cost(source: Source) -> Cost:
    """About what it takes to find out whether a tar in an object store is sound and to read its headers, by the first
    of them, which were read for that.

    A tree of objects takes nothing but its listing. Raises `ArchiveError` where there is no sound tar.
    """
    path = source.path
    if not isinstance(path, ObjectPath) or not path.is_file():
        return Cost(0, 0)
    looked = Allowance()
    with _told(path):
        file = RemoteFile(path)
        needed = _needed(file, source.kind is Kind.SYNSETS, looked)
    return needed.plus(Cost(looked.requests + _BESIDE, looked.received))


def _needed(file: RemoteFile, nested: bool, looked: Allowance) -> Cost:
    """About what reading the headers of a tar takes, or of tars in it; that this was `looked` at is not in it."""
    start, stop, where = 0, file.size, printable(file.url)
    if nested:
        outer = read_headers(Ahead(file, looked, at_once=1), where, 0, file.size, 1, 0)
        if outer.names:
            start, stop = outer.offsets[0], outer.offsets[0] + outer.lengths[0]
    headers = Ahead(file, looked, start, stop, at_once=1)
    read_headers(headers, where, start, stop, _SAMPLE)
    return nested_cost(file.size, stop, headers.stride) if nested else cost(file.size, headers.stride)
