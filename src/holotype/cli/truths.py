"""Options that say what predictions are scored against, and how sure a score is to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial, wraps
from pathlib import Path
from typing import Any, Final

import click

import holotype as api
from holotype.benchmark import CONFIDENCE, RESAMPLES, Task
from holotype.benchmark.boxed import boxes_of_release
from holotype.benchmark.labelled import labels_of_release, with_hierarchy
from holotype.benchmark.orders import ORDERS
from holotype.benchmark.outlined import outlines_of_release
from holotype.benchmark.reading.blacklists import blacklisted
from holotype.benchmark.reading.masks import read_outlines
from holotype.benchmark.reading.placing import ROWS
from holotype.benchmark.reading.submissions import read_guesses, read_places
from holotype.benchmark.reading.truths import read_boxes, read_labels
from holotype.benchmark.task import task
from holotype.benchmark.tasks import CLASSIFICATION, OURS
from holotype.benchmark.values import Boxes, Labels
from holotype.cli.named_release import opened_release
from holotype.cli.options import file_type
from holotype.errors import NoProject, PredictionError, UnknownSynset, WordNetNotFound
from holotype.ontology import Ontology, load_wordnet


@dataclass(frozen=True, slots=True)
class TruthOptions:
    """What is said of a truth, and of the task, on the command line."""

    release: str | None
    dataset: str | None
    truth: Path | None
    split: str | None
    blacklist: Path | None
    task_name: str
    order: str | None
    rows: str | None

    def task(self) -> Task[Any, Any]:
        """The task. Raises `PredictionError` where there is none of that name, or no order of classes or rows."""
        found = task(self.task_name, OURS)
        reader = found.read_submission
        if self.order is not None and reader is not read_guesses:
            raise PredictionError(f"the task {found.name} does not go by numbers of classes, which have an order")
        if self.rows is not None and reader not in (read_guesses, read_places):
            raise PredictionError(f"the task {found.name} does not go by rows without ids, which have an order")
        told = {name: said for name, said in (("order", self.order), ("rows", self.rows)) if said is not None}
        return replace(found, read_submission=partial(reader, **told)) if told else found

    def read(self, asked: Task[Any, Any], project: Path) -> Any:
        """The truth for a task, without what is blacklisted. Raises `click.UsageError` unless just one is told, and
        what reading it does."""
        found = self._read(asked, project)
        if self.blacklist is None:
            return found
        if not isinstance(found, Boxes):
            raise click.UsageError(f"the task {asked.name} does not go by boxes, which a --blacklist takes out")
        return blacklisted(found, self.blacklist)

    def _read(self, asked: Task[Any, Any], project: Path) -> Any:
        if [self.release, self.dataset, self.truth].count(None) != 2:
            raise click.UsageError("predictions are scored against a --release, a --dataset or a --truth: give one")
        if self.truth is not None:
            if self.split is not None:
                raise click.UsageError("--truth has no splits: leave --split out")
            found = asked.read_truth(self.truth)
            return _weighed(found, project) if asked.name == CLASSIFICATION.name else found
        if asked.read_truth not in (read_labels, read_boxes, read_outlines):
            raise click.UsageError(
                f"the task {asked.name} needs a --truth: releases and datasets have labels, boxes and masks"
            )
        if self.dataset is not None:
            with api.open(project) as db:
                dataset, split = db.datasets[self.dataset], self.split or "val"
                ways = {read_labels: dataset.labels, read_boxes: dataset.boxes, read_outlines: dataset.outlines}
                return ways[asked.read_truth](split)
        with opened_release(self.release or "", project) as named:
            split = self.split or "test"
            if asked.read_truth is not read_labels:
                read = boxes_of_release if asked.read_truth is read_boxes else outlines_of_release
                return read(named.release, split)
            return labels_of_release(named.release, named.ontology, split)


def _weighed(truth: Labels, project: Path) -> Labels:
    """A truth with the hierarchy of the project's ontology, or of WordNet, if all its classes are synsets of it."""
    try:
        ontology = _ontology(project)
        return truth if ontology is None else with_hierarchy(truth, ontology)
    except UnknownSynset:
        return truth


def _ontology(project: Path) -> Ontology | None:
    try:
        with api.open(project) as db:
            return db.ontology
    except NoProject:
        pass
    try:
        return load_wordnet()
    except WordNetNotFound:
        return None


@dataclass(frozen=True, slots=True)
class DrawOptions:
    """What is said on the command line of how numbers and their intervals come about."""

    confidence: float
    resamples: int
    seed: int


_TRUTH: Final = (
    click.option("--release", metavar="NAME|DIR|URL", help="The labels, boxes or masks of a release."),
    click.option("--dataset", metavar="NAME", help="The labels, boxes or masks of an imported dataset."),
    click.option("--truth", type=file_type, help="A file of true labels, or of what else the task goes by."),
    click.option(
        "--blacklist", type=file_type, help="What of the boxes is not scored: an image a line, or with a class."
    ),
    click.option("--split", metavar="SPLIT", help="The split to score. [default: test of a release, val of a dataset]"),
    click.option("--task", "task_name", default=CLASSIFICATION.name, show_default=True, help="What is measured."),
    click.option(
        "--order",
        type=click.Choice(list(ORDERS)),
        help="The order of classes that are told by number. [default: detected]",
    ),
    click.option(
        "--rows",
        type=click.Choice(list(ROWS)),
        help="The order of rows that have no ids: by the ids of images, or by class and then id. "
        "[default: what the file says, else sorted]",
    ),
)
_DRAWS: Final = (
    click.option(
        "--confidence",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=CONFIDENCE,
        show_default=True,
        help="That of intervals and of what is told apart.",
    ),
    click.option(
        "--resamples", type=click.IntRange(0, 1_000_000), default=RESAMPLES, show_default=True, help="Bootstrap draws."
    ),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="What the draws follow from."),
)


def truth_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a truth and of a draw, which it gets as values called `told` and `drawing`."""

    @wraps(command)
    def packed(*arguments: Any, **given: Any) -> None:
        told, drawing = (
            kind(**{field.name: given.pop(field.name) for field in fields(kind)})
            for kind in (TruthOptions, DrawOptions)
        )
        command(*arguments, told=told, drawing=drawing, **given)

    for option in reversed((*_TRUTH, *_DRAWS)):
        packed = option(packed)
    return packed
