"""Writing the files of a release: the same rows and values are the same bytes, and on the disk when this returns."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.files import local

ROWS: Final = 1 << 16
"""Rows of a row group."""


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table, in row groups of `ROWS`."""
    with pq.ParquetWriter(local(path), table.schema, compression="zstd") as writer:
        for start in range(0, max(len(table), 1), ROWS):
            writer.write_table(table.slice(start, ROWS).combine_chunks(), row_group_size=ROWS)
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
