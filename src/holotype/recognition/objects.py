"""Objects discovered: boxes of categories from their images alone, how good they are, and what views there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np

from holotype.benchmark.values import Boxes
from holotype.errors import RecognitionError
from holotype.geometry.values import Ints
from holotype.imports.proposals import GivenBox
from holotype.recognition.categories import Category
from holotype.recognition.discovery import in_pixels, localize
from holotype.recognition.foreground import Beliefs, General
from holotype.recognition.pictured import Localized, pictured
from holotype.recognition.pictures import look_at
from holotype.recognition.placing import Held, beside, placed
from holotype.recognition.report.applied import Applied, Discovered
from holotype.recognition.stages import Stages, no_stages
from holotype.recognition.truths import Truths
from holotype.recognition.words import Cells, Grid, Vocabulary, describe
from holotype.releases.loaders import Damaged, Samples

NAME: Final = "discover"
PICTURED: Final = 40
"""Of so many categories pictures and views are kept."""


@dataclass(frozen=True, slots=True)
class Choices:
    """How objects are discovered: words of `shapes` and of `colours`, which are learned from so many pictures
    (`learned`); what is believed of objects; how many views, and how many pictures, each category shows at most."""

    grid: Grid = field(default_factory=Grid)
    shapes: int = 300
    colours: int = 100
    learned: int = 400
    beliefs: Beliefs = field(default_factory=Beliefs)
    views: int = 6
    shown: int = 6
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was discovered: what a report shows of it (`applied`), and boxes: the number of the sample of each,
    ``(boxes,)``, the wnid of its category, and its `corners` ``(boxes, 4)`` in inclusive pixels of the upright picture.
    Pictures that are `damaged` have none."""

    applied: Applied
    numbers: Ints
    wnids: tuple[str, ...]
    corners: Ints
    damaged: tuple[Damaged, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Worded:
    """The words of sound samples by their numbers, how frequent they are in all, and the samples that are damaged."""

    cells: Mapping[int, Cells]
    general: General
    damaged: tuple[Damaged, ...]


def discover(
    samples: Samples,
    categories: Sequence[Category],
    known: Boxes | None = None,
    choices: Choices | None = None,
    source: Mapping[str, Any] | None = None,
    progress: Stages = no_stages,
) -> Found:
    """The objects of categories, found in their images without any box; those that are `known` only tell how well.

    Pictures are decoded twice, and those that words are learned from once more; between that, only words are kept in
    memory. Raises `RecognitionError` where no picture is sound, and `NotInstalled` without scikit-learn.
    """
    chosen = choices or Choices()
    every = np.unique(np.concatenate([one.numbers for one in categories]))
    learned = np.random.default_rng(chosen.seed).permutation(every)[: chosen.learned]
    worded = _worded(samples, learned, every, chosen, progress)
    truths = Truths(known)
    localized = [_localized(one, samples, worded, truths, chosen.beliefs) for one in categories]
    objects = [_discovered(one) for one in localized]
    for at, one in enumerate(localized[:PICTURED]):
        objects[at] = pictured(objects[at], one, samples, chosen.views, chosen.shown, chosen.seed)
        progress("views", at + 1, min(PICTURED, len(localized)))
    applied = _applied(localized, objects, chosen, source or {}, len(worded.damaged))
    return Found(
        applied,
        np.concatenate([one.numbers for one in localized]),
        tuple(one.category.wnid for one in localized for _ in range(len(one.numbers))),
        np.concatenate([in_pixels(one.boxes, one.sizes) for one in localized]),
        worded.damaged,
    )


def proposed(found: Found, samples: Samples) -> Iterator[GivenBox]:
    """The boxes as a machine proposes them, of images by their ids: what `holotype.recognition.cam_boxes` writes."""
    rows = zip(found.numbers.tolist(), found.wnids, found.corners.tolist(), strict=True)
    for row, (number, wnid, (left, top, right, bottom)) in enumerate(rows, 1):
        yield GivenBox(samples.ids[number].as_py(), wnid, (left, top, right, bottom), None, row)


def _worded(samples: Samples, learned: Ints, every: Ints, chosen: Choices, progress: Stages) -> _Worded:
    look = partial(describe, grid=chosen.grid)
    described = look_at(samples.take(learned), look, progress=partial(progress, "words")).seen
    if not described:
        raise RecognitionError(f"none of {len(learned)} pictures that were tried is sound")
    vocabulary = Vocabulary.fit(described, chosen.grid, chosen.shapes, chosen.colours, chosen.seed)
    looked = look_at(samples.take(every), vocabulary.cells, progress=partial(progress, "images"))
    general = General.of(looked.seen, len(vocabulary.shapes.centres), len(vocabulary.colours.centres))
    return _Worded(dict(zip(every[looked.numbers].tolist(), looked.seen, strict=True)), general, looked.damaged)


def _localized(category: Category, samples: Samples, worded: _Worded, truths: Truths, beliefs: Beliefs) -> Localized:
    numbers = [one for one in category.numbers.tolist() if one in worded.cells]
    cells = [worded.cells[one] for one in numbers]
    known = [
        truths.of(samples.ids[number].as_py(), category.classes, one.width, one.height)
        for number, one in zip(numbers, cells, strict=True)
    ]
    sizes = np.array([(one.width, one.height) for one in cells], np.int64).reshape(-1, 2)
    return Localized(category, np.array(numbers, np.int64), localize(cells, worded.general, beliefs), sizes, known)


def _discovered(one: Localized) -> Discovered:
    judged = _judged(one)
    return Discovered(one.category.wnid, one.category.name, len(one.numbers), len(judged), placed(judged))


def _judged(one: Localized) -> list[Mapping[str, Held]]:
    return [beside(box, known) for box, known in zip(one.boxes, one.known, strict=True) if len(known)]


def _applied(
    localized: Sequence[Localized], objects: Sequence[Discovered], chosen: Choices, source: Mapping[str, Any], lost: int
) -> Applied:
    judged = [held for one in localized for held in _judged(one)]
    figures = {"images": sum(one.images for one in objects), "judged": len(judged), "damaged": lost}
    return Applied(
        NAME,
        "Where the objects of categories are, found by a model of visual words from the images alone: no box was "
        "shown to it. What is known of boxes only says how well it did.",
        {**source, **asdict(chosen)},
        {name: float(one) for name, one in figures.items()},
        placed=placed(judged),
        objects=tuple(objects),
    )
