"""Writing the files of a release: the same rows and values are the same bytes, and on the disk when this returns."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.files import local

ROWS: Final = 1 << 16
"""Rows of a row group."""


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table, in row groups of `ROWS`."""
    starts = range(0, max(len(table), 1), ROWS)
    write_tables(path, (table.slice(start, ROWS).combine_chunks() for start in starts))


def write_tables(path: Path, tables: Iterable[pa.Table]) -> None:
    """Write tables of the same columns, one at least, as one: each begins a row group, and fills those of `ROWS`."""
    writer = None
    try:
        for table in tables:
            if writer is None:
                writer = pq.ParquetWriter(local(path), table.schema, compression="zstd")
            writer.write_table(table, row_group_size=ROWS)
    finally:
        if writer is not None:
            writer.close()
    sync_file(path)


def sync_file(path: Path) -> None:
    """Make a file durable."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a value, its names sorted."""
    write_bytes(path, (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
