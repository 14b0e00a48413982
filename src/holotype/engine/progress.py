"""Being told how far work is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Told how much is done, and how much there is."""


def no_progress(done: int, total: int) -> None:
    """Progress that nobody watches."""
