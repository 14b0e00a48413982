"""Commands that make pictures of synsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

import holotype as api
from holotype.cli.groups import CommandGroup
from holotype.cli.lessons import Lesson, ended, lesson_options, watched
from holotype.cli.networks import asked_options, device_option, networks_here, trained_network
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.recognition_data import DataOptions, data_options
from holotype.cli.tables import print_table
from holotype.cli.text import counted, print_json
from holotype.errors import NoProject, RecognitionError
from holotype.ontology import Ontology, load_wordnet
from holotype.ontology.senses import Senses, only_sense
from holotype.recognition.generating import RECIPES, Generating, frechet_distance, recipe_named
from holotype.recognition.relabelling import relabelled

_LEAST = 4
_run_argument = click.argument("run_", metavar="RUN", type=click.Path(exists=True, file_okay=False, path_type=Path))
_guidance_option = click.option(
    "--guidance",
    default=1.5,
    show_default=True,
    type=click.FloatRange(min=0),
    help="How much the class says: 1 is what was learned; more is more like the class, and less varied.",
)
_steps_option = click.option(
    "--steps", default=50, show_default=True, type=click.IntRange(1, 1000), help="In how many steps noise is taken out."
)
_seed_option = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the noise.")


@click.group(cls=CommandGroup)
def generate() -> None:
    """Train and use networks that make pictures of synsets."""


@generate.command("fit")
@data_options
@click.option("--recipe", default="tiny", show_default=True, metavar="NAME", help=f"One of {', '.join(RECIPES)}.")
@click.option(
    "--autoencoder",
    default="",
    metavar="FOLDER|NAME",
    help="An AutoencoderKL that diffusers keeps there, in place of one that is trained first.",
)
@lesson_options
@project_option
def fit(data: DataOptions, recipe: str, autoencoder: str, lesson: Lesson, project: Path) -> None:
    """Train latent diffusion that is told classes: an autoencoder first, then what takes noise out of its pictures.

    What is scored after each epoch is how well held-out pictures come back from the autoencoder, and the squared error
    of the noise that is found in them: 1 is that of finding none.
    """
    asked = _changed(recipe_named(recipe), lesson)
    with networks_here():
        from holotype.recognition.networks.generation import Watching, learn_to_generate

        epochs = {"autoencoder": asked.autoencoder.epochs, "diffusion": asked.diffusion.epochs}
        stages = list(epochs)[1:] if autoencoder else list(epochs)
        with data.opened(project) as given, watched(stages) as watching:
            samples, held_out = lesson.samples(given)
            found = learn_to_generate(
                samples,
                asked,
                lesson.out,
                held_out=held_out,
                autoencoder=autoencoder,
                watching=Watching(
                    lambda stage: watching.told(stage, epochs[stage]),
                    lambda stage: watching.logged(stage, epochs[stage]),
                    watching.stopping,
                ),
                **lesson.asked(given),
            )
    error = found.diffusion.scores.get("error") if found.diffusion is not None else None
    scored = "" if error is None else f", error of the noise {error:.3f}"
    ended(found.finished, found.damaged, f"{lesson.out}: {counted(len(found.classes), 'class', 'classes')}{scored}")


def _changed(recipe: Generating, lesson: Lesson) -> Generating:
    """The recipe with what is otherwise, in both halves."""
    given = {"epochs": lesson.epochs, "batch_size": lesson.batch_size}
    known: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return replace(
        recipe, autoencoder=replace(recipe.autoencoder, **known), diffusion=replace(recipe.diffusion, **known)
    )


@generate.command("run")
@_run_argument
@click.option(
    "--synset", "synsets", multiple=True, required=True, metavar="SYNSET", help="Of what: a class, or one above some."
)
@click.option("--count", default=8, show_default=True, type=click.IntRange(1), help="How many pictures of each class.")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER", help="Where to write."
)
@_guidance_option
@_steps_option
@_seed_option
@device_option
@project_option
def run(
    run_: Path,
    synsets: Sequence[str],
    count: int,
    out: Path,
    guidance: float,
    steps: int,
    seed: int,
    device: str,
    project: Path,
) -> None:
    """Make pictures of synsets by the generator of RUN: PNG files in a folder for each class.

    A synset that is no class stands for the classes below it, in the ontology of the project, or in WordNet.
    """
    with networks_here():
        from holotype.recognition.networks.generators import Generator

        generator = Generator(run_, device)
    from holotype.recognition.pictures_written import write_picture

    wanted = [wnid for wnid in _meant(synsets, generator.classes, project) for _ in range(count)]
    paths = [out / wnid / f"{seed}-{number:05}.png" for number, wnid in enumerate(wanted)]
    for path in paths:
        if path.exists():
            raise click.ClickException(f"{path} is there already")
    with bars(["pictures"]) as advance:
        made = generator.sample(
            wanted,
            guidance=guidance,
            steps=steps,
            seed=seed,
            progress=lambda done, total: advance("pictures", done, total),
        )
    for pixels, path in zip(made, paths, strict=True):
        write_picture(pixels, path)
    click.echo(f"{counted(len(paths), 'picture')} of {counted(len(set(wanted)), 'class', 'classes')}: {out}")


def _meant(synsets: Sequence[str], classes: Sequence[str], project: Path) -> list[str]:
    """The classes that synsets are, or are above of, in class order; of a word's senses, the one that has some.

    Raises `RecognitionError` where there are none.
    """
    if set(synsets) <= set(classes):
        return sorted(set(synsets))
    ontology, senses = _words(project)
    found: set[str] = set()
    for text in synsets:
        meant = senses(text)
        below = {one.wnid: _below(ontology, classes, one.wnid) for one in meant}
        chosen = only_sense(text, meant, [len(below[one.wnid]) for one in meant]).wnid
        if not below[chosen]:
            raise RecognitionError(f"no class of this generator is {text}, or below it")
        found |= below[chosen]
    return sorted(found)


def _words(project: Path) -> tuple[Ontology, Senses]:
    try:
        with api.open(project) as db:
            return db.ontology, db.lemmas.senses
    except NoProject:
        found = load_wordnet()
        return found, found.named


def _below(ontology: Ontology, classes: Sequence[str], top: str) -> set[str]:
    """Those of some classes that are a synset, or below it."""
    known = [ontology[wnid] for wnid in classes if wnid in ontology]
    return {one.wnid for one in known if one.wnid == top or top in {above.wnid for above in ontology.ancestors(one)}}


@generate.command("score")
@_run_argument
@click.argument("model")
@data_options
@click.option("--split", default="val", show_default=True, metavar="NAME", help="Whose images are the real ones.")
@click.option("--under", multiple=True, metavar="SYNSET", help="Only images of its subtree; several times.")
@_guidance_option
@_steps_option
@_seed_option
@asked_options
@project_option
@json_option
def score(
    run_: Path,
    model: str,
    data: DataOptions,
    split: str,
    under: Sequence[str],
    guidance: float,
    steps: int,
    seed: int,
    weights: str,
    device: str,
    batch_size: int,
    project: Path,
    as_json: bool,
) -> None:
    """Say how far pictures of RUN are from real ones, by the Frechet distance of features of the network MODEL.

    As many are made as there are real ones, of the same classes; real ones of other classes are left out. Beside it
    stand what the autoencoder makes of noise, and the two halves of the real ones: distances fall with the number of
    pictures, so compare only those of one run of this command, or of as many.
    """
    network = trained_network(model, weights)
    with networks_here():
        from holotype.recognition.networks.features import features
        from holotype.recognition.networks.generators import Generator, picture_features

        generator = Generator(run_, device)
    with data.opened(project) as given, bars(["pictures", "features"]) as advance:
        asked = given.samples(split, under)
        samples = relabelled(asked, {wnid: wnid for wnid in generator.classes})
        left = len(asked) - len(samples)
        if len(samples) < _LEAST:
            others = f", {left:,} are of other classes" if left else ""
            raise RecognitionError(f"{len(samples):,} real images are too few to be compared with{others}")
        known = features(network, samples, device, batch_size)
        lost = [one.number for one in known.damaged]
        real = np.delete(known.rows, lost, axis=0)
        wanted = [samples.classes[label] for label in np.delete(samples.labels, lost)]
        made = generator.sample(
            wanted,
            guidance=guidance,
            steps=steps,
            seed=seed,
            progress=lambda done, total: advance("pictures", done, total),
        )
        noise = generator.unlearned(len(wanted), seed)
        rows = [picture_features(network, pictures, device, batch_size) for pictures in (made, noise)]
    if len(real) < _LEAST:
        raise RecognitionError(f"{len(real):,} real images are too few to be compared with")
    value = {
        "images": len(real),
        "of other classes": left,
        "pictures": frechet_distance(rows[0], real),
        "noise": frechet_distance(rows[1], real),
        "halves": frechet_distance(real[::2], real[1::2]),
    }
    if as_json:
        print_json(value)
        return
    print_table(
        f"{counted(len(real), 'real image')}, by features of {network.name}",
        ("Frechet distance", "value"),
        [
            ("pictures that were made", f"{value['pictures']:.2f}"),
            ("the autoencoder's of noise", f"{value['noise']:.2f}"),
            ("one half of the real ones, from the other", f"{value['halves']:.2f}"),
        ],
    )
    if left:
        click.echo(f"left out, of classes that the generator was not told: {counted(left, 'image')}")
