"""What an evaluation found, with what it follows from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from holotype.benchmark.intervals import CONFIDENCE, RESAMPLES, Drawn, Estimate, draw
from holotype.benchmark.judged import Judged, Metric
from holotype.benchmark.task import Task

EVALUATOR: Final = 1
"""Grows with whatever changes how intervals and comparisons are made; each task has a version of its own."""


@dataclass(frozen=True, slots=True)
class Result:
    """The `metrics` of a submission with their estimates, over `items`, and what they follow from: the digests of
    `truth`, `submission` and `hierarchy` ("" where none is used), and the `evaluator`, such as "classification 1/1".
    `more` is what the task tells beside, `remarks` what a reader should know, a line each."""

    task: str
    evaluator: str
    truth: str
    submission: str
    hierarchy: str
    items: int
    metrics: Mapping[Metric, Estimate]
    confidence: float
    resamples: int
    seed: int
    more: Mapping[str, Any] = field(default_factory=dict)
    remarks: Sequence[str] = ()

    def __getitem__(self, name: str) -> Estimate:
        """The estimate of a metric by its name. Raises KeyError where there is none of that name."""
        return {metric.name: estimate for metric, estimate in self.metrics.items()}[name]

    def value(self) -> dict[str, Any]:
        """This as JSON values; ``None`` for a metric that there was nothing to measure for."""
        return {
            "task": self.task,
            "evaluator": self.evaluator,
            "truth": self.truth,
            "submission": self.submission,
            "hierarchy": self.hierarchy,
            "items": self.items,
            "metrics": {metric.name: _estimate(metric, found) for metric, found in self.metrics.items()},
            "confidence": self.confidence,
            "resamples": self.resamples,
            "seed": self.seed,
            "more": dict(self.more),
            "remarks": list(self.remarks),
        }


def _estimate(metric: Metric, found: Estimate) -> dict[str, Any]:
    numbers = {"value": found.value, "low": found.low, "high": found.high}
    return {"better": metric.better, **{name: None if one != one else one for name, one in numbers.items()}}


def evaluate(
    task: Task[Any, Any],
    truth: Any,
    submissions: Sequence[Any],
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> tuple[list[Result], list[Judged], Drawn]:
    """Evaluate submissions that were read for a truth, on the same resamples, so that they can be compared."""
    judges = [task.judge(truth, submission) for submission in submissions]
    drawn = draw(judges, resamples, seed)
    results = [
        Result(
            task.name,
            f"{task.name} {task.version}/{EVALUATOR}",
            task.digest(truth),
            task.digest(submission),
            task.hierarchy(truth),
            len(judged.items),
            dict(zip(judged.metrics, estimates, strict=True)),
            confidence,
            resamples,
            seed,
            task.more(truth, submission),
            task.remarks(truth, submission),
        )
        for submission, judged, estimates in zip(submissions, judges, drawn.estimates(confidence), strict=True)
    ]
    return results, judges, drawn
