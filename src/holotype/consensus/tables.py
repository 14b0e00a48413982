"""Tables of votes in and tables of results out: pandas, polars, Arrow or numpy, whichever the caller uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.consensus.ballot import Floats, Ints, first_votes
from holotype.consensus.columns import WRONG, column_of, encode, without_nan
from holotype.errors import CrowdError

COLUMNS: Final = ("task", "worker", "label")
LIBRARIES: Final = ("pandas", "polars", "pyarrow", "numpy")


@dataclass(frozen=True, slots=True)
class VoteTable:
    """Votes with names: codes ``(votes,)`` into the sorted distinct `tasks`, `workers` and `labels`.

    `extra` holds further columns asked for that say anything, as facts of the tasks: ``(tasks,)`` each, null where none
    of a task's rows says it; `library` is that of the table read.
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

    Raises `CrowdError` where a column is missing, has empty cells, or mixes types, and where rows of a task disagree on
    an optional one.
    """
    library, columns = columns_of(data, COLUMNS, optional)
    codes, names = {}, {}
    for name in COLUMNS:
        codes[name], names[name] = encode(name, columns[name])
    told = {name: without_nan(columns[name]) for name in optional if name in columns}
    extra = {
        name: _of_tasks(name, column, codes["task"], names["task"])
        for name, column in told.items()
        if column.null_count < len(column)
    }
    order = first_votes(codes["task"], codes["worker"])
    task, worker, label = (codes.pop(name)[order] for name in COLUMNS)
    tasks, workers, labels = (names[name] for name in COLUMNS)
    return VoteTable(task, worker, label, tasks, workers, labels, extra, library)


def columns_of(data: Any, required: tuple[str, ...], optional: tuple[str, ...]) -> tuple[str, dict[str, pa.Array]]:
    """The columns of a table of votes, as in `read_votes`, and the library it is of.

    Raises `CrowdError` where one of `required` is missing, and where a column mixes types.
    """
    bases = (base.__module__.partition(".")[0] for base in type(data).__mro__)
    library = next((name for name in bases if name in LIBRARIES), "numpy")
    if isinstance(data, Mapping):
        library, names = "numpy", list(data)
    elif isinstance(data, np.ndarray):
        names = list(data.dtype.names or ())
    else:
        names = list(data.column_names if library == "pyarrow" else getattr(data, "columns", ()))
    missing = [name for name in required if name not in names]
    if missing:
        raise CrowdError(f"a table of votes has the columns {', '.join(required)}; this one lacks {', '.join(missing)}")
    if any(names.count(name) > 1 for name in (*required, *optional)):
        raise CrowdError(f"a table of votes has each of the columns {', '.join(required)} once")
    try:
        found = {name: column_of(data[name]) for name in (*required, *optional) if name in names}
    except WRONG as error:
        raise CrowdError(f"a column of votes must be of one type: {error}") from error
    if len({len(column) for column in found.values()}) > 1:
        raise CrowdError("the columns of a table of votes must be as long as each other")
    return library, found


def _of_tasks(name: str, column: pa.Array, task: Ints, tasks: pa.Array) -> pa.Array:
    """What the rows of each task say in a column, ``(tasks,)``; null where none says anything."""
    task = task[column.is_valid().to_numpy(zero_copy_only=False)]
    column = column.drop_null()
    first = np.full(len(tasks), -1)
    first[task[::-1]] = np.arange(len(task))[::-1]
    try:
        said = column.take(pa.array(first[task]))
        other = np.flatnonzero(pc.not_equal(column, said).to_numpy(zero_copy_only=False))
    except WRONG as error:
        raise CrowdError(f"values of type {column.type} cannot be a {name}: {error}") from error
    if len(other):
        row = int(other[0])
        two = f"{said[row].as_py()!r} and {column[row].as_py()!r}"
        raise CrowdError(f"task {tasks[int(task[row])].as_py()!r} has two {name}s: {two}")
    return column.take(pa.array(first, mask=first < 0))


def series(library: str, index: tuple[str, pa.Array], name: str, values: Any) -> Any:
    """One value per row of `index` in the caller's library: a pandas Series indexed by it, else a table of two."""
    if library == "pandas":
        import pandas

        return pandas.Series(_pandas(values), index=_index([index]), name=name)
    return _table(library, {index[0]: index[1], name: values})


def frame(library: str, index: list[tuple[str, pa.Array]], columns: pa.Array, values: Floats) -> Any:
    """A matrix with a row per row of `index` and a column per label, in the caller's library."""
    if library == "pandas":
        import pandas

        return pandas.DataFrame(values, index=_index(index), columns=pandas.Index(_pandas(columns), name="label"))
    named = {str(label): values[:, number] for number, label in enumerate(columns.to_pylist())}
    if clash := named.keys() & dict(index).keys():
        raise CrowdError(f"a label called {clash.pop()!r} cannot be a column beside one of that name; see result_")
    return _table(library, dict(index) | named)


def _index(levels: list[tuple[str, pa.Array]]) -> Any:
    import pandas

    if len(levels) == 1:
        return pandas.Index(_pandas(levels[0][1]), name=levels[0][0])
    return pandas.MultiIndex.from_arrays([_pandas(values) for _, values in levels], names=[name for name, _ in levels])


def _plain(values: Any) -> Any:
    """Arrow values as numpy holds them."""
    return values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) else values


def _pandas(values: Any) -> Any:
    """Arrow values as pandas holds them: unlike numpy it knows dates and time zones."""
    return values.to_pandas() if isinstance(values, pa.Array) and pa.types.is_temporal(values.type) else _plain(values)


def _table(library: str, columns: Mapping[str, Any]) -> Any:
    if library == "numpy":
        return {name: _plain(values) for name, values in columns.items()}
    table = pa.table(dict(columns))
    if library == "polars":
        import polars

        return polars.from_arrow(table)
    return table
