"""The hashes of images on disk, so that a new batch is compared with them without asking the catalog for each.

Two files: ``hashes`` has 64 bytes for each image, its permuted hash and that of its mirror image, and ``ids`` its id,
8 bytes, little-endian. Nothing in them says how many images count: the catalog does, with a digest that does not depend
on their order. What stands beyond that was written by a process that was stopped, and is written over by the next. So
the files are never believed, only compared; lost, they are made anew of the catalog.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.files import sync_folder
from holotype.images.near import Words, digest, interleaved
from holotype.images.near_join import Rows
from holotype.images.near_pairs import Numbers
from holotype.images.near_tables import Bytes

_STEP: Final = 1 << 19
Batch = tuple[Numbers, Bytes, Bytes]
"""Ids, ``(n,)``, and hashes and mirrored hashes, ``(n, 32)`` packed bits."""


class Index:
    """Images' ids and hashes in files of a folder, in the order in which they were appended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hashes, self._ids = folder / "hashes", folder / "ids"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process writes here; none does while this lasts. Makes the folder."""
        self._folder.mkdir(exist_ok=True)
        with (self._folder / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def append(self, count: int, batches: Iterable[Batch]) -> int:
        """Let batches follow the first `count` images; how many there are then, durably."""
        for path, size in ((self._hashes, 64), (self._ids, 8)):
            path.touch()
            os.truncate(path, count * size)
        with self._hashes.open("ab") as hashes, self._ids.open("ab") as ids:
            for numbers, straight, mirrored in batches:
                hashes.write(interleaved(straight, mirrored).data)
                ids.write(numbers.astype("<i8").data)
                count += len(numbers)
            for file in (hashes, ids):
                file.flush()
                os.fsync(file.fileno())
        sync_folder(self._folder)
        return count

    def rows(self, count: int) -> Rows:
        """The hashes of the first `count` images."""
        return Rows(self._hashes, 2 * count, twins=True)

    def ids(self, places: Numbers) -> Numbers:
        """The ids of images by their places."""
        if not len(places):
            return np.empty(0, np.int64)
        return np.asarray(np.memmap(self._ids, "<i8", "r")[places], np.int64)

    def holds(self, count: int, digest: str) -> bool:
        """Whether the first `count` images are those of a digest."""
        try:
            return self.digest(count) == digest
        except (OSError, ValueError):  # no files, or too short
            return False

    def digest(self, count: int, first: int = 0, before: str = "0") -> str:
        """Tells which images the first `count` are, with which hashes, in 16 hexadecimal digits; where that of the
        `first` of them is known, `before`, only the others are read.

        Raises OSError or ValueError where there are not so many.
        """
        total = int(before, 16)
        if count > first:
            rows, ids = self.rows(count).read(), np.memmap(self._ids, "<i8", "r", shape=(count,))
            for start in range(first, count, _STEP):
                stop = min(start + _STEP, count)
                some = _digests(np.asarray(ids[start:stop]), rows[2 * start : 2 * stop])
                total += int(some.sum(dtype=np.uint64))
        return f"{total % (1 << 64):016x}"


def _digests(ids: npt.NDArray[np.int64], rows: Bytes) -> Words:
    of = digest(rows).reshape(-1, 2)
    every = np.zeros((len(ids), 4), np.uint64)
    every[:, 0], every[:, 1:3] = ids.astype(np.uint64), of
    return digest(every.view(np.uint8))
