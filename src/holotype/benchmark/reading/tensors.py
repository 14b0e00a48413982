"""safetensors: a header of JSON, strictly read, and tensors that are mapped.

Source: the format's description at github.com/huggingface/safetensors. The tensors have to cover the file without gaps
and without overlap, so that nothing hides in it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.benchmark.reading.arrays import Array, are_sides, checked_text
from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.json_text import strict_json
from holotype.errors import PredictionError

_LARGEST_HEADER: Final = 32 << 20
_MOST_CHARACTERS: Final = 1 << 27
"""Characters of a list of texts, each of which takes as many as the longest."""
_METADATA: Final = "__metadata__"
_KINDS: Final[Mapping[str, str]] = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
}


def safetensors_arrays(path: Path, faults: Faults) -> Mapping[str, Array]:
    """The tensors of a file by name, mapped, and lists of text that its metadata hold as JSON.

    Raises `PredictionError` where it is not as its header says.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
            faults.stop(f"its header has {length:,} bytes")
        header = strict_json(file.read(length), faults)
    if not isinstance(header, dict):
        faults.stop("its header is no object")
    found: dict[str, Array] = _texts(header.pop(_METADATA, {}), faults)
    at = 0
    for name, about in sorted(header.items(), key=lambda one: _start(one[1])):
        kind, shape, begin, end = _tensor(name, about, faults)
        if begin != at or end > size - 8 - length:
            faults.stop(f"its tensor {said(name)} does not begin where the one before it ends, or ends behind the file")
        found[name] = _mapped(path, kind, shape, 8 + length + begin)
        at = end
    if at != size - 8 - length:
        faults.stop("goes on behind its last tensor")
    return found


def _start(about: Any) -> int:
    offsets = about.get("data_offsets") if isinstance(about, dict) else None
    return offsets[0] if isinstance(offsets, list) and offsets and type(offsets[0]) is int else -1


def _tensor(name: str, about: Any, faults: Faults) -> tuple[str, tuple[int, ...], int, int]:
    try:
        kind, shape, (begin, end) = about["dtype"], tuple(about["shape"]), about["data_offsets"]
    except (KeyError, TypeError, ValueError):
        faults.stop(f"its tensor {said(name)} has no dtype, shape and data_offsets")
    if not isinstance(kind, str) or kind not in _KINDS:
        faults.stop(f"its tensor {said(name)} is of {said(kind)}, and not of {', '.join(_KINDS)}")
    numbers = (*shape, begin, end)
    if not are_sides(shape) or any(type(one) is not int or one < 0 for one in numbers):
        faults.stop(f"its tensor {said(name)} has a size that is none")
    if end - begin != math.prod(shape) * np.dtype(_KINDS[kind]).itemsize:
        faults.stop(f"its tensor {said(name)} has other bytes than its shape says")
    return kind, shape, begin, end


def _mapped(path: Path, kind: str, shape: tuple[int, ...], start: int) -> Array:
    if not math.prod(shape):
        return np.empty(shape, _KINDS[kind])
    values = np.memmap(path, _KINDS[kind], "r", start, shape)
    if kind != "BF16":
        return values
    return (values.astype(np.uint32) << 16).view(np.float32)  # the upper half of a float32


def _texts(metadata: Any, faults: Faults) -> dict[str, Array]:
    """The metadata that are lists of text, or one word, such as the ids of the images."""
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        faults.stop("its metadata are not texts by name")
    found: dict[str, Array] = {}
    for name, value in metadata.items():
        if not value.startswith("["):
            found[name] = checked_text(np.array(value), faults)
            continue
        try:
            words = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise PredictionError(f"{faults.where}: its metadata {said(name)} are no list") from error
        if not all(isinstance(word, str) for word in words):
            faults.stop(f"its metadata {said(name)} are no list of texts")
        if len(words) * max(map(len, words), default=0) > _MOST_CHARACTERS:
            faults.stop(f"its metadata {said(name)} have one text that is far too long for so many")
        found[name] = checked_text(np.array(words, np.str_), faults)
    return found
