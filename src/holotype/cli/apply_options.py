"""What the applications that recognise images share as commands: whose images, where the result goes, what is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from holotype.cli.recognition_data import Data
from holotype.cli.tables import print_table
from holotype.cli.text import counted, print_json
from holotype.ontology import Ontology
from holotype.ontology.senses import only_sense
from holotype.recognition.report.applied import Applied, Curve
from holotype.recognition.report.results import refuse_written, write_result
from holotype.recognition.targets import Targets
from holotype.releases.loaders import Samples


@dataclass(frozen=True, slots=True)
class Application:
    """What is learned from (`train`) and asked about (`split`), of which subtrees, and where the result goes."""

    train: str
    split: str
    under: tuple[str, ...]
    out: Path
    replace: bool

    def check(self, name: str) -> None:
        """Before anything is done, raise `AlreadyApplied` where the folder has a result of this application, unless it
        is to be replaced, and `NotInstalled` where the report could not be drawn."""
        refuse_written(self.out, name, replace=self.replace)

    def samples(self, data: Data) -> tuple[Samples, Samples]:
        """What is learned from, and what is asked about."""
        return data.samples(self.train, self.under), data.samples(self.split, self.under)

    def source(self, data: Data) -> dict[str, Any]:
        """What a result says of the data it follows from."""
        under = {"under": list(self.under)} if self.under else {}
        return {**data.source, "train": self.train, "split": self.split, **under}

    def tell(self, found: Applied, as_json: bool) -> None:
        """Write the result and the report, and say what was found."""
        report = write_result(self.out, found, replace=self.replace)
        if as_json:
            print_json(value_of(found))
            return
        _print(found)
        click.echo(f"report: {report}")


_OPTIONS: Final = (
    click.option("--train", default="train", show_default=True, metavar="NAME", help="The split to learn from."),
    click.option("--split", default="val", show_default=True, metavar="NAME", help="The split to be asked about."),
    click.option("--under", multiple=True, metavar="SYNSET", help="Only images of these subtrees; several times."),
    click.option(
        "--out",
        required=True,
        type=click.Path(file_okay=False, path_type=Path),
        metavar="FOLDER",
        help="Where the result goes, and the report of all results there.",
    ),
    click.option("--replace", is_flag=True, help="Replace the result that the folder has."),
)

of_option = click.option(
    "--of",
    "synsets",
    multiple=True,
    metavar="SYNSET",
    help="What to tell: a synset with all that is under it; several times. [default: each class]",
)


def application_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of applications, which it gets as one `Application`, called `asked`."""
    names = tuple(Application.__dataclass_fields__)

    @wraps(command)
    def packed(*arguments: Any, **given: Any) -> None:
        asked = Application(**{name: given.pop(name) for name in names})
        command(*arguments, asked=asked, **given)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed


def wnids_of(ontology: Ontology, synsets: Sequence[str], tests: Samples) -> list[str]:
    """The wnids of synsets, given by wnids or lemmas: a lemma of several senses means the one that test images show.

    Raises `UnknownSynset` or `AmbiguousLemma`.
    """
    found = []
    for text in synsets:
        senses = ontology.named(text)
        shown = Targets(tuple(one.wnid for one in senses), ontology).shown(tests).sum(axis=0)
        found.append(only_sense(text, senses, shown.tolist() if len(senses) > 1 else ()).wnid)
    return found


def value_of(found: Applied) -> dict[str, Any]:
    """What was found as JSON values, with areas in the place of curves."""
    value = found.value()
    classes = [
        {"wnid": one.wnid, "name": one.name, "positives": one.positives, "auc": _areas(one.curves)}
        for one in found.classes
    ]
    kept = {name: value[name] for name in ("name", "settings", "figures", "heights")}
    return {**kept, "auc": _areas(found.mean), "classes": classes}


def _areas(curves: Sequence[Curve]) -> Mapping[str, float]:
    return {one.method: round(one.auc, 6) for one in curves}


def _print(found: Applied) -> None:
    told = counted(int(found.figures["test images"]), "test image")
    click.echo(f"{told}, {counted(len(found.classes), 'synset')} to tell")
    print_table("all synsets", ("method", "mean AUC"), [(one.method, f"{one.auc:.3f}") for one in found.mean])
    if found.heights:
        methods = list(found.heights[0].aucs)
        rows = [(one.height, one.synsets, *(f"{one.aucs[name]:.3f}" for name in methods)) for one in found.heights]
        print_table("by height, 0: leaves", ("height", "synsets", *methods), rows)
    for name, count in found.figures.items():
        if name.startswith("damaged") and count:
            click.echo(f"{name}, left out: {count:,.0f}")
