"""Progress of work that has several stages."""

from __future__ import annotations

from collections.abc import Callable

Stages = Callable[[str, int, int], None]
"""Told of a stage, by its name, how much of it is done and how much there is."""


def no_stages(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
