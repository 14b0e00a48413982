"""Running a job: step by step, kept at checkpoints, gone on with exactly.

A job is whatever learns: a classifier, a detector, a contrastive pair, a diffusion model. What it is shown follows from
epoch and step alone, so all that there is to resume is its state and the number of the next step.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol

from holotype.errors import Diverged, OtherRun, RecognitionError, RunExists
from holotype.files import write_atomically
from holotype.recognition.networks.checkpoints import LAST as LAST
from holotype.recognition.networks.checkpoints import alone_in, has_checkpoint, read_checkpoint, write_checkpoint
from holotype.recognition.networks.distributed import from_first, shard
from holotype.recognition.networks.weights import is_finite
from holotype.recognition.runs import CHECKPOINTS, FORMAT, LOG, RUN, WEIGHTS
from holotype.version import VERSION

_MOST_UNCHECKED: Final = 20
_SECONDS: Final = 1.0
"""Steps are checked after so many of them, which costs a GPU little, or, by a process alone, after so much time."""


@dataclass(frozen=True, slots=True)
class At:
    """Where a run is: an `epoch`, the `step` of it, both from 0, and the steps before in all."""

    epoch: int = 0
    step: int = 0
    total: int = 0


class Job(Protocol):
    """What learns. All that changes in it is in its `state`, of tensors, numbers, texts, lists and dictionaries."""

    def steps(self, epoch: int) -> int:
        """How many steps an epoch has."""
        ...

    def batches(self, epoch: int, first: int) -> Iterable[Any]:
        """What the steps of an epoch are shown, from step `first` on: it follows from these alone."""
        ...

    def step(self, batch: Any, at: At) -> Mapping[str, Any]:
        """Learn from a batch: its measures, scalar tensors by name, ``loss`` among them. All have to be numbers."""
        ...

    def scored(self, epoch: int) -> Mapping[str, float]:
        """Scores after an epoch, by name; those of ``best``, where it is there, are the better the larger."""
        ...

    def state(self) -> dict[str, Any]:
        """All of it."""
        ...

    def load(self, state: Mapping[str, Any]) -> None:
        """Become what had that state."""
        ...


Told = Callable[[At, int, Mapping[str, float]], None]
"""Told of a step that was done: where it was, how many steps its epoch has, and its measures where they are known."""
Line = dict[str, Any]
Logged = Callable[[Mapping[str, Any]], None]
"""Told of a line of the log: the means of an epoch's measures, and its scores, by name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a run is, and when it is kept: after `minutes`, and after each epoch."""

    epochs: int
    minutes: float = 15.0
    rank: int = 0
    """This process's; only that of rank 0 writes."""
    stopping: Callable[[], bool] = field(default=lambda: False)
    """Asked after each step: where it says so, the run is kept and left. All ranks must be told the same."""
    logged: Logged = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended: `at` its next step, with the `scores` of its last epoch; not `finished` where it was told to
    stop."""

    at: At
    scores: Mapping[str, float]
    finished: bool


@dataclass(frozen=True, slots=True)
class _Course:
    """What a run has come to: where it is, its best score, the sums of the measures of this epoch, and what its log
    says of those before."""

    at: At = At()
    best: float = -math.inf
    sums: Mapping[str, float] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()

    @property
    def scores(self) -> dict[str, float]:
        """The scores of the last epoch that is over."""
        return dict(self.lines[-1]["scores"]) if self.lines else {}

    def value(self) -> dict[str, Any]:
        """This, of values that a checkpoint has."""
        at = [self.at.epoch, self.at.step, self.at.total]
        return {"at": at, "best": self.best, "sums": dict(self.sums), "lines": json.dumps(self.lines)}

    @staticmethod
    def of(value: Mapping[str, Any]) -> _Course:
        """What `value` gave."""
        return _Course(At(*value["at"]), value["best"], value["sums"], tuple(json.loads(value["lines"])))


def run(
    job: Job,
    plan: Plan,
    out: Path,
    identity: Mapping[str, Any],
    resume: bool = False,
    told: Told = lambda *_: None,
) -> Ran:
    """Run a job in a folder, and leave there ``run.json``, which holds `identity`, ``log.jsonl`` with a line for each
    epoch (the means of its measures, its scores and seconds), and checkpoints; with `resume`, from the last one on, bit
    for bit as if it had never stopped. Where it is killed, what was learned since the last checkpoint is learned anew.

    Raises `OtherRun` where it was begun with another identity, `Diverged` where a measure is no number, with the last
    good checkpoint kept, `RunExists` where there is one already, and `RecognitionError` where another process writes
    it, or a checkpoint cannot be read or written.
    """
    begun = json.loads(json.dumps({"format": FORMAT, "holotype": VERSION, **identity}))
    with alone_in(out) if plan.rank == 0 else nullcontext():
        course = _begin(job, out, begun, resume, plan.rank)
        while course.at.epoch < plan.epochs:
            began = time.monotonic()
            course, stopped = _epoch(job, plan, out, course, told)
            if stopped:
                return Ran(course.at, course.scores, False)
            course = _scored(job, plan, out, course, time.monotonic() - began)
            if course.at.epoch < plan.epochs and plan.stopping():
                return Ran(course.at, course.scores, False)
        return Ran(course.at, course.scores, True)


def _epoch(job: Job, plan: Plan, out: Path, course: _Course, told: Told) -> tuple[_Course, bool]:
    steps = job.steps(course.at.epoch)
    kept = checked = time.monotonic()
    unchecked: list[tuple[At, Mapping[str, Any]]] = []
    alone = shard()[1] == 1
    for batch in job.batches(course.at.epoch, course.at.step):
        at = course.at
        unchecked.append((at, job.step(batch, at)))
        course = replace(course, at=At(at.epoch, at.step + 1, at.total + 1))
        now = time.monotonic()
        due = now - kept > 60 * plan.minutes
        stop = plan.stopping()
        last = course.at.step >= steps
        many = len(unchecked) >= _MOST_UNCHECKED or (alone and now - checked > _SECONDS)
        if due or stop or last or many:
            course = replace(course, sums=_checked(unchecked, course.sums, out, steps, told))
            unchecked, checked = [], now
        if last:
            break
        if due or stop:
            _keep(job, plan, out, course, False)
            kept = time.monotonic()
        if stop:
            return course, True
    course = replace(course, sums=_checked(unchecked, course.sums, out, steps, told))
    return course, False


def _scored(job: Job, plan: Plan, out: Path, course: _Course, seconds: float) -> _Course:
    """A run after an epoch, which is scored, kept and logged."""
    at, sums = course.at, dict(course.sums)
    count = max(sums.pop("steps", 0), 1)
    scores = {name: float(value) for name, value in job.scored(at.epoch).items()}
    line = {
        "epoch": at.epoch,
        "steps": at.total,
        "measures": {name: total / count for name, total in sums.items()},
        "scores": scores,
        "seconds": round(seconds, 3),
    }
    best = scores.get("best", -math.inf)
    after = _Course(At(at.epoch + 1, 0, at.total), max(course.best, best), {}, (*course.lines, line))
    _keep(job, plan, out, after, best > course.best)
    plan.logged(_flat_line(line))
    return after


def _checked(
    unchecked: Iterable[tuple[At, Mapping[str, Any]]], sums: Mapping[str, float], out: Path, steps: int, told: Told
) -> dict[str, float]:
    """Tell of steps that were done, and add their measures to sums. Raises `Diverged` for the first that is no
    number."""
    added = dict(sums)
    for at, measures in unchecked:
        known = {name: float(value) for name, value in measures.items()}
        if not all(map(math.isfinite, known.values())):
            raise _diverged(out, at.epoch, at.step)
        for name, value in {**known, "steps": 1.0}.items():
            added[name] = added.get(name, 0.0) + value
        told(at, steps, known)
    return added


def _diverged(out: Path, epoch: int, step: int) -> Diverged:
    return Diverged(epoch, step, str(out / CHECKPOINTS / LAST) if has_checkpoint(out) else "")


def _begin(job: Job, out: Path, begun: Mapping[str, Any], resume: bool, rank: int) -> _Course:
    """Where a run begins: all processes at the same place, or none."""
    failed: RecognitionError | None = None
    if rank == 0:
        try:
            _open(out, begun, resume)
        except RecognitionError as error:
            failed = error
    why = from_first("" if failed is None else str(failed))
    if why:
        raise failed or RecognitionError(why)
    kept = read_checkpoint(out) if resume else None
    if kept is None:
        return _Course()
    try:
        course = _Course.of(kept["course"])
        job.load(kept["job"])
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:  # RecursionError, too
        raise RecognitionError(f"the checkpoint in {out} is of something else: {str(error)[:300]}") from error
    if rank == 0:
        _log(out, course.lines)
    return course


def _open(out: Path, begun: Mapping[str, Any], resume: bool) -> None:
    """See that a run may be written in a folder, and say there which."""
    path = out / RUN
    try:
        was = dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise RecognitionError(f"{path} is no description of a run: {error!r}") from error
    if not has_checkpoint(out):
        if any((out / name).exists() for name in (LOG, WEIGHTS)):  # somebody removed the checkpoints
            raise RunExists(out)
    else:
        if not resume:
            raise RunExists(out)
        if was is None:
            raise RecognitionError(f"there are checkpoints in {out}, but nothing says of which run")
    if was is not None and resume:
        _compare(was, begun)
    else:
        _write(path, json.dumps(begun, indent=1).encode())


def _compare(was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises `OtherRun` where a run was begun otherwise than this one; another holotype may go on with it."""
    there, here = dict(_flat(was)), dict(_flat(now))
    names = [name for name in dict.fromkeys([*there, *here]) if there.get(name) != here.get(name)]
    differing = {name: (there.get(name), here.get(name)) for name in names if name != "holotype"}
    if differing:
        raise OtherRun(differing)


def _flat(value: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, Any]]:
    """The values in a mapping by their dotted names."""
    for name, one in value.items():
        if isinstance(one, Mapping):
            yield from _flat(one, f"{before}{name}.")
        else:
            yield f"{before}{name}", one


def _keep(job: Job, plan: Plan, out: Path, course: _Course, better: bool) -> None:
    """Write a checkpoint, and the log. Raises `RecognitionError`, and `Diverged` where a weight is no number: what the
    last step made of it nobody has seen yet."""
    state = job.state()
    if not is_finite(state):
        raise _diverged(out, course.at.epoch, course.at.step)
    if plan.rank:
        return
    try:
        write_checkpoint(out, {"course": course.value(), "job": state}, better)
    except (OSError, RuntimeError) as error:  # PyTorch tells of a full disk by a RuntimeError
        where = f"in epoch {course.at.epoch + 1} after step {course.at.step}"
        told = f"no checkpoint could be written {where}: {error}; the one before it is whole"
        raise RecognitionError(told) from error
    _log(out, course.lines)


def _log(out: Path, lines: Iterable[Line]) -> None:
    """Write a line for each epoch."""
    text = "".join(json.dumps(_flat_line(one)) + "\n" for one in lines)
    _write(out / LOG, text.encode())


def _flat_line(line: Line) -> Line:
    """A line of one level: measures, scores and all else by name."""
    plain = {name: value for name, value in line.items() if name not in ("measures", "scores")}
    return {**plain, **line["measures"], **line["scores"]}


def _write(path: Path, data: bytes) -> None:
    try:
        write_atomically(path, data)
    except OSError as error:
        raise RecognitionError(f"{path} could not be written: {error}") from error
