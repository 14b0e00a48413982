"""A shard in a bucket read through once, in order: its sha256, and every image that lies in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from holotype.store.bucket import Bucket
from holotype.store.openfiles import MAX_BYTES

PART: Final = 8 << 20
"""Bytes that are asked for at once."""

Row = dict[str, Any]
Wrong = Callable[[bytes, Row], str]


@dataclass(frozen=True, slots=True)
class Streamed:
    """The sha256 of a shard, and what is wrong with its images, a line each."""

    sha256: str
    wrong: list[str]


def stream_shard(bucket: Bucket, name: str, size: int, rows: Iterable[Row], wrong: Wrong) -> Streamed:
    """Read a shard of so many bytes, and judge its images, whose `rows` have ``offset`` and ``length`` and come by
    offset; `wrong` says what is wrong with the bytes of one, "" where nothing is.

    Memory holds a part, and what images that reach into the next one have of it. Raises `BucketError` where the shard
    cannot be read, EOFError where it is shorter.
    """
    digest, said = hashlib.sha256(), list[str]()
    left = _inside(rows, size, said)
    row = next(left, None)
    held, start = bytearray(), 0
    for offset in range(0, size, PART):
        part = bucket.read(name, offset, min(PART, size - offset))
        digest.update(part)
        held += part
        while row is not None and row["offset"] + row["length"] <= start + len(held):
            data = bytes(held[row["offset"] - start : row["offset"] - start + row["length"]])
            if told := wrong(data, row):
                said.append(told)
            row = next(left, None)
        keep = start + len(held) if row is None else min(row["offset"], start + len(held))
        del held[: keep - start]
        start = keep
    return Streamed(digest.hexdigest(), said)


def _inside(rows: Iterable[Row], size: int, said: list[str]) -> Iterator[Row]:
    """The rows of images that can lie there, one behind the other; those of others are told."""
    end = 0
    for row in rows:
        offset, length = row["offset"], row["length"]
        if offset < end or not 0 <= length <= MAX_BYTES or offset + length > size:
            said.append(f"{row['id']} is not at {row['shard']} byte {offset}")
            continue
        end = offset + length
        yield row
