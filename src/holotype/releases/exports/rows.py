"""Rows of a release's tables by their numbers, in any order: memory holds a part of them at a time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from holotype.errors import ReleaseError
from holotype.files import local
from holotype.releases.bounds import check_size
from holotype.releases.layout import SCHEMAS
from holotype.releases.release import check_table

Numbers = npt.NDArray[np.integer[Any]]
Pieces = list[list[tuple[int, int]]]
"""Where the pieces of each part lie in a file: offset and length."""

_BATCH: Final = 1 << 10
_PART: Final = 1 << 14
_PARTS: Final = 1 << 8
_PLACE: Final = "place in the order"


def rows_of(path: Path, numbers: Numbers, scratch: Path | None) -> Iterator[pa.Table]:
    """The rows of a table with these numbers, in their order and as often as they are named, some at a time.

    Where numbers ascend, the file is read through once. Otherwise rows are dealt to parts of the order first, in a
    file without a name in the folder `scratch`, and each part is sorted in memory. Raises `ReleaseError` where the
    table cannot be read, or has other columns than its format or empty cells.
    """
    ascending = bool((numbers[1:] >= numbers[:-1]).all())
    for table in _ascending(path, numbers) if ascending else _dealt(path, numbers, scratch):
        for first in range(0, len(table), _BATCH):
            yield table.slice(first, _BATCH)


def _ascending(path: Path, numbers: Numbers) -> Iterator[pa.Table]:
    """Rows whose numbers ascend; row groups without any are not read."""
    start = done = 0
    check_size(path)
    try:
        with pq.ParquetFile(local(path)) as file:
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if done == np.searchsorted(numbers, start + rows):
                    start += rows
                    continue
                for batch in file.iter_batches(_PART, row_groups=[group]):
                    end = int(np.searchsorted(numbers, start + len(batch)))
                    table = pa.Table.from_batches([batch])
                    check_table(path, table, *SCHEMAS[path.name])
                    if end > done:
                        yield table.take(pa.array(numbers[done:end] - start))
                    start, done = start + len(batch), end
    except (OSError, pa.ArrowException) as error:
        raise ReleaseError(f"cannot read {path}: {error}") from error


def _dealt(path: Path, numbers: Numbers, scratch: Path | None) -> Iterator[pa.Table]:
    """Rows in any order."""
    with tempfile.TemporaryFile(dir=scratch) as file:
        schema, parts = _deal(path, numbers, file)
        for pieces in parts:
            read = (pa.py_buffer(os.pread(file.fileno(), length, offset)) for offset, length in pieces)
            held = pa.Table.from_batches([pa.ipc.read_record_batch(piece, schema) for piece in read]).combine_chunks()
            order = np.argsort(held[_PLACE].to_numpy(), kind="stable")
            yield held.drop_columns([_PLACE]).take(pa.array(order))


def _deal(path: Path, numbers: Numbers, file: IO[bytes]) -> tuple[pa.Schema, Pieces]:
    """Write the rows to a file, in pieces each of which belongs to one part of the order."""
    by_number = np.argsort(numbers, kind="stable").astype(np.int32)
    rows = max(_PART, -(-len(numbers) // _PARTS))
    parts: Pieces = [[] for _ in range(0, len(numbers), rows)]
    schema, start = pa.schema([]), 0
    for table in _ascending(path, numbers[by_number]):
        places = by_number[start : start + len(table)]
        start += len(table)
        part = places // rows
        order = np.argsort(part, kind="stable")
        batch = table.append_column(_PLACE, pa.array(places)).take(pa.array(order)).combine_chunks().to_batches()[0]
        schema = batch.schema
        found, firsts = np.unique(part[order], return_index=True)
        for number, first, end in zip(found.tolist(), firsts.tolist(), [*firsts[1:].tolist(), len(part)], strict=True):
            data = batch.slice(first, end - first).serialize()
            parts[number].append((file.tell(), len(data)))
            file.write(data)
    file.flush()
    return schema, parts
