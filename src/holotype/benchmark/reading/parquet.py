"""Parquet, in batches and in bounded memory: a few bytes of it can stand for gigabytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype.benchmark.reading.columns import BOXES, CORNERS
from holotype.benchmark.reading.faults import Faults, some
from holotype.benchmark.reading.tables import Batch, Column, Table
from holotype.benchmark.values import Floats, Ints
from holotype.errors import PredictionError, ReleaseError
from holotype.files import local
from holotype.releases.bounds import check_size

_ROWS: Final = 1 << 18
_VALUES: Final = 1 << 25
"""Values of a batch at most."""


def parquet_table(path: Path, faults: Faults, most: int) -> Table:
    """The table in a Parquet file of at most so many rows. Raises `PredictionError` for kinds of no meaning here."""
    try:
        check_size(path)
        file = pq.ParquetFile(local(path))
    except ReleaseError as error:
        raise PredictionError(f"{faults.where}: {str(error).replace(str(path), 'it')}") from error
    except (OSError, pa.ArrowException) as error:
        raise PredictionError(f"{faults.where} is no sound Parquet: {_line(error)}") from error
    schema = file.schema_arrow
    if twice := {name for name in schema.names if schema.names.count(name) > 1}:
        faults.stop(f"has columns twice: {some(twice)}")
    for field in schema:
        if not _is_read(field.type):
            faults.stop(f"its column {field.name!r} is of the kind {str(field.type)[:60]}, which says nothing here")
    if file.metadata.num_rows > most:
        faults.stop(f"has {file.metadata.num_rows:,} rows, {most:,} are allowed")
    texts = [field.name for field in schema if _is_text(field.type)]
    return Table(tuple(schema.names), faults, partial(_batches, path, texts, faults))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_read(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    if _is_list(kind):
        return _is_plain(kind.value_type)
    return _is_plain(kind)


def _is_plain(kind: pa.DataType) -> bool:
    return _is_text(kind) or bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _batches(path: Path, texts: list[str], faults: Faults, _: Collection[str]) -> Iterator[Batch]:
    with pq.ParquetFile(local(path), read_dictionary=texts) as file:
        size = max(1, min(_ROWS, _VALUES // max(1, file.metadata.num_columns)))
        start = 1
        try:
            for batch in file.iter_batches(size, use_threads=False):
                batch.validate(full=True)  # text that is none, places behind the end of a dictionary
                rows = np.arange(start, start + batch.num_rows)
                start += batch.num_rows
                columns = dict(zip(batch.schema.names, batch.columns, strict=True))
                yield Batch({name: _column(name, one, rows, faults) for name, one in columns.items()}, rows)
        except (OSError, pa.ArrowException) as error:
            raise PredictionError(f"{faults.where} is no sound Parquet: {_line(error)}") from error
    pa.default_memory_pool().release_unused()  # it keeps what the largest batches took


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _column(name: str, column: pa.Array, rows: Ints, faults: Faults) -> Column:
    if name in BOXES or name == "scores":
        return _matrix(name, column, rows, faults)
    if _is_list(column.type) and _is_text(column.type.value_type):
        return column.cast(pa.large_list(pa.string()))
    if _is_text(column.type) and not pa.types.is_string(column.type):
        return column.cast(pa.string())
    return column


def _matrix(name: str, column: pa.Array, rows: Ints, faults: Faults) -> Floats:
    """So many numbers a row of a column of lists; NaN where a row has others, which are faults."""
    if not _is_list(column.type):
        faults.stop(f"its column {name!r} holds no lists")
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    wanted = len(CORNERS) if name in BOXES else int(lengths[0]) if len(lengths) else 0
    bad = lengths != wanted
    if bad.any():
        faults.mark(rows, bad, lambda at: f"{name} is not a list of {wanted:,} numbers, but of {lengths[at]:,}")
        return np.full((len(lengths), wanted), np.nan)
    if not wanted:
        return np.empty((len(lengths), 0))
    kept = column.flatten() if not column.null_count else column.drop_null().flatten()
    return np.asarray(pc.cast(kept, pa.float64(), safe=False).to_numpy(zero_copy_only=False)).reshape(-1, wanted)
