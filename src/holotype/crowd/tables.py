"""Tables of votes in and tables of results out: pandas, polars, Arrow or numpy, whichever the caller uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.crowd.ballot import Floats, Ints, first_votes
from holotype.errors import CrowdError

COLUMNS: Final = ("task", "worker", "label")

WRONG: Final = (pa.ArrowException, TypeError, ValueError, OverflowError, KeyError)
"""What foreign values that cannot be read end with."""


@dataclass(frozen=True, slots=True)
class VoteTable:
    """Votes with names: codes ``(votes,)`` into the sorted distinct `tasks`, `workers` and `labels`.

    `extra` holds further columns asked for, ``(votes,)`` each; `library` is that of the table read.
    """

    task: Ints
    worker: Ints
    label: Ints
    tasks: pa.Array
    workers: pa.Array
    labels: pa.Array
    extra: Mapping[str, pa.Array]
    library: str


def read_votes(data: Any, optional: tuple[str, ...] = ()) -> VoteTable:
    """Read a table with the columns ``task``, ``worker`` and ``label`` of any types, as Crowd-Kit has them.

    `data` is a pandas or polars DataFrame, an Arrow table, a numpy structured array, or a mapping of names to arrays.
    Of several votes by a worker on a task the first counts. Votes come back sorted by task.

    Raises `CrowdError` where a column is missing, has empty cells, or mixes types.
    """
    library, columns = _columns(data, optional)
    codes, names = {}, {}
    for name in COLUMNS:
        codes[name], names[name] = _encode(name, columns[name])
    order = first_votes(codes["task"], codes["worker"])
    task, worker, label = (codes.pop(name)[order] for name in COLUMNS)
    extra = {name: columns[name].take(pa.array(order)) for name in optional if name in columns}
    tasks, workers, labels = (names[name] for name in COLUMNS)
    return VoteTable(task, worker, label, tasks, workers, labels, extra, library)


def _columns(data: Any, optional: tuple[str, ...]) -> tuple[str, dict[str, pa.Array]]:
    library = type(data).__module__.partition(".")[0]
    if isinstance(data, Mapping):
        library, names = "numpy", list(data)
    elif isinstance(data, np.ndarray):
        names = list(data.dtype.names or ())
    else:
        names = list(data.column_names if library == "pyarrow" else getattr(data, "columns", ()))
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise CrowdError(f"a table of votes has the columns {', '.join(COLUMNS)}; this one lacks {', '.join(missing)}")
    if any(names.count(name) > 1 for name in (*COLUMNS, *optional)):
        raise CrowdError(f"a table of votes has each of the columns {', '.join(COLUMNS)} once")
    try:
        found = {name: _arrow(data[name]) for name in (*COLUMNS, *optional) if name in names}
    except WRONG as error:
        raise CrowdError(f"a column of votes must be of one type: {error}") from error
    if len({len(column) for column in found.values()}) > 1:
        raise CrowdError("the columns of a table of votes must be as long as each other")
    return library, found


def _arrow(column: Any) -> pa.Array:
    if not isinstance(column, pa.Array | pa.ChunkedArray):
        column = column.to_arrow() if hasattr(column, "to_arrow") else pa.array(column, from_pandas=True)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column


def _encode(name: str, column: pa.Array) -> tuple[npt.NDArray[np.int32], pa.Array]:
    """Codes of a column's values and the distinct values, sorted."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if column.null_count:
        raise CrowdError(f"{column.null_count:,} votes have no {name}")
    if pa.types.is_null(column.type):
        return np.zeros(0, np.int32), column
    try:
        encoded = column.dictionary_encode()
        values = encoded.dictionary
        order = _sorting(values)
    except WRONG as error:
        raise CrowdError(f"values of type {column.type} cannot be a {name}: {error}") from error
    place = np.empty(len(order), np.int32)
    place[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
    return place[encoded.indices.to_numpy(zero_copy_only=False)], values.take(order)


def _sorting(values: pa.Array) -> pa.Array:
    return pc.array_sort_indices(values.cast(pa.int8()) if pa.types.is_boolean(values.type) else values)


def ordered(values: pa.Array) -> pa.Array:
    """Values sorted."""
    return values.take(_sorting(values)) if len(values) else values


def codes_of(values: pa.Array, names: pa.Array, what: str) -> Ints:
    """Places of `values` among `names`, int32. Raises `CrowdError` on one that is not there."""
    if not len(values):
        return np.zeros(0, np.int32)
    try:
        found = pc.index_in(values.cast(names.type), value_set=names)
    except WRONG as error:
        raise CrowdError(f"not a {what} of these votes: {error}") from error
    if found.null_count:
        first = values.filter(pc.is_null(found))[0].as_py()
        raise CrowdError(
            f"there is no {what} {first!r}; there are: {', '.join(map(str, names.slice(0, 5).to_pylist()))}"
        )
    return np.asarray(found.to_numpy(), np.int32)


def series(library: str, index: tuple[str, pa.Array], name: str, values: Any) -> Any:
    """One value per row of `index` in the caller's library: a pandas Series indexed by it, else a table of two."""
    if library == "pandas":
        import pandas

        return pandas.Series(_plain(values), index=_index([index]), name=name)
    return _table(library, {index[0]: index[1], name: values})


def frame(library: str, index: list[tuple[str, pa.Array]], columns: pa.Array, values: Floats) -> Any:
    """A matrix with a row per row of `index` and a column per label, in the caller's library."""
    if library == "pandas":
        import pandas

        return pandas.DataFrame(values, index=_index(index), columns=pandas.Index(_plain(columns), name="label"))
    named = {str(label): values[:, number] for number, label in enumerate(columns.to_pylist())}
    if clash := named.keys() & dict(index).keys():
        raise CrowdError(f"a label called {clash.pop()!r} cannot be a column beside one of that name; see result_")
    return _table(library, dict(index) | named)


def _index(levels: list[tuple[str, pa.Array]]) -> Any:
    import pandas

    if len(levels) == 1:
        return pandas.Index(_plain(levels[0][1]), name=levels[0][0])
    return pandas.MultiIndex.from_arrays([_plain(values) for _, values in levels], names=[name for name, _ in levels])


def _plain(values: Any) -> Any:
    return values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) else values


def _table(library: str, columns: Mapping[str, Any]) -> Any:
    if library == "numpy":
        return {name: _plain(values) for name, values in columns.items()}
    table = pa.table(dict(columns))
    if library == "polars":
        import polars

        return polars.from_arrow(table)
    return table
