"""The page of an evaluation that a command writes: what it is asked for, and what it shows beside the numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

import holotype as api
from holotype.benchmark.analysis.known_boxes import boxes_of_release, holds_boxes
from holotype.benchmark.analysis.properties import read_properties
from holotype.benchmark.analysis.subjects import classes_of
from holotype.benchmark.reading.truths import read_boxes
from holotype.benchmark.report.evaluated import Evaluated, Wanted
from holotype.benchmark.report.page import render
from holotype.benchmark.report.pictures import ReadPicture
from holotype.benchmark.values import Boxes
from holotype.cli.named_release import opened_release
from holotype.cli.options import file_type
from holotype.cli.truths import TruthOptions
from holotype.errors import NoProject, WordNetNotFound
from holotype.files import write_atomically
from holotype.ontology import Ontology, load_wordnet
from holotype.releases.loaders import Samples, samples_of


@dataclass(frozen=True, slots=True)
class PageOptions:
    """The page that is to be written, if any, and the tables of properties that it goes by."""

    html: Path | None
    properties: tuple[Path, ...]

    def check(self) -> None:
        """Raise `click.ClickException` where a page is asked for that cannot be drawn, before anything is done."""
        if self.properties and self.html is None:
            raise click.UsageError("--properties says what the page is about: give --html, too")
        if self.html is None:
            return
        try:
            import jinja2
            import matplotlib
        except ModuleNotFoundError as error:
            raise click.ClickException(f"{error}; the page needs: pip install 'holotype[demo]'") from error
        del jinja2, matplotlib

    def write(self, found: Evaluated, metric: int, told: TruthOptions, project: Path) -> None:
        """Write the page, if one is asked for."""
        if self.html is None:
            return
        placed = {path: holds_boxes(path) for path in self.properties}
        items, classes = found.judges[0].items, classes_of(found.truth)
        said = [read_properties(path, items, classes) for path, boxes in placed.items() if not boxes]
        given = next((read_boxes(path) for path, boxes in placed.items() if boxes), None)
        with _beside(told, project) as (ontology, read, known):
            page = render(found, Wanted(ontology, said, read, metric, given or known))
        write_atomically(self.html, page.encode())


@contextmanager
def _beside(told: TruthOptions, project: Path) -> Iterator[tuple[Ontology | None, ReadPicture, Boxes | None]]:
    """The ontology that names classes, what reads images, and their boxes, as long as what holds them is open."""
    if told.release is not None:
        with opened_release(told.release, project) as named:
            split = told.split or "test"
            yield named.ontology, _reader(samples_of(named.release, split)), boxes_of_release(named.release, split)
        return
    try:
        with api.open(project) as db:
            held = db.datasets[told.dataset].samples(told.split or "val") if told.dataset is not None else None
            yield db.ontology, _nothing if held is None else _reader(held), None
    except NoProject:
        yield _wordnet(), _nothing, None


def _reader(samples: Samples) -> ReadPicture:
    number = {image: at for at, image in enumerate(samples.ids.to_pylist())}
    return lambda image: samples.read(number[image]) if image in number else None


def _nothing(_: str) -> bytes | None:
    return None


def _wordnet() -> Ontology | None:
    try:
        return load_wordnet()
    except WordNetNotFound:
        return None


_OPTIONS: Final = (
    click.option(
        "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with plots and analysis here."
    ),
    click.option(
        "--properties",
        type=file_type,
        multiple=True,
        help="A table of what classes or images have in common, or their boxes, which the page goes by.",
    ),
)


def page_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a page, which it gets as a value called `page`."""

    @wraps(command)
    def packed(*arguments: Any, html: Path | None, properties: tuple[Path, ...], **given: Any) -> None:
        command(*arguments, page=PageOptions(html, properties), **given)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed
