"""Shards without some of their images: the other samples are copied as they are, and read once, to be hashed."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.errors import ReleaseError
from holotype.store.tar.headers import BLOCK
from holotype.store.tar.writing import tar_end

Numbers = npt.NDArray[np.int64]
_PIECE: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Recut:
    """A shard that was copied: the sha256 of what was read and of what was written, and the offset of each image that
    was kept, ``(kept,)``."""

    read: str
    written: str
    offset: Numbers


def recut(source: Path, target: Path, offset: Numbers, length: Numbers, gone: npt.NDArray[np.bool_]) -> Recut:
    """Copy a shard without the samples of the images that are `gone`.

    `offset` and `length` ``(images,)`` are those of all of its images, ascending: a sample begins with the header of
    its image and ends where the next one begins.

    Raises `ReleaseError` where the shard is not laid out so.
    """
    with source.open("rb") as file, target.open("wb") as made:
        size = os.fstat(file.fileno()).st_size
        starts = offset - BLOCK
        ends = np.append(starts[1:], _end(file, int(offset[-1]), int(length[-1]), size))
        if starts[0] != 0 or (ends < offset + length).any():
            raise ReleaseError(f"{source} has more in it than the images of the manifest")
        file.seek(0)
        seen, kept = hashlib.sha256(), hashlib.sha256()
        moved, places = 0, []
        for start, end, lost in zip(starts.tolist(), ends.tolist(), gone.tolist(), strict=True):
            if not lost:
                places.append(moved + BLOCK)
                moved += end - start
            _copy(file, end - start, seen, None if lost else made, kept)
        _copy(file, size - int(ends[-1]), seen, None, kept)
        made.write(last := tar_end(moved))
        kept.update(last)
        made.flush()
        os.fsync(made.fileno())
    return Recut(seen.hexdigest(), kept.hexdigest(), np.array(places, np.int64))


def _copy(
    file: io.BufferedReader, size: int, seen: hashlib._Hash, made: io.BufferedWriter | None, kept: hashlib._Hash
) -> None:
    while size:
        piece = file.read(min(size, _PIECE))
        if not piece:
            raise ReleaseError(f"{file.name} is shorter than its images")
        seen.update(piece)
        if made is not None:
            made.write(piece)
            kept.update(piece)
        size -= len(piece)


def _end(file: io.BufferedReader, offset: int, length: int, size: int) -> int:
    """Where the sample of the last image ends: what follows is zeros."""
    place = offset + length + -length % BLOCK
    while place + BLOCK <= size:
        file.seek(place)
        header = file.read(BLOCK)
        if not any(header):
            return place
        try:
            held = int(header[124:135], 8)
        except ValueError as error:
            raise ReleaseError(f"{file.name} has a member at byte {place} that is none of a release's") from error
        place += BLOCK + held + -held % BLOCK
    raise ReleaseError(f"{file.name} does not end as a shard does")


def renumbered(names: Mapping[str, bool]) -> dict[str, str]:
    """New names of the shards of which anything is kept: numbers without a gap in each split."""
    counts: dict[str, int] = {}
    found = {}
    for name in sorted(name for name, kept in names.items() if kept):
        split = name.rpartition("-")[0]
        found[name] = f"{split}-{counts.get(split, 0):06d}.tar"
        counts[split] = counts.get(split, 0) + 1
    return found
