"""Objects found by visual words from images alone, beside boxes in the middle and the whole picture.

The beliefs that discovery begins with were chosen on the images of even numbers; figures are of those of odd ones. No
box is shown to it, so that it looks at all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from holotype.geometry.values import Floats
from holotype.images import decode
from holotype.ontology import load_wordnet
from holotype.recognition.categories import Category
from holotype.recognition.objects import discover
from holotype.recognition.placing import Held, beside, placed
from real_images import boxes, coarsely, images

Judged = list[tuple[float, Mapping[str, Held]]]
"""The share of the picture that objects take, and how well boxes hold them, by method."""


def rows() -> Iterator[tuple[str, str]]:
    """Precision, recall and CorLoc on half of the images, of all and of small objects."""
    judged = _judged()
    yield "share of the picture that objects take", f"{np.mean([area for area, _ in judged]):.3f}"
    for told, part in (("all", judged), ("objects < 25 %", [one for one in judged if one[0] < 0.25])):
        for one in placed([held for _, held in part]):
            figure = f"{one.precision:.3f} / {one.recall:.3f} / {one.corloc:.3f}"
            yield f"{one.method}, {told}: precision / recall / CorLoc, {len(part)} images", figure


def _judged() -> Judged:
    samples = coarsely(images("val"), load_wordnet())
    categories = [
        Category(wnid, wnid, frozenset({wnid}), np.flatnonzero(samples.labels == number))
        for number, wnid in enumerate(samples.classes)
    ]
    found = discover(samples, categories)
    known, judged = boxes(), Judged()
    for number, corners in zip(found.numbers.tolist(), found.corners.astype(np.float64), strict=True):
        if number % 2:
            picture = decode(samples.read(number))
            objects = _shares(known[samples.ids[number].as_py()], picture.width, picture.height)
            held = beside(_shares(corners[None], picture.width, picture.height)[0], objects)
            judged.append((held["whole picture"].precision, held))
    return judged


def _shares(corners: Floats, width: int, height: int) -> Floats:
    """Inclusive pixels as edges in shares of a picture."""
    return np.asarray((corners + np.array([0, 0, 1, 1])) / np.array([width, height, width, height]), np.float64)


if __name__ == "__main__":
    for what, figure in rows():
        print(what, figure)
