"""Arrow columns of names: read from any library, sorted, and coded by their places among others."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.consensus.ballot import Ints
from holotype.errors import CrowdError

WRONG: Final = (pa.ArrowException, TypeError, ValueError, OverflowError, KeyError)
"""What foreign values that cannot be read end with."""

USABLE: Final = {
    pa.string_view(): pa.large_string(),
    pa.binary_view(): pa.large_binary(),
    pa.float16(): pa.float32(),
}
"""Types for those that Arrow cannot look up and sort; views are what polars hands to ``pa.table``."""


def column_of(values: Any) -> pa.Array:
    """A column of any library, or Python values in a list, as one Arrow array; NaN in pandas and numpy is null.

    Raises one of `WRONG` where the values are not of one type.
    """
    if str(getattr(values, "dtype", "")) == "Object":
        raise TypeError("polars gives only the addresses of Python objects")
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        values = values.to_arrow() if hasattr(values, "to_arrow") else _inferred(values)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values.cast(USABLE.get(values.type, values.type))


def _inferred(values: Any) -> pa.Array:
    try:
        return pa.array(values, from_pandas=True)
    except OverflowError:  # Arrow itself takes every Python int for an int64
        return pa.array(values, pa.uint64(), from_pandas=True)


def alike(values: pa.Array, kind: pa.DataType, rule: str) -> pa.Array:
    """The values in type `kind`: numbers as numbers, texts as texts, but none as another family's.

    Raises `CrowdError`, which begins with `rule`, where that would change them.
    """
    if values.type.equals(kind):
        return values
    try:
        if len(values) > values.null_count and _family(values.type) != _family(kind):
            raise TypeError(f"{values.type} is not {kind}")
        return values.cast(kind)
    except WRONG as error:
        raise CrowdError(f"{rule}, of one type: {error}") from error


def _family(kind: pa.DataType) -> str:
    types = pa.types
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind):
        return "text"
    if types.is_date(kind) or types.is_timestamp(kind):
        return "instant" if types.is_timestamp(kind) and kind.tz else "local time"
    return str(kind)


def encode(name: str, column: pa.Array) -> tuple[npt.NDArray[np.int32], pa.Array]:
    """Codes of a column's values, int32, and the distinct values, sorted. Raises `CrowdError` on nulls and NaN."""
    column = without_nan(column)
    if column.null_count:
        raise CrowdError(f"{column.null_count:,} votes have no {name}")
    if pa.types.is_null(column.type):
        return np.zeros(0, np.int32), column
    try:
        if pa.types.is_floating(column.type):
            column = pc.add(column, pa.scalar(0.0, column.type))  # -0.0 is 0.0
        encoded = column.dictionary_encode()
        values = encoded.dictionary
        order = pc.array_sort_indices(values.cast(pa.int8()) if pa.types.is_boolean(values.type) else values)
    except WRONG as error:
        raise CrowdError(f"values of type {column.type} cannot be a {name}: {error}") from error
    place = np.empty(len(order), np.int32)
    place[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
    return place[encoded.indices.to_numpy(zero_copy_only=False)], values.take(order)


def without_nan(column: pa.Array) -> pa.Array:
    """The column with null for NaN."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def codes_of(values: pa.Array, names: pa.Array, what: str) -> Ints:
    """Places of `values` among `names`, int32. Raises `CrowdError` on one that is not there."""
    if not len(values):
        return np.zeros(0, np.int32)
    values = alike(values, names.type, f"every {what} must be like the others")
    found = pc.index_in(values, value_set=names)
    if found.null_count:
        first = values.filter(pc.is_null(found))[0].as_py()
        raise CrowdError(f"there is no {what} {first!r}; {_listed(names)}")
    return np.asarray(found.to_numpy(), np.int32)


def _listed(names: pa.Array, most: int = 5) -> str:
    if not len(names):
        return "there is none yet"
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"there are: {', '.join(map(str, names.slice(0, most).to_pylist()))}{more}"
