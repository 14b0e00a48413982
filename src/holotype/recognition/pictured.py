"""Pictures of what was discovered: some images with their boxes, and the average picture of each view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from holotype.geometry.values import Floats, Ints
from holotype.images import encode_jpeg, fit
from holotype.recognition.categories import Category
from holotype.recognition.overlay import png
from holotype.recognition.pictures import look_at, within
from holotype.recognition.report.applied import Discovered, Shown, Viewpoint
from holotype.recognition.viewpoints import cut, viewpoints
from holotype.releases.loaders import Samples

_READ: Final = 256
_SHOWN: Final = 160
_QUALITY: Final = 75


@dataclass(frozen=True, slots=True, eq=False)
class Localized:
    """The sound samples of a category by their `numbers` ``(images,)``, a box of each ``(images, 4)`` in shares of its
    picture, the pictures' widths and heights ``(images, 2)``, and what boxes of its objects are known, in shares."""

    category: Category
    numbers: Ints
    boxes: Floats
    sizes: Ints
    known: Sequence[Floats]


def pictured(found: Discovered, one: Localized, samples: Samples, views: int, shown: int, seed: int) -> Discovered:
    """What was found in a category with its `views`, and with the first pictures that it was found in. Pictures are
    read; raises `NotInstalled` without scikit-learn."""
    looked = look_at(samples.take(one.numbers), lambda pixels: within(pixels, _READ))
    at = looked.numbers.tolist()
    objects = [cut(pixels, one.boxes[number]) for number, pixels in zip(at, looked.seen, strict=True)]
    seen = viewpoints(objects, views, seed)
    return replace(
        found,
        viewpoints=tuple(Viewpoint(len(view.numbers), png(view.average)) for view in seen),
        shown=tuple(
            Shown(
                samples.ids[int(one.numbers[number])].as_py(),
                encode_jpeg(fit(pixels, _SHOWN), _QUALITY),
                _box(one.boxes[number]),
                tuple(_box(known) for known in one.known[number]),
            )
            for number, pixels in list(zip(at, looked.seen, strict=True))[:shown]
        ),
    )


def _box(edges: Floats) -> tuple[float, float, float, float]:
    """Left and top edge, width and height of a box in shares."""
    left, top, right, bottom = edges.tolist()
    return round(left, 4), round(top, 4), round(right - left, 4), round(bottom - top, 4)
