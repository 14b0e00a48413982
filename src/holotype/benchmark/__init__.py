"""The benchmark: predictions against truth, as ILSVRC scores them, and how sure that is."""

from holotype.benchmark.highest import GUESSES
from holotype.benchmark.intervals import CONFIDENCE, RESAMPLES, Estimate
from holotype.benchmark.judged import Judged, Metric
from holotype.benchmark.orders import ORDERS, Order, Verdict, convert, detect_order, order
from holotype.benchmark.result import Result, evaluate
from holotype.benchmark.standings import Standing, standings
from holotype.benchmark.task import Task
from holotype.benchmark.values import MISSING

__all__ = [
    "CONFIDENCE",
    "GUESSES",
    "MISSING",
    "ORDERS",
    "RESAMPLES",
    "Estimate",
    "Judged",
    "Metric",
    "Order",
    "Result",
    "Standing",
    "Task",
    "Verdict",
    "convert",
    "detect_order",
    "evaluate",
    "order",
    "standings",
]
