"""The command that has networks learn from images alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from holotype.cli.lessons import Lesson, ended, lesson_options, watched
from holotype.cli.networks import model_argument, networks_here
from holotype.cli.options import project_option
from holotype.cli.recognition_data import DataOptions, data_options
from holotype.cli.text import counted
from holotype.recognition.contrasts import RECIPES, ContrastRecipe, recipe_named

_STAGE: Final = "contrast"


@click.command("contrast")
@model_argument
@data_options
@click.option("--recipe", default="moco-v2", show_default=True, metavar="NAME", help=f"One of {', '.join(RECIPES)}.")
@click.option("--size", type=click.IntRange(min=16), help="Pixels wide and high of a view.  [default: the network's]")
@click.option(
    "--queue", type=click.IntRange(min=1), help="How many keys are remembered.  [default: as the recipe has it]"
)
@click.option(
    "--momentum", type=click.FloatRange(0, 1, max_open=True), help="Of the keys' network: the fewer steps, the smaller."
)
@click.option("--weights", default="", metavar="NAME|FILE", help="Begin with these: pretrained, a set's name, a file.")
@lesson_options
@project_option
def contrast(
    model: str,
    data: DataOptions,
    recipe: str,
    size: int | None,
    queue: int | None,
    momentum: float | None,
    weights: str,
    lesson: Lesson,
    project: Path,
) -> None:
    """Train a network on images alone, without labels.

    It learns to tell the other view of an image from views of others (MoCo). The run is one of a network without
    classes: probe it, finetune it, or embed images by it. What is scored is how often what is made of one view of an
    image that is held out is nearest to what is made of its other view, among up to 1,000 images.
    """
    asked = _asked(recipe_named(recipe), queue, momentum, lesson)
    with networks_here():
        from holotype.recognition.networks.contrastive import contrast as learn
        from holotype.recognition.networks.models import create_model
        from holotype.recognition.relabelling import once

    with data.opened(project) as given:
        samples, held_out = lesson.samples(given)
        samples = once(samples)
        network = create_model(model, weights=weights, seed=lesson.seed)
        fitted = asked.fitting(len(samples))
        if fitted != asked:
            changed = [
                f"{name} {getattr(asked, name):,} becomes {getattr(fitted, name):,}"
                for name in ("batch_size", "queue")
                if getattr(asked, name) != getattr(fitted, name)
            ]
            click.echo(f"of {len(samples):,} images, {' and '.join(changed)}", err=True)
        with watched([_STAGE]) as watching:
            found = learn(
                samples,
                network,
                fitted,
                lesson.out,
                held_out=held_out,
                size=size,
                told=watching.told(_STAGE, fitted.epochs),
                logged=watching.logged(_STAGE, fitted.epochs),
                stopping=watching.stopping,
                **lesson.asked(given),
            )
    scored = "".join(f", {name} {value:.3f}" for name, value in found.ran.scores.items() if name != "best")
    ended(found.ran.finished, found.damaged, f"{lesson.out}: {counted(found.ran.at.epoch, 'epoch')}{scored}")


def _asked(recipe: ContrastRecipe, queue: int | None, momentum: float | None, lesson: Lesson) -> ContrastRecipe:
    """The recipe with what is otherwise."""
    if queue is not None and not recipe.queue:
        raise click.UsageError(f"{recipe.name} compares with the images of a batch: it has no --queue")
    changed = recipe if lesson.batch_size is None else recipe.scaled(lesson.batch_size)
    given: dict[str, Any] = {"queue": queue, "momentum": momentum, "epochs": lesson.epochs}
    return replace(changed, **{name: value for name, value in given.items() if value is not None})
