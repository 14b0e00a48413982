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
from holotype.benchmark.orders import ORDERS, Order, Verdict, convert, detect_order, order
from holotype.benchmark.predictions import read_predictions

__all__ = [
    "GUESSES",
    "MISSING",
    "ORDERS",
    "Estimate",
    "Order",
    "Scores",
    "Truth",
    "Verdict",
    "bootstrap",
    "convert",
    "detect_order",
    "flat_errors",
    "hierarchical_errors",
    "order",
    "read_predictions",
    "score",
]
