"""Arrays of numpy, ``.npy`` and ``.npz``: headers are checked before memory is taken, and nothing is unpickled."""

from __future__ import annotations

import ast
import math
import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.zips import check_directory
from holotype.errors import PredictionError

Array = npt.NDArray[Any]
_LONGEST_HEADER: Final = 10_000
_MAGIC: Final = b"\x93NUMPY"
_KINDS: Final = re.compile(r"[<>=|]?([iu][1248]|f[248]|U[1-9][0-9]{0,2}|U10[0-1][0-9]|U102[0-4])", re.ASCII)
_MOST_SIDES: Final = 8
_LARGEST: Final = 1 << 58
_LAST, _HALVES = 0x10FFFF, (0xD800, 0xDFFF)
"""The last code point of Unicode, and those between which there is no character but halves of some."""
_ALWAYS, _TIMES = 1 << 30, 64
"""Bytes that compressed arrays may take, and how many times their size on disk beyond that."""
_STEP: Final = 1 << 20


def npy_array(path: Path, faults: Faults) -> Array:
    """The array in an ``.npy`` file, mapped. Raises `PredictionError` where it is not as its header says."""
    with path.open("rb") as file:
        kind, shape, fortran = _header(file, faults)
        start, size = file.tell(), os.fstat(file.fileno()).st_size
    wanted = math.prod(shape) * kind.itemsize
    if size - start != wanted:
        faults.stop(f"has {size - start:,} bytes of values where its header says {wanted:,}")
    if not wanted:
        return np.empty(shape, kind)
    return checked_text(np.memmap(path, kind, "r", start, shape, "F" if fortran else "C"), faults)


def npz_arrays(path: Path, faults: Faults, most: int) -> Mapping[str, Array]:
    """The arrays in an ``.npz`` file, of at most so many bytes together."""
    left = min(most, _ALWAYS + _TIMES * path.stat().st_size)
    found: dict[str, Array] = {}
    with path.open("rb") as file:
        check_directory(file, faults.where)
        try:
            with zipfile.ZipFile(file) as archive:
                for entry in archive.infolist():
                    name = _name(entry, faults)
                    if name in found:
                        faults.stop(f"holds the array {said(name)} twice")
                    with archive.open(entry) as packed:
                        found[name] = _read(packed, name, left, faults)
                    left -= found[name].nbytes
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
            raise PredictionError(f"{faults.where} is damaged: {str(error)[:100]}") from error
    return found


def _name(entry: zipfile.ZipInfo, faults: Faults) -> str:
    if entry.flag_bits & 1:
        faults.stop("is encrypted")
    if not entry.filename.endswith(".npy") or "/" in entry.filename or "\\" in entry.filename:
        faults.stop(f"holds {said(entry.filename)}, which is no array")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        faults.stop("is packed in a way that is not read here: save it with numpy.savez_compressed")
    return entry.filename.removesuffix(".npy")


def _read(file: IO[bytes], name: str, left: int, faults: Faults) -> Array:
    kind, shape, fortran = _header(file, faults)
    wanted = math.prod(shape) * kind.itemsize
    if wanted > left:
        faults.stop(f"its array {said(name)} has {wanted:,} bytes, {left:,} are allowed for a file of its size")
    data = bytearray()
    while len(data) <= wanted and (more := file.read(min(_STEP, wanted + 1 - len(data)))):
        data += more
    if len(data) != wanted:
        faults.stop(f"its array {said(name)} has other bytes than its header says")
    return checked_text(np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C"), faults)


def _header(file: IO[bytes], faults: Faults) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    """Kind, sides and order of an array. Source: NEP 1; `numpy.lib.format` mends what is broken, which is refused."""
    start = file.read(len(_MAGIC) + 2)
    width = {b"\1\0": 2, b"\2\0": 4, b"\3\0": 4}.get(start[len(_MAGIC) :], 0)
    length = int.from_bytes(file.read(width), "little")
    if not start.startswith(_MAGIC) or not 0 < length <= _LONGEST_HEADER:
        faults.stop("is no sound array of numpy: it has no header")
    try:
        found = ast.literal_eval(file.read(length).decode("utf-8"))
        kind, shape, fortran = (found.pop(key) for key in ("descr", "shape", "fortran_order"))
        known = _KINDS.fullmatch(kind) if isinstance(kind, str) else None
    except (ValueError, SyntaxError, TypeError, LookupError, AttributeError, MemoryError, RecursionError) as error:
        raise PredictionError(f"{faults.where} is no sound array of numpy: {str(error)[:100]}") from error
    if known is None:
        faults.stop(f"holds an array of {str(kind)[:40]}: numbers are read, and text; nothing is unpickled")
    if found or type(fortran) is not bool or type(shape) is not tuple or not are_sides(shape):
        faults.stop("is no sound array of numpy: its header says something else")
    return np.dtype(kind), shape, fortran


def are_sides(shape: tuple[object, ...]) -> bool:
    """Whether arrays can have such sides: where one is 0 they take no bytes, however long the others are."""
    told = [side for side in shape if type(side) is int and side >= 0]
    return len(told) == len(shape) <= _MOST_SIDES and math.prod(max(side, 1) for side in told) < _LARGEST


def checked_text(array: Array, faults: Faults) -> Array:
    """The array, of which text is text: numpy itself takes code points that are none."""
    if array.dtype.kind == "U":
        flat = array.reshape(-1, order="A").view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        for start in range(0, len(flat), _STEP):
            part = flat[start : start + _STEP]
            if ((part > _LAST) | ((part >= _HALVES[0]) & (part <= _HALVES[1]))).any():
                faults.stop("holds text that is none")
    return array
