"""Randomness without state: a draw follows from a key and a number, whoever asks for it, and in whatever order."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]

_STEP: Final = 0x9E3779B97F4A7C15
_FIRST: Final = 0xBF58476D1CE4E5B9
_SECOND: Final = 0x94D049BB133111EB
_MASK: Final = (1 << 64) - 1


def key_of(*parts: int) -> int:
    """A 64-bit key from whole numbers, such as a seed and an epoch; their order matters."""
    key = 0
    for part in parts:
        key = _mixed_one(key + _STEP + _mixed_one(part))
    return key


def hashes(key: int, numbers: npt.ArrayLike) -> Hashes:
    """A hash for each number, uint64 of the same shape: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) started anew
    at each. Different numbers have different hashes."""
    each = np.asarray(numbers).astype(np.uint64)
    return _mixed(each * np.uint64(_STEP) + np.uint64(key))


def uniforms(key: int, numbers: npt.ArrayLike, count: int) -> Floats:
    """`count` draws from [0, 1) for each number, ``(numbers, count)``.

    >>> uniforms(key_of(7), [0, 1], 2).round(3).tolist() == uniforms(key_of(7), [1, 0], 2).round(3)[::-1].tolist()
    True
    """
    steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_STEP)
    drawn = _mixed(hashes(key, numbers)[:, None] + steps)
    return (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(values: Hashes) -> Hashes:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(_FIRST)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(_SECOND)
    return values ^ (values >> np.uint64(31))


def _mixed_one(value: int) -> int:
    value &= _MASK
    value = ((value ^ (value >> 30)) * _FIRST) & _MASK
    value = ((value ^ (value >> 27)) * _SECOND) & _MASK
    return value ^ (value >> 31)
