"""What a network is trained on and asked about, as commands name it: a release, or a dataset where it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

import holotype as api
from holotype.benchmark.boxed import boxes_of_release
from holotype.benchmark.values import Boxes
from holotype.cli.named_release import opened_release
from holotype.cli.options import archives_option
from holotype.cli.text import plain
from holotype.files import sha256_file
from holotype.ontology import Ontology
from holotype.releases.layout import CHECKSUMS
from holotype.releases.loaders import Damaged, Samples

_LISTED: Final = 5


@dataclass(frozen=True, slots=True)
class Data:
    """Images with labels in splits: `samples` of a split, those under some synsets; `boxes` of a split; what tells it
    from others in a run's description, its `source`; and the ontology that its classes are of."""

    source: Mapping[str, str]
    ontology: Ontology
    samples: Callable[[str, Sequence[str]], Samples]
    boxes: Callable[[str], Boxes]

    def asked(self, split: str, under: Sequence[str]) -> Samples:
        """The images of a split that something is asked about. Raises `click.ClickException` where there are none."""
        if len(found := self.samples(split, under)):
            return found
        below = f" under {' or '.join(map(repr, under))}" if under else ""
        raise click.ClickException(plain(f"the split {split!r} has no labelled image{below}"))


def tell_damaged(damaged: Sequence[Damaged]) -> None:
    """Say which images are damaged, the first of them."""
    for one in damaged[:_LISTED]:
        click.echo(plain(f"damaged, and left out: {one.id} ({one.reason}): {one.detail}"), err=True)
    if len(damaged) > _LISTED:
        click.echo(f"and {len(damaged) - _LISTED:,} more", err=True)


@dataclass(frozen=True, slots=True)
class DataOptions:
    """A release by its name, folder or URL, or an imported dataset by its name."""

    release: str | None
    dataset: str | None
    archives: Sequence[Path]

    def named(self) -> str:
        """The option that names it."""
        return f"--release {self.release}" if self.release is not None else f"--dataset {self.dataset}"

    @contextmanager
    def opened(self, project: Path) -> Iterator[Data]:
        """What is named. Raises `click.UsageError` where it is not one thing, `ReleaseError`, `ArchiveError`."""
        if self.release is None and self.dataset is None:
            raise click.UsageError("say what it is to be done on: --release, or --dataset")
        if self.release is not None and self.dataset is not None:
            raise click.UsageError("--release and --dataset are two things: say one of them")
        if self.dataset is not None:
            with api.open(project) as db:
                dataset = db.datasets[self.dataset]
                yield Data({"dataset": dataset.name}, db.ontology, dataset.samples, dataset.boxes)
            return
        with opened_release(self.release or "", project, self.archives) as named:
            made = named.release
            source = {"release": made.name, "sha256": sha256_file(made.path / CHECKSUMS)}
            yield Data(source, named.ontology, named.samples, lambda split: boxes_of_release(made, split))


def data_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of what it works on, which it gets as one `DataOptions`, called `data`."""

    @wraps(command)
    def packed(
        *arguments: Any, release: str | None, dataset: str | None, archives: Sequence[Path], **given: Any
    ) -> None:
        command(*arguments, data=DataOptions(release, dataset, archives), **given)

    for option in (
        archives_option,
        click.option("--dataset", metavar="NAME", help="An imported dataset, read where it lies."),
        click.option("--release", metavar="NAME", help="A release of the project, its folder, or its URL."),
    ):
        packed = option(packed)
    return packed
