"""Tables as batches of columns, whatever they were written as."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv

from holotype.benchmark.reading.blocks import Block
from holotype.benchmark.reading.faults import Faults, said, some
from holotype.benchmark.reading.numbers import floats
from holotype.benchmark.values import Bools, Floats, Ints
from holotype.textlists import delimiter_of

_LINE_FEED, _QUOTE = ord("\n"), ord('"')
BATCH: Final = 1 << 16
"""Rows of a batch that is made of Python's objects."""

Column = Any
"""An array of Arrow (of text, numbers or lists of them), or of numpy (of numbers)."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some rows of a table: its columns by name, and the number of each row."""

    columns: Mapping[str, Column]
    rows: Ints

    def only(self, kept: Bools) -> Batch:
        """The rows that are `kept`."""
        if kept.all():
            return self
        columns = {
            name: column[kept] if isinstance(column, np.ndarray) else column.filter(pa.array(kept))
            for name, column in self.columns.items()
        }
        return Batch(columns, self.rows[kept])


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table of columns with `names`. `read` gives its batches; told which columns are numbers, it may parse them.

    Where it is `positional` the column of images has places from 0 in the order of the truth, or of its folders where
    the file says that its `order` is ``imagefolder``.
    """

    names: tuple[str, ...]
    faults: Faults
    read: Callable[[Collection[str]], Iterator[Batch]] = field(repr=False)
    positional: bool = False
    order: str = ""
    classes: tuple[str, ...] = ()
    """What the columns of ``scores`` are called, where the file says it."""
    matrix: Any = None
    """All of ``scores`` as one array, where it is mapped."""


def indices_of(encoded: pa.DictionaryArray) -> Ints:
    """The place of each row in its dictionary, -1 where there is nothing."""
    found = pc.fill_null(pc.cast(encoded.indices, pa.int64()), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.int64)


def cells_of(batch: Batch, name: str, faults: Faults) -> Column:
    """A column of one cell a row. Raises `PredictionError` for one of lists, which means nothing where it is asked."""
    column = batch.columns[name]
    lists = column.ndim != 1 if isinstance(column, np.ndarray) else pa.types.is_nested(column.type)
    if lists:
        faults.stop(f"its column {name!r} holds lists, where one cell a row is read")
    return column


def numbers_of(batch: Batch, name: str, faults: Faults, what: str = "") -> tuple[Floats, Bools]:
    """The finite numbers in a column, and which rows have none, which are `faults`; `what` is what they are called."""
    column = cells_of(batch, name, faults)
    if isinstance(column, np.ndarray) and column.dtype == np.float64:
        values = column
        bad = ~np.isfinite(values)
    elif isinstance(column, np.ndarray):
        values, bad = column.astype(np.float64), np.zeros(len(column), np.bool_)
    else:
        values, bad = _numbers(column)
    if bad.any():
        told = column if isinstance(column, np.ndarray) else column.cast(pa.string()).to_pylist()
        faults.mark(batch.rows, bad, lambda at: f"the {what or name} is not a finite number: {said(_cell(told[at]))}")
    return values, bad


def _cell(value: Any) -> Any:
    return "" if value is None else value


def _numbers(column: pa.Array) -> tuple[Floats, Bools]:
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False) + 0.0
        return values, ~np.isfinite(values) | column.is_null().to_numpy(zero_copy_only=False)
    return floats(column.cast(pa.string()))


def csv_table(found: Iterator[Block], faults: Faults, most: int) -> Table:
    """The table in the lines of a file of comma-, semicolon- or tab-separated values with a header, of at most so many
    rows. The header tells what stands between the cells."""
    first = next(found, None)
    if first is None:
        return Table((), faults, lambda _: iter(()))
    header = first.data[: first.data.index(b"\n")].decode()
    delimiter = delimiter_of(header)
    names = _header(header, delimiter, int(first.lines[0]), faults)
    rest = chain([first.without_first()], found)
    return Table(names, faults, partial(_batches, rest, names, delimiter, faults, most))


def _header(text: str, delimiter: str, line: int, faults: Faults) -> tuple[str, ...]:
    try:
        (names,) = csv.reader([text], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError) as error:
        faults.stop(f"no header of a table: {error}", line)
    found = tuple(name.strip() for name in names)
    if twice := {name for name in found if found.count(name) > 1}:
        faults.stop(f"the header has columns twice: {some(twice)}", line)
    return found


def _batches(
    found: Iterator[Block], names: Sequence[str], delimiter: str, faults: Faults, most: int, numeric: Collection[str]
) -> Iterator[Batch]:
    total = 0
    for block in found:
        if not block.data:
            continue
        data = _unquoted(block.data, delimiter)
        if b'"' in data:  # a cell may hold delimiters and line ends: all that is left goes the slow way
            batches: Iterator[Batch] = _quoted(chain([block], found), names, delimiter, faults)
        else:
            batches = iter([_parsed(data, block.lines, names, delimiter, faults, numeric)])
        for batch in batches:
            total += len(batch.rows)
            if total > most:
                faults.stop(f"has more than the {most:,} rows allowed")
            yield batch


def _unquoted(data: bytes, delimiter: str) -> bytes:
    """The lines without the quotes around cells in which they have no meaning."""
    if b'"' not in data:
        return data
    given = np.frombuffer(data, np.uint8)
    between = (given == _LINE_FEED) | (given == ord(delimiter))
    quotes = np.flatnonzero(given == _QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    if len(opening) != len(closing) or not (between[opening - 1].all() and between[closing + 1].all()):
        return data  # before the first byte comes the last, a line feed
    ends = np.flatnonzero(between)
    if (np.searchsorted(ends, opening) != np.searchsorted(ends, closing)).any():
        return data
    return bytes(given[given != _QUOTE])


def _parsed(
    data: bytes, lines: Ints, names: Sequence[str], delimiter: str, faults: Faults, numeric: Collection[str]
) -> Batch:
    """The rows in some lines without quotes; those of another length are `faults`."""
    ragged: dict[int, int] = {}

    def skip(row: pc_csv.InvalidRow) -> str:
        ragged[row.number - 1] = row.actual_columns
        return "skip"

    def read(kinds: Mapping[str, pa.DataType]) -> pa.Table:
        return pc_csv.read_csv(
            pa.BufferReader(data),
            pc_csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=list(kinds)),
            pc_csv.ParseOptions(
                delimiter=delimiter,
                quote_char=False,
                escape_char=False,
                invalid_row_handler=skip,
                ignore_empty_lines=False,
            ),
            pc_csv.ConvertOptions(check_utf8=False, column_types=kinds, null_values=[], strings_can_be_null=False),
        )

    texts = {str(place): pa.string() for place in range(len(names))}
    try:
        table = read(texts | {str(at): pa.float64() for at, name in enumerate(names) if name in numeric})
        sound = all(np.isfinite(one).all() for one in table.columns if pa.types.is_floating(one.type))
    except pa.ArrowInvalid:
        sound = False
    if not sound:  # a number is none: it is found in the text
        table = read(texts)
    for at, cells in ragged.items():
        faults.add(int(lines[at]), _length(cells, len(names)))
    kept = np.delete(lines, list(ragged)) if ragged else lines
    columns = {name: _column(table.column(at)) for at, name in enumerate(names)}
    return Batch(columns, kept)


def _column(column: pa.ChunkedArray) -> Column:
    if pa.types.is_floating(column.type):
        return column.to_numpy() + 0.0
    found = column.combine_chunks()
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _length(found: int, wanted: int) -> str:
    return f"{found} cells where the header has {wanted}"


def _quoted(found: Iterator[Block], names: Sequence[str], delimiter: str, faults: Faults) -> Iterator[Batch]:
    """The rows of all lines that are left, cells in quotes as RFC 4180 has them."""
    at: list[int] = []

    def lines() -> Iterator[str]:
        for block in found:
            for number, line in zip(block.lines.tolist(), io.StringIO(block.data.decode()), strict=True):
                at[:] = [number]
                yield line

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)

    def rows() -> Iterator[tuple[int, list[str]]]:
        try:
            for row in reader:
                if len(row) == len(names):
                    yield at[0], row
                else:
                    faults.add(at[0], _length(len(row), len(names)))
        except csv.Error as error:
            faults.stop(str(error), at[0])

    given = rows()
    while some := list(islice(given, BATCH)):
        cells = zip(*(row for _, row in some), strict=True)
        columns = {name: pa.array(column, pa.string()) for name, column in zip(names, cells, strict=True)}
        yield Batch(columns, np.array([number for number, _ in some]))
