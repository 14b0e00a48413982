"""Running a job: step by step, kept at checkpoints, gone on with exactly.

A job is whatever learns: a classifier, a detector, a contrastive pair, a diffusion model. What it is shown follows from
epoch and step alone, so all that there is to resume is its state and the number of the next step.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from holotype.errors import Diverged, OtherRun, RecognitionError
from holotype.files import sync_folder, write_atomically
from holotype.recognition.networks.extra import torch
from holotype.recognition.runs import CHECKPOINTS, FORMAT, LOG, RUN
from holotype.version import VERSION

LAST: Final = "last.pt"
BEFORE: Final = "before.pt"
BEST: Final = "best.pt"
_MOST_UNCHECKED: Final = 20


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
        """Learn from a batch: its measures, scalar tensors by name, ``loss`` among them."""
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


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a run is, and when it is kept: after `minutes`, and after each epoch."""

    epochs: int
    minutes: float = 15.0
    rank: int = 0
    """This process's; only that of rank 0 writes."""
    stopping: Callable[[], bool] = field(default=lambda: False)
    """Asked after each step: where it says so, the run is kept and left. All ranks must be told the same."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended: `at` its next step, with the `scores` of its last epoch; not `finished` where it was told to
    stop."""

    at: At
    scores: Mapping[str, float]
    finished: bool


Told = Callable[[At, int, Mapping[str, float]], None]
"""Told of a step that was done: where it was, how many steps its epoch has, and its measures where they are known."""


def run(
    job: Job,
    plan: Plan,
    out: Path,
    identity: Mapping[str, Any],
    resume: bool = False,
    told: Told = lambda *_: None,
) -> Ran:
    """Run a job in a folder, and leave there ``run.json``, which holds `identity`, ``log.jsonl`` with a line for each
    epoch, and checkpoints; with `resume`, from the last one on, bit for bit as if it had never stopped.

    Raises `OtherRun` where it was begun with another identity, `Diverged` where a loss is no number, with the last good
    checkpoint kept, and `RecognitionError` where there is a run already, or a checkpoint cannot be written.
    """
    begun = {"format": FORMAT, "holotype": VERSION, **identity}
    at, best, scores = _begin(job, out, begun, resume, plan.rank)
    while at.epoch < plan.epochs:
        at, stopped = _epoch(job, plan, out, at, best, told)
        if stopped:
            return Ran(at, scores, False)
        scores = dict(job.scored(at.epoch - 1))
        if plan.rank == 0:
            better = scores.get("best", -math.inf) > best
            best = max(best, scores.get("best", -math.inf))
            _keep(job, out, at, best, better)
            _log(out, {"epoch": at.epoch - 1, "steps": at.total, **scores})
    return Ran(at, scores, True)


def _epoch(job: Job, plan: Plan, out: Path, at: At, best: float, told: Told) -> tuple[At, bool]:
    steps, kept = job.steps(at.epoch), time.monotonic()
    unchecked: list[tuple[At, Mapping[str, Any]]] = []
    for batch in job.batches(at.epoch, at.step):
        measures = job.step(batch, at)
        unchecked.append((at, measures))
        at = At(at.epoch, at.step + 1, at.total + 1)
        due = time.monotonic() - kept > 60 * plan.minutes
        stop = plan.stopping()
        if due or stop or len(unchecked) >= _MOST_UNCHECKED or at.step == steps:
            _check(unchecked, out, steps, told)
            unchecked = []
        if (due or stop) and at.step < steps:
            if plan.rank == 0:
                _keep(job, out, at, best, False)
            kept = time.monotonic()
            if stop:
                return at, True
    _check(unchecked, out, steps, told)
    return At(at.epoch + 1, 0, at.total), False


def _check(unchecked: Iterable[tuple[At, Mapping[str, Any]]], out: Path, steps: int, told: Told) -> None:
    """Tell of steps that were done. Raises `Diverged` for the first whose loss is no number."""
    for at, measures in unchecked:
        known = {name: float(value) for name, value in measures.items()}
        if not math.isfinite(known["loss"]):
            last = out / CHECKPOINTS / LAST
            raise Diverged(at.epoch, at.step, str(last) if last.exists() else "")
        told(at, steps, known)


def _begin(
    job: Job, out: Path, begun: Mapping[str, Any], resume: bool, rank: int
) -> tuple[At, float, dict[str, float]]:
    path = out / RUN
    if path.exists() and not resume:
        raise RecognitionError(f"there is a run in {out} already: go on with it, or give another folder")
    if path.exists():
        _compare(json.loads(path.read_text(encoding="utf-8")), begun)
    elif rank == 0:
        (out / CHECKPOINTS).mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(begun, indent=1).encode())
    for name in (LAST, BEFORE):
        checkpoint = out / CHECKPOINTS / name
        if resume and checkpoint.exists():
            kept = torch.load(checkpoint, map_location="cpu", weights_only=True)
            job.load(kept["job"])
            return At(*kept["at"]), kept["best"], {}
    return At(), -math.inf, {}


def _compare(was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises `OtherRun` where a run was begun otherwise than this one; another holotype may go on with it."""
    differing = {
        name: (was.get(name), now.get(name))
        for name in dict.fromkeys([*was, *now])
        if name != "holotype" and was.get(name) != now.get(name)
    }
    if differing:
        raise OtherRun(differing)


def _keep(job: Job, out: Path, at: At, best: float, better: bool) -> None:
    """Write a checkpoint, as the last one; what was the last is kept as the one before. Raises `RecognitionError`."""
    folder = out / CHECKPOINTS
    made = folder / f"{LAST}.part"
    kept = {"format": FORMAT, "at": [at.epoch, at.step, at.total], "best": best, "job": job.state()}
    try:
        with made.open("wb") as file:
            torch.save(kept, file)
            file.flush()
            os.fsync(file.fileno())
        if (folder / LAST).exists():
            os.replace(folder / LAST, folder / BEFORE)
        os.replace(made, folder / LAST)
        if better:
            (folder / f"{BEST}.part").unlink(missing_ok=True)
            os.link(folder / LAST, folder / f"{BEST}.part")
            os.replace(folder / f"{BEST}.part", folder / BEST)
        sync_folder(folder)
    except (OSError, RuntimeError) as error:  # PyTorch tells of a full disk by a RuntimeError
        made.unlink(missing_ok=True)
        raise RecognitionError(
            f"no checkpoint could be written in epoch {at.epoch}, step {at.step}: {error}; the one before it is whole"
        ) from error


def _log(out: Path, line: Mapping[str, Any]) -> None:
    with (out / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
