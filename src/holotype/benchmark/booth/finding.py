"""What a submission is found to be: read for the truth, judged, and measured on both parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from holotype.benchmark.alike import sketch
from holotype.benchmark.booth.job import Finding, Job, Side, plain
from holotype.benchmark.judged import Judged
from holotype.benchmark.kept import keep
from holotype.benchmark.parts import part_of, public_items
from holotype.benchmark.reading.hidden import bare, check_hidden
from holotype.benchmark.result import EVALUATOR
from holotype.benchmark.segmentation import Outlined
from holotype.benchmark.standings import metric_called
from holotype.benchmark.task import Task, task
from holotype.benchmark.tasks import OURS
from holotype.benchmark.values import Boxes, Labels
from holotype.errors import HolotypeError, PredictionError


def find(told: Mapping[str, Any]) -> dict[str, Any]:
    """What is found in a job, as JSON values. It raises nothing: what goes wrong is a finding too."""
    job = Job.read(told)
    try:
        return evaluated(job, task(job.task, OURS)).value()
    except MemoryError:
        return Finding("failed", "there was not enough memory").value()
    except Exception as error:  # noqa: BLE001 - a task is anybody's, and what it raises may name what is hidden
        return Finding("failed", f"the evaluator failed: {_reason(error)}").value()


def _reason(error: Exception) -> str:
    """What the organiser is told of an error: of the truth all, of others the kind alone."""
    return plain(str(error)) if isinstance(error, HolotypeError) else type(error).__name__


def evaluated(job: Job, task: Task[Any, Any]) -> Finding:
    """The finding on a job. Raises what the task does, but for what it says of the submission."""
    truth = task.read_truth(job.truth)
    check_hidden(truth)
    shown = _shown(truth)
    try:
        submission = task.read_submission(job.submission, shown)
    except PredictionError as error:
        return Finding("refused", of_the_file(str(error), job.submission))
    judged = task.judge(truth, submission)
    public = public_items(judged.items, job.share, job.key)
    metric = metric_called(judged.metrics, job.metric)
    return Finding(
        "scored",
        "",
        f"{task.name} {task.version}/{EVALUATOR}",
        task.digest(truth),
        task.digest(submission),
        task.hierarchy(truth),
        _side(part_of(judged, public), metric, job),
        _side(part_of(judged, ~public), metric, job) if not public.all() else None,
        sketch(submission),
        list(task.remarks(truth, submission)),
    )


def _shown(truth: Any) -> Any:
    """The truth without its labels, where it is of ours: nothing that is read, or refused, is to follow from them."""
    if isinstance(truth, Labels):
        return bare(truth)
    if isinstance(truth, Outlined):
        return bare(truth)
    return bare(truth) if isinstance(truth, Boxes) else truth


def of_the_file(said: str, path: Path) -> str:
    """What is said of a file, without where it lies and what it is called here."""
    for name in (str(path.resolve()), str(path), path.name):
        said = said.replace(name, "the file")
    return plain(said)


def _side(judged: Judged, metric: int, job: Job) -> Side:
    with np.errstate(invalid="ignore", divide="ignore"):
        kept, estimates = keep(judged, metric, job.seed, job.resamples)
    return Side(kept, list(zip(judged.metrics, estimates, strict=True)))
