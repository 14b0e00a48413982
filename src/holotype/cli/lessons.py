"""What commands share that have networks learn from pictures alone: what is shown, what is printed, how they end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holotype.cli.learning import (
    STOPPED,
    epochs_option,
    out_option,
    resume_option,
    seed_option,
    stopping_when_told,
    workers_option,
)
from holotype.cli.networks import device_option
from holotype.cli.progress import bars
from holotype.cli.recognition_data import Data, tell_damaged
from holotype.cli.text import plain
from holotype.releases.loaders import Samples

if TYPE_CHECKING:
    from holotype.recognition.networks.running import At
    from holotype.releases.loaders import Damaged


@dataclass(frozen=True, slots=True)
class Lesson:
    """What of some data is learned from, and what is held out; where the run is left, and how it is computed."""

    split: str
    val: str
    under: Sequence[str]
    out: Path
    epochs: int | None
    batch_size: int | None
    resume: bool
    device: str
    seed: int
    workers: int | None

    def samples(self, given: Data) -> tuple[Samples, Samples | None]:
        """What is learned from, and what is held out, None where that is nothing."""
        held_out = given.samples(self.val, self.under) if self.val else None
        return given.samples(self.split, self.under), held_out if held_out is not None and len(held_out) else None

    def asked(self, given: Data) -> dict[str, Any]:
        """What of it calls that learn are given by name."""
        named = {name: getattr(self, name) for name in ("seed", "resume", "device", "workers")}
        return {**named, "source": {**given.source, "split": self.split, "under": " ".join(sorted(self.under))}}


_POSITIVE: Final = click.IntRange(min=1)
_OPTIONS: Final = (
    click.option("--split", default="train", show_default=True, metavar="NAME", help="What is learned from."),
    click.option("--val", default="val", show_default=True, metavar="NAME", help="What is scored; '' for nothing."),
    click.option("--under", multiple=True, metavar="SYNSET", help="Only images of its subtree; several times."),
    out_option,
    epochs_option,
    click.option("--batch", "batch_size", type=_POSITIVE, help="Images a step.  [default: likewise]"),
    resume_option,
    device_option,
    seed_option,
    workers_option,
)


def lesson_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of learning from pictures, which it gets as one `Lesson`, called `lesson`."""
    names = tuple(Lesson.__dataclass_fields__)

    @wraps(command)
    def packed(*arguments: Any, **given: Any) -> None:
        command(*arguments, lesson=Lesson(**{name: given.pop(name) for name in names}), **given)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed


@dataclass(frozen=True, slots=True)
class Watched:
    """Who draws a stage of a number of epochs, `told` of its steps; who prints lines of its log; whether to stop."""

    told: Callable[[str, int], Callable[[At, int, Mapping[str, float]], None]]
    logged: Callable[[str, int], Callable[[Mapping[str, Any]], None]]
    stopping: Callable[[], bool]


@contextmanager
def watched(stages: Sequence[str]) -> Iterator[Watched]:
    """Bars of the steps of stages, and a line for each epoch, on stderr, of the first of several processes; Ctrl-C and
    SIGTERM end a step, and what was learned is kept."""
    first = os.environ.get("RANK", "0") == "0"

    def told(stage: str, epochs: int) -> Callable[[At, int, Mapping[str, float]], None]:
        def step(at: At, steps: int, _: Mapping[str, float]) -> None:
            if first:
                advance(stage, at.total + 1, steps * epochs)

        return step

    def logged(stage: str, epochs: int) -> Callable[[Mapping[str, Any]], None]:
        def epoch(line: Mapping[str, Any]) -> None:
            if first:
                click.echo(epoch_told(stage, epochs, line), err=True)

        return epoch

    with stopping_when_told() as stopping, bars(stages) as advance:
        yield Watched(told, logged, stopping)


def epoch_told(stage: str, epochs: int, line: Mapping[str, Any]) -> str:
    """What came of an epoch, in a line: its loss, its scores, and how long it took.

    >>> epoch_told("diffusion", 9, {"epoch": 0, "steps": 7, "loss": 0.5, "error": 0.25, "best": -0.25, "seconds": 3.0})
    'diffusion: epoch 1 of 9: loss 0.5000, error 0.2500, 3 s'
    """
    known = {name: value for name, value in line.items() if name not in ("epoch", "steps", "seconds", "best")}
    measured = ", ".join(f"{name} {value:.4f}" for name, value in known.items())
    return f"{stage}: epoch {line['epoch'] + 1} of {epochs}: {measured}, {line['seconds']:.0f} s"


def ended(finished: bool, damaged: Sequence[Damaged], told: str) -> None:
    """Say what was damaged, and what came of a run; one that was told to stop ends the command with `STOPPED`."""
    if os.environ.get("RANK", "0") == "0":
        tell_damaged(damaged)
        click.echo(plain(told) if finished else "stopped, and kept; to go on: --resume", err=not finished)
    if not finished:
        click.get_current_context().exit(STOPPED)
