"""What commands that train share: their options, what they print meanwhile, and how they stop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from holotype.cli.networks import device_option
from holotype.cli.options import json_option
from holotype.cli.recognition_data import tell_damaged
from holotype.cli.text import counted, plain, print_json
from holotype.recognition.recipes import RECIPES, Recipe, recipe_named

if TYPE_CHECKING:
    from holotype.recognition.networks.network import Network
    from holotype.recognition.networks.running import At
    from holotype.recognition.networks.training import Started, Trained
    from holotype.releases.loaders import Samples

STOPPED: Final = 75
"""The exit code of a run that was told to stop, and can go on: that of a temporary failure (``EX_TEMPFAIL``)."""
_ESTIMATED_AFTER: Final = 20
_LISTED: Final = 5
_stderr = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class LearningOptions:
    """How a network is trained, as commands are told."""

    recipe: str
    epochs: int | None
    batch_size: int | None
    lr: float | None
    size: int | None
    resume: bool
    device: str
    seed: int
    at_once: int | None
    workers: int | None
    compile: bool
    deterministic: bool
    minutes: float
    as_json: bool

    def followed(self) -> Recipe:
        """The recipe that is followed: of its name, with the size and the learning rate that were asked for, the rate
        being that for the batch that is."""
        found = recipe_named(self.recipe)
        found = found if self.size is None else found.sized(self.size)
        if self.lr is None:
            return found
        return replace(found.scaled(self.batch_size or found.batch_size), lr=self.lr)

    def asked(self) -> dict[str, Any]:
        """What of it `holotype.recognition.networks.training.train` is given by name."""
        names = ("epochs", "batch_size", "resume", "device", "seed", "at_once", "workers", "compile")
        return {name: getattr(self, name) for name in (*names, "deterministic", "minutes")}


_POSITIVE: Final = click.IntRange(min=1)
epochs_option = click.option("--epochs", type=_POSITIVE, help="How long.  [default: as the recipe has it]")
resume_option = click.option("--resume", is_flag=True, help="Go on with the run in that folder, exactly, or begin it.")
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of all that is random."
)
workers_option = click.option("--workers", type=_POSITIVE, help="Threads that decode.  [default: all CPUs]")
_OPTIONS: Final = (
    click.option(
        "--recipe", default="resnet90", show_default=True, metavar="NAME", help=f"One of {', '.join(RECIPES)}."
    ),
    epochs_option,
    click.option("--batch", "batch_size", type=_POSITIVE, help="Images a step, of all processes.  [default: likewise]"),
    click.option("--lr", type=click.FloatRange(min=0, min_open=True), help="The learning rate for that batch."),
    click.option("--size", type=click.IntRange(min=16), help="Pixels wide and high that pictures are at most."),
    resume_option,
    device_option,
    seed_option,
    click.option(
        "--at-once", type=_POSITIVE, help="Images that the device is given at a time, where a batch is too large."
    ),
    workers_option,
    click.option("--compile", is_flag=True, help="Compile the network first, for speed."),
    click.option("--deterministic", is_flag=True, help="Have a GPU compute the same each time, and slower."),
    click.option(
        "--minutes", type=click.FloatRange(min=0), default=15.0, show_default=True, help="Between checkpoints."
    ),
    json_option,
)


def learning_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of training, which it gets as one `LearningOptions`, called `learning`."""
    names = tuple(LearningOptions.__dataclass_fields__)

    @wraps(command)
    def packed(*arguments: Any, **given: Any) -> None:
        learning = LearningOptions(**{name: given.pop(name) for name in names})
        command(*arguments, learning=learning, **given)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed


@contextmanager
def stopping_when_told() -> Iterator[Callable[[], bool]]:
    """Gives whether the process was told to end, by Ctrl-C or SIGTERM, since this began; told again by Ctrl-C, it ends
    at once."""
    told = False

    def tell(number: int, _: FrameType | None) -> None:
        nonlocal told
        if told and number == signal.SIGINT:
            raise KeyboardInterrupt
        told = True

    before = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Telling:
    """What is printed of a run, on stderr: what begins, a bar of its steps with the time that is left, or, where stderr
    is no terminal, that time after some steps; and a line for each epoch."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        times = TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(elapsed_when_finished=False)
        self.bar = Progress(*columns, *times, console=_stderr, disable=quiet or not _stderr.is_terminal)
        self._task = self.bar.add_task("", total=None)
        self._epochs = 0
        self._began: tuple[int, float] | None = None
        self._estimated = False

    def started(self, started: Started) -> None:
        """Say what begins."""
        recipe = started.recipe
        self._epochs = recipe.epochs
        by = "" if started.processes == 1 else f", {started.processes:,} processes"
        self.say(
            f"{counted(started.images, 'image')} of {counted(started.classes, 'class', 'classes')} on {started.device}"
            f"{by}: {counted(recipe.epochs, 'epoch')} of {counted(started.steps, 'step')}, "
            f"{counted(started.batch, 'image')} each, learning rate {recipe.lr:.4g} ({recipe.name})"
        )
        if started.empty:
            count = counted(len(started.empty), "class has", "classes have")
            self.say(f"{count} no image to learn from: {_listed(started.empty)}")
        if recipe.drop_path and not started.branches:
            self.say("no residual branches are known of this network, so none are dropped")

    def told(self, at: At, steps: int, measures: Mapping[str, float]) -> None:
        """Show that a step was done."""
        total, now = steps * self._epochs, time.monotonic()
        if self._began is None:
            self._began = at.total, now
            if at.total:
                self.say(f"goes on in epoch {at.epoch + 1}, after {counted(at.total, 'step')} in all")
        described = f"epoch {at.epoch + 1} of {self._epochs}, loss {measures['loss']:.3f}"
        self.bar.update(self._task, description=described, completed=at.total + 1, total=total)
        done = at.total - self._began[0]
        if done >= _ESTIMATED_AFTER and not self._estimated and not _stderr.is_terminal:
            self._estimated = True
            left = (now - self._began[1]) / done * (total - at.total - 1)
            self.say(f"after {done:,} steps: about {_duration(left)} to go")

    def logged(self, line: Mapping[str, Any]) -> None:
        """Say what came of an epoch."""
        scores = "".join(f", {name} {line[name]:.3f}" for name in ("top1", "top5") if name in line)
        epoch = f"epoch {line['epoch'] + 1} of {self._epochs}: loss {line['loss']:.3f}{scores}"
        self.say(f"{epoch}, {_duration(line['seconds'])}")

    def say(self, text: str) -> None:
        """Print a line, but of all processes the first does."""
        if not self._quiet:
            self.bar.console.print(plain(text), highlight=False, markup=False, soft_wrap=True)


def _listed(wnids: Sequence[str]) -> str:
    return ", ".join(wnids[:_LISTED]) + (", ..." if len(wnids) > _LISTED else "")


def _duration(seconds: float) -> str:
    """A time as people say it.

    >>> _duration(42.4), _duration(300), _duration(20_000)
    ('42 s', '5 min', '5.6 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def out_option(command: Callable[..., None]) -> Callable[..., None]:
    """Where a run is left."""
    kind = click.Path(file_okay=False, path_type=Path)
    return click.option("--out", required=True, type=kind, metavar="FOLDER", help="The folder of the run.")(command)


def learn(
    network: Network,
    samples: Samples,
    val: Samples | None,
    recipe: Recipe,
    out: Path,
    learning: LearningOptions,
    **more: Any,
) -> None:
    """Train a network as `holotype.recognition.networks.training.train` does, tell of it, and print what came of it;
    of several processes the first one does. A run that was told to stop ends the command with `STOPPED`."""
    from holotype.recognition.networks.training import train

    first = os.environ.get("RANK", "0") == "0"
    telling = Telling(quiet=not first)
    if val is not None and not len(val):
        telling.say("there is no image to score, so that accuracy is not known")
    with stopping_when_told() as stopping, telling.bar:
        trained = train(
            samples,
            network,
            recipe,
            out,
            val=val if val is not None and len(val) else None,
            started=telling.started,
            told=telling.told,
            logged=telling.logged,
            stopping=stopping,
            **learning.asked(),
            **more,
        )
    if first:
        _report(trained, out, learning.as_json)
    if not trained.ran.finished:
        click.get_current_context().exit(STOPPED)


def _report(trained: Trained, out: Path, as_json: bool) -> None:
    ran = trained.ran
    scores = {name: value for name, value in ran.scores.items() if name in ("top1", "top5")}
    if as_json:
        at = {"epoch": ran.at.epoch, "step": ran.at.step, "steps": ran.at.total}
        damaged = [{"id": one.id, "reason": one.reason, "detail": one.detail} for one in trained.damaged]
        print_json({"finished": ran.finished, **at, "scores": scores, "damaged": damaged})
        return
    tell_damaged(trained.damaged)
    told = "".join(f", {name} {value:.3f}" for name, value in scores.items())
    if ran.finished:
        click.echo(plain(f"{out}: {counted(ran.at.epoch, 'epoch')}{told}"))
    else:
        click.echo(f"stopped in epoch {ran.at.epoch + 1} after step {ran.at.step:,}; to go on: --resume", err=True)
