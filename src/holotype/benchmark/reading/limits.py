"""How much a file of other people may hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a file is read of: `bytes` as they are when unpacked, `rows`, and rows `per_item`."""

    bytes: int = 4 << 30
    rows: int = 20_000_000
    per_item: int = 10_000


LIMITS: Final = Limits()
"""Ten times the detections of a strong entry on the 20,121 images of ILSVRC's detection task."""
