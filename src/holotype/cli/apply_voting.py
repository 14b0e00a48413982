"""The commands that tell what images show by their nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

import holotype as api
from holotype.cli.apply_options import Application, application_options, of_option, wnids_of
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.recognition_data import DataOptions, data_options
from holotype.recognition.voting import NBNN_NAME, NN_VOTING, Comparing, Voting, nbnn, nn_voting
from holotype.releases.loaders import Samples

CLEAN = "NN-voting + clean"
NOISY = "NN-voting + noisy"


@click.command("nn-voting")
@data_options
@application_options
@of_option
@click.option(
    "--neighbours", default=100, show_default=True, type=click.IntRange(1), help="The nearest so many pictures vote."
)
@click.option("--raw", is_flag=True, help="Compare pixels as they are, and not less their mean and of one contrast.")
@click.option(
    "--candidates", is_flag=True, help="Beside, let all vote that was ever a candidate in the project, uncleaned."
)
@project_option
@json_option
def nn_voting_command(
    data: DataOptions,
    asked: Application,
    synsets: Sequence[str],
    neighbours: int,
    raw: bool,
    candidates: bool,
    project: Path,
    as_json: bool,
) -> None:
    """Tell what images show by the votes of the tiny pictures that are nearest to them.

    Deng et al. 2009, section 4.1: pictures are shrunk to 32 x 32 pixels. With --candidates it is done by images that
    people have cleaned and by those that were proposed, with the words they were found by for labels.
    """
    asked.check(NN_VOTING)
    with data.opened(project) as opened, bars(()) as advance:
        train, tests = asked.samples(opened)
        wnids = wnids_of(opened.ontology, synsets, tests)
        with _noisy(tests, asked.under, project, candidates) as noisy:
            pools = {CLEAN: train, **({} if noisy is None else {NOISY: noisy})}
            voting = Voting(neighbours, normalised=not raw)
            found = nn_voting(pools, tests, opened.ontology, wnids, voting, asked.source(opened), advance)
    asked.tell(found, as_json)
    for name in pools:
        if (voters := int(found.figures[f"images that vote ({name})"])) <= neighbours:
            click.echo(f"{name}: all {voters:,} vote on every image: take fewer --neighbours", err=True)


@contextmanager
def _noisy(tests: Samples, under: Sequence[str], project: Path, wanted: bool) -> Iterator[Samples | None]:
    """The project's candidates but for test images and their near-duplicates; None where they are not asked for."""
    if not wanted:
        yield None
        return
    with api.open(project) as db:
        yield db.candidates.samples(under=under, apart_from=tests.ids.to_pylist())


@click.command("nbnn")
@data_options
@application_options
@of_option
@click.option(
    "--per-class",
    multiple=True,
    type=click.IntRange(0),
    metavar="NUMBER",
    help="Images of a class at most, 0: all; several times, to compare. [default: 0]",
)
@click.option(
    "--probes",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="Compare descriptors within so many cells of near ones alone, by faiss: faster, and not exact.",
)
@click.option("--seed", default=0, show_default=True, help="Which images of a class are drawn.")
@project_option
@json_option
def nbnn_command(
    data: DataOptions,
    asked: Application,
    synsets: Sequence[str],
    per_class: tuple[int, ...],
    probes: int | None,
    seed: int,
    project: Path,
    as_json: bool,
) -> None:
    """Tell what images show by the nearest SIFT descriptors of each class.

    Deng et al. 2009, section 4.1, and Boiman et al. 2008; the paper's NBNN-100 is --per-class 100. An image's
    descriptors take 85 kB of memory.
    """
    asked.check(NBNN_NAME)
    with data.opened(project) as opened, bars(()) as advance:
        train, tests = asked.samples(opened)
        wnids = wnids_of(opened.ontology, synsets, tests)
        comparing = Comparing(per_class=tuple(dict.fromkeys(per_class)) or (0,), probes=probes, seed=seed)
        found = nbnn(train, tests, opened.ontology, wnids, comparing, asked.source(opened), advance)
    asked.tell(found, as_json)
