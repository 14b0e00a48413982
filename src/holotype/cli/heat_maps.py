"""What a network is asked to explain, as commands say it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from holotype.errors import RecognitionError
from holotype.ontology import Ontology
from holotype.recognition.asked import Asked, about_labels, about_synset, meant
from holotype.recognition.cam_boxes import THRESHOLD
from holotype.recognition.shown import VIEWS, View
from holotype.releases.loaders import Samples

AUTO: Final = "auto"
PNG: Final = ".png"


@dataclass(frozen=True, slots=True)
class Look:
    """What is explained, the `target`; the `view` that a network is shown of a picture; the `layer` that is read, ""
    for the one that is found; and the `threshold` of boxes."""

    target: str
    view: View
    layer: str
    threshold: float

    def asked(self, network: Any, samples: Samples, ontology: Ontology) -> Asked | None:
        """What a network is asked about samples: None for what it guesses.

        Raises `RecognitionError` where nobody said what its outputs are, `PredictionError` where it does not know what
        it is asked, `UnknownSynset` or `AmbiguousLemma`.
        """
        if self.target == AUTO or not (self.target or samples.classes):
            return None
        if not network.classes:
            raise RecognitionError(f"nobody said which classes the {network.outputs:,} outputs of {network.name} are")
        if self.target:
            return about_synset(network.classes, samples, meant(self.target, network.classes, ontology), ontology)
        return about_labels(network.classes, samples, ontology)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to come of it: pictures in `out`, a PNG or a folder, no more of data than `pictures`; scores by boxes,
    with `pointing`; and a file of boxes, `boxes_out`."""

    out: Path | None
    pictures: int
    pointing: bool
    boxes_out: Path | None

    def check(self, files: int) -> None:
        """Raise `click.UsageError` where that cannot be of so many files, or 0 of data, before anything is computed."""
        if files and self.pointing:
            raise click.UsageError("--pointing needs boxes: give --release or --dataset, and no IMAGE")
        if not files and not (self.out or self.pointing or self.boxes_out):
            raise click.UsageError("say what is to come of it: --out, --pointing or --boxes-out")
        if self.out is not None and self.one and files != 1:
            raise click.UsageError(f"--out is a folder where there may be several pictures, not {self.out.name}")
        if self.out is not None and self.out.exists() and (self.one or not _is_empty(self.out)):
            raise click.UsageError(f"{self.out} is there already: name another --out")
        if self.boxes_out is not None and self.boxes_out.exists():
            raise click.UsageError(f"{self.boxes_out} is there already: name another --boxes-out")

    @property
    def one(self) -> bool:
        """Whether `out` is one picture."""
        return self.out is not None and self.out.suffix.lower() == PNG


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def explain_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of what is explained and what is to come of it: `look` and `wanted`."""

    @wraps(command)
    def packed(*arguments: Any, **given: Any) -> None:
        look = Look(*(given.pop(name) for name in Look.__slots__))
        command(*arguments, look=look, wanted=Wanted(*(given.pop(name) for name in Wanted.__slots__)), **given)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed


_OPTIONS: Final = (
    click.option(
        "--target",
        default="",
        metavar="SYNSET|auto",
        help="What to explain: a synset, also an inner one, or what MODEL guesses. [default: the label, else auto]",
    ),
    click.option("--out", type=click.Path(path_type=Path), help="Draw pictures: a folder, or a PNG of one IMAGE."),
    click.option(
        "--pictures",
        default=20,
        show_default=True,
        type=click.IntRange(1),
        help="The most that are drawn of a release or dataset, at even distances.",
    ),
    click.option("--pointing", is_flag=True, help="Score what is found by the boxes of the release or dataset."),
    click.option(
        "--boxes-out",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write boxes around what is found here, as a CSV that holotype boxes propose takes.",
    ),
    click.option(
        "--threshold",
        default=THRESHOLD,
        show_default=True,
        type=click.FloatRange(0, 1, min_open=True),
        help="What share of the largest heat a box is around.",
    ),
    click.option(
        "--view",
        default="centre",
        show_default=True,
        type=click.Choice(VIEWS),
        help="What is shown: the centre, as it was trained to be, or the whole picture, squeezed to a square.",
    ),
    click.option(
        "--layer", default="", metavar="NAME", help="The layer that is read. [default: the last that knows places]"
    ),
)
