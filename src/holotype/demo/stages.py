"""The stages of the demo, and who is told of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

STAGES: Final = ("ontology", "candidates", "images", "crowd", "release", "benchmark", "recognition")

StageProgress = Callable[[str, int, int], None]
"""Told of a stage by its name, what is done of it, and how much it is."""
