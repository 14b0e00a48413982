"""The one grammar of numbers in submissions: decimal digits of ASCII, a point, an exponent, and finite.

Nothing else is one, whatever a language's own reader takes: no ``nan``, ``inf``, ``1e400``, ``0x10``, ``1_000``, comma,
other script's digits. Blanks around a number are not part of it.
"""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.benchmark.values import Bools, Floats

_GRAMMAR: Final = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER: Final = re.compile(_GRAMMAR)
_LARGEST_WHOLE: Final = 2**53
"""Where doubles begin to leave out whole numbers."""
BLANKS: Final = " \t"


def number(text: str) -> float:
    """The number that a cell holds. Raises ValueError.

    >>> number(" +1.50e1 "), number(".5")
    (15.0, 0.5)
    >>> number("1e400")
    Traceback (most recent call last):
    ValueError: '1e400' is not a finite number
    """
    given = text.strip(BLANKS)
    value = float(given) if _NUMBER.fullmatch(given) else math.nan
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]!r} is not a finite number")
    return value + 0.0  # no -0.0, which is the same number with other bytes


def whole(text: str) -> int:
    """The whole number that a cell holds, which may be written as ``1.0``. Raises ValueError.

    >>> whole("17"), whole("17.0")
    (17, 17)
    >>> whole("1.5")
    Traceback (most recent call last):
    ValueError: '1.5' is not a whole number
    """
    value = number(text)
    if value != int(value) or abs(value) > _LARGEST_WHOLE:
        raise ValueError(f"{text[:40]!r} is not a whole number")
    return int(value)


def floats(texts: pa.Array) -> tuple[Floats, Bools]:
    """The numbers in a column of text, and which cells are none: 0 stands there. The same as `number`, in columns."""
    given = pc.ascii_trim(texts, BLANKS)
    try:
        values = _cast(given)
        bad = ~np.isfinite(values)
    except pa.ArrowInvalid:
        sound = pc.fill_null(pc.match_substring_regex(given, f"^(?:{_GRAMMAR})$"), False)
        values = _cast(pc.if_else(sound, given, "0"))
        bad = ~(sound.to_numpy(zero_copy_only=False) & np.isfinite(values))
    values[bad] = 0.0
    return values, bad


def _cast(texts: pa.Array) -> Floats:
    """The values as Arrow reads them; of what is finite it takes what the grammar has."""
    if texts.null_count:
        raise pa.ArrowInvalid("empty cells")
    return np.asarray(pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False) + 0.0)
