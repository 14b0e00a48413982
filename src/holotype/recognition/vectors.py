"""Files of embeddings that somebody else made: ``.npz`` of numpy, or Parquet."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from holotype.errors import RecognitionError
from holotype.files import local, printable

IDS: Final = ("image", "images", "ids", "id", "sha256", "file", "file_name")
VECTORS: Final = ("vectors", "vector", "embeddings", "embedding", "features")
SUFFIXES: Final = (".npz", ".parquet")
_ERRORS: Final = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,  # of zipfile
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    pa.ArrowException,
    zipfile.BadZipFile,
    zlib.error,
)
"""What is known to be raised by damaged or hostile files."""


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Embeddings by images as they are named: names ``(n,)``, and `rows` ``(n, width)``, finite."""

    images: tuple[str, ...]
    rows: npt.NDArray[np.floating[Any]]


def read_vectors(path: Path) -> Vectors:
    """The embeddings in a file: of ``.npz`` the arrays of `IDS` and `VECTORS`, of Parquet the columns called so, the
    latter lists of as many numbers each.

    Nothing in a file is executed. Raises `RecognitionError` for a file that is none, naming a row that is wrong.
    """
    try:
        images, rows = _of_parquet(path) if path.suffix.lower() == ".parquet" else _of_npz(path)
    except _ERRORS as error:
        raise RecognitionError(f"cannot read embeddings of {printable(path)}: {str(error)[:200]}") from error
    if rows.ndim != 2 or len(rows) != len(images) or rows.dtype.kind != "f":
        told = f"{len(images):,} images and numbers of shape {rows.shape}, {rows.dtype}"
        raise RecognitionError(f"{printable(path)} holds no row of real numbers for each image: {told}")
    if not rows.size:
        raise RecognitionError(f"{printable(path)} holds no embeddings")
    wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(wrong):
        raise RecognitionError(f"{printable(path)}, row {wrong[0] + 1}: a number is none, or has no end")
    return Vectors(tuple(images), rows)


def _of_npz(path: Path) -> tuple[Sequence[str], npt.NDArray[Any]]:
    with path.open("rb") as held:
        file = np.load(held, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("it is a single array: images must be named beside it")
        names = [_one_of(file.files, wanted) for wanted in (IDS, VECTORS)]
        images, rows = (file[name] for name in names)
    if not isinstance(images, np.ndarray) or not isinstance(rows, np.ndarray):
        raise ValueError(f"{' and '.join(names)} are no arrays")
    if images.ndim != 1 or images.dtype.kind not in "US":
        raise ValueError(f"{names[0]} are no texts, but {images.dtype}")
    return [one.decode() if isinstance(one, bytes) else one for one in images.tolist()], rows


def _of_parquet(path: Path) -> tuple[Sequence[str], npt.NDArray[Any]]:
    names = [_one_of(pq.read_schema(local(path)).names, wanted) for wanted in (IDS, VECTORS)]
    table = pq.read_table(local(path), columns=names)
    column = table[names[1]].combine_chunks()
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type) or _is_fixed(column.type)):
        raise ValueError(f"{names[1]} is {column.type}, no list of numbers")
    if column.null_count or table[names[0]].null_count or not len(column):
        raise ValueError("a cell is empty" if len(column) else "there are no rows")
    flat = column.flatten()
    if not pa.types.is_floating(flat.type):
        raise ValueError(f"{names[1]} holds {flat.type}, no real numbers")
    if len(flat) % len(column) or len({*column.value_lengths().to_pylist()}) > 1:
        raise ValueError("lists have different lengths")
    rows = flat.to_numpy(zero_copy_only=False).reshape(len(column), -1)
    images = table[names[0]].to_pylist()
    if not {*map(type, images)} <= {str, int, bytes}:
        raise ValueError(f"{names[0]} are no texts, but {table[names[0]].type}")
    return [one.decode() if isinstance(one, bytes) else str(one) for one in images], rows


def _is_fixed(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(kind))


def _one_of(names: Sequence[str], wanted: Sequence[str]) -> str:
    found = [name for name in wanted if name in names]
    if len(found) != 1:
        told = f"one of {', '.join(wanted)}"
        raise ValueError(f"it has {', '.join(found)}: leave {told}" if found else f"it has no {told}")
    return found[0]
