"""Memory that a thread uses again and again: fresh memory costs as much as filling it."""

from __future__ import annotations

import threading
from typing import Final

import numpy as np

from holotype.images.flatten import Pixels

_KEPT: Final = 1 << 26
"""Bytes that a thread keeps; whoever needs more gets them anew."""


class Scratch(threading.local):
    """A piece of memory for each thread, as large as the largest that was asked for."""

    def __init__(self) -> None:
        self._memory = np.empty(0, np.uint8)

    def of(self, *shape: int) -> Pixels:
        """Bytes of a shape, with anything in them: the same memory whenever this thread asks."""
        size = 1
        for side in shape:
            size *= side
        if size > _KEPT:
            return np.empty(shape, np.uint8)
        if size > len(self._memory):
            self._memory = np.empty(max(size, 2 * len(self._memory)), np.uint8)
        return self._memory[:size].reshape(shape)
