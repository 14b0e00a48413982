"""A task: how submissions and a truth are read, and what is measured of each item. Several ship; anyone can add one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import numpy as np

from holotype.benchmark.judged import Judged, Means, Metric
from holotype.errors import PredictionError

T = TypeVar("T")
S = TypeVar("S")

GROUP: Final = "holotype.tasks"
"""The entry points by which packages bring tasks of their own."""


@dataclass(frozen=True, slots=True)
class Task(Generic[T, S]):
    """What a benchmark asks for. Intervals, comparisons, the server and its board follow from these functions.

    `read_truth` reads a truth (T) from a file, `read_submission` one (S) for a truth; both are strict, raise
    `PredictionError` naming file and row, and do not depend on the order of rows. `judge` measures a submission, and
    never raises for one that was read. `digest` of either names its content, whatever file it was in: 64 hex digits.
    `version` grows with whatever changes a number. `hierarchy` is the digest of the hierarchy that a truth uses, or "".
    `more` are facts of a result beside its metrics, as JSON values: by class, by part.
    """

    name: str
    about: str
    version: int
    read_truth: Callable[[Path], T]
    read_submission: Callable[[Path, T], S]
    judge: Callable[[T, S], Judged]
    digest: Callable[[T | S], str]
    hierarchy: Callable[[T], str] = field(default=lambda _: "")
    more: Callable[[T, S], Mapping[str, Any]] = field(default=lambda *_: {})
    remarks: Callable[[T, S], Sequence[str]] = field(default=lambda *_: ())


def item_task(
    name: str,
    about: str,
    metrics: Sequence[Metric],
    read_truth: Callable[[Path], Mapping[str, Any]],
    read_submission: Callable[[Path, Mapping[str, Any]], Mapping[str, Any]],
    measure: Callable[[Any, Any], Sequence[float]],
    version: int = 1,
) -> Task[Mapping[str, Any], Mapping[str, Any]]:
    """A task in which each item has a truth and gets an answer, and every metric is a mean over items.

    `measure` gives the metrics of an item from its truth and its answer, which is None where a submission has none.
    Truths and answers are JSON values, by the ids of items.
    """

    def judge(truth: Mapping[str, Any], submission: Mapping[str, Any]) -> Judged:
        items = sorted(truth)
        values = [list(measure(truth[item], submission.get(item))) for item in items]
        return Means(items, metrics, np.array(values, np.float64).reshape(len(items), len(metrics)))

    return Task(name, about, version, read_truth, read_submission, judge, digest_of)


def digest_of(*parts: Any) -> str:
    """The sha256 of arrays (with their kind and shape) and of JSON values, whose maps are sorted."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            found.update(f"{part.dtype.str}{part.shape}".encode())
            found.update(np.ascontiguousarray(part).tobytes())
        else:
            found.update(json.dumps(part, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        found.update(b"\n")
    return found.hexdigest()


def task(name: str, ours: Mapping[str, Task[Any, Any]]) -> Task[Any, Any]:
    """A task by its name: one of `ours`, or one that a package brings. Raises `PredictionError` where there is none."""
    if name in ours:
        return ours[name]
    found = [one for one in entry_points(group=GROUP) if one.name == name]
    if len(found) == 1:
        try:
            made = found[0].load()
        except (ImportError, AttributeError) as error:
            raise PredictionError(f"the task {name!r} of {found[0].value} cannot be loaded: {error}") from error
        if not isinstance(made, Task) or made.name != name:
            raise PredictionError(f"{found[0].value} is no task called {name!r}")
        return made
    if found:
        raise PredictionError(f"several packages bring a task {name!r}: {', '.join(one.value for one in found)}")
    names = task_names(ours)
    near = get_close_matches(name, names, 1)
    hint = f", did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"
    raise PredictionError(f"there is no task {name[:60]!r}{hint}")


def task_names(ours: Iterable[str]) -> list[str]:
    """The names of all tasks, ours first."""
    own = list(ours)
    return [*own, *sorted({one.name for one in entry_points(group=GROUP)} - set(own))]
