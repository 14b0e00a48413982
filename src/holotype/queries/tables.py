"""Answers as a table of columns: Arrow's, or pandas' where that is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

import pyarrow as pa

from holotype.errors import QueryError
from holotype.queries.rows import Candidate

ANSWERS: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("wnid", pa.string(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
        pa.field("score", pa.float64()),
        pa.field("policy", pa.string(), nullable=False),
        pa.field("boxes", pa.int32(), nullable=False),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("licence", pa.string(), nullable=False),
        pa.field("author", pa.string(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("format", pa.string(), nullable=False),
        pa.field("file", pa.string(), nullable=False),
    ]
)
"""The columns of an answer: those of `holotype.queries.Candidate` but where its bytes lie."""

_ROWS: Final = 10_000


def to_arrow(rows: Iterable[Candidate]) -> pa.Table:
    """Candidates as a table with the columns and types of `ANSWERS`, whether there are any or not."""
    return pa.Table.from_batches(_batches(iter(rows)), ANSWERS)


def to_pandas(table: pa.Table) -> Any:
    """A table as a pandas DataFrame; whole numbers stay whole where some are missing (``Int32``).

    Raises `QueryError` where pandas is not installed.
    """
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise QueryError(f"{error}; install pandas, or take the table of to_arrow()") from error
    return table.to_pandas(types_mapper={pa.int32(): pandas.Int32Dtype()}.get)


def _batches(rows: Iterator[Candidate]) -> Iterator[pa.RecordBatch]:
    while some := list(islice(rows, _ROWS)):
        columns = [pa.array([getattr(row, one.name) for row in some], one.type) for one in ANSWERS]
        yield pa.RecordBatch.from_arrays(columns, schema=ANSWERS)
