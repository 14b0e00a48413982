"""The benchmark: predictions against truth, as ILSVRC scores them."""

from holotype.benchmark.metrics import (
    GUESSES,
    MISSING,
    Estimate,
    Scores,
    Truth,
    bootstrap,
    flat_errors,
    hierarchical_errors,
    score,
)
from holotype.benchmark.predictions import read_predictions

__all__ = [
    "GUESSES",
    "MISSING",
    "Estimate",
    "Scores",
    "Truth",
    "bootstrap",
    "flat_errors",
    "hierarchical_errors",
    "read_predictions",
    "score",
]
