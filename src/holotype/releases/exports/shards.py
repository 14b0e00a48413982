"""Samples in files of about the same size, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path


def write_shards(
    samples: Iterable[bytes],
    name: str,
    folder: Path,
    most: int,
    end: Callable[[int], bytes] = lambda _: b"",
) -> list[Path]:
    """Write samples to files called `name` with their number, from 0; the next is begun when one has `most` bytes.

    `end` makes of the length of a file what it ends with. Gives the paths.
    """
    left, written = iter(samples), list[Path]()
    for number in count():
        first = next(left, None)
        if first is None:
            break
        written.append(folder / name.format(number))
        with written[-1].open("wb") as file:
            file.write(first)
            while file.tell() < most and (sample := next(left, None)) is not None:
                file.write(sample)
            file.write(end(file.tell()))
    return written
