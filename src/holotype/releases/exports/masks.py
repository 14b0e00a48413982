"""Masks as formats have them: beside the box of their instance, or painted on a map of numbers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from holotype.geometry.boxes import iou
from holotype.geometry.masks import Masks, runs_of_text
from holotype.images.flatten import turned_back
from holotype.releases.exports.samples import ExportedBox, ExportedMask

VOID: Final = 255
"""What is no class, as crowds, and counts for nothing."""
DEEP_VOID: Final = 65_535
"""The same on a map of 16 bits."""
MOST: Final = VOID - 1
"""The highest number on a map of 8 bits."""
_SAME: Final = 0.8
"""The overlap of a mask's frame and a box from which they are of one instance."""
Map = npt.NDArray[np.uint16]


def with_boxes(
    boxes: Sequence[ExportedBox], masks: Sequence[ExportedMask]
) -> list[tuple[ExportedBox | None, ExportedMask | None]]:
    """Boxes and masks by instance, boxes first: a mask belongs to the box of its synset that it fills best, if that is
    free and the box around the mask overlaps it well enough; a crowd to one that somebody said is of a group."""
    of: dict[int, ExportedMask] = {}
    alone: list[ExportedMask] = []
    for mask in masks:
        alike = [at for at, box in enumerate(boxes) if box.wnid == mask.wnid and (box.group_of == 1) == mask.crowd]
        free = [at for at in alike if at not in of]
        best = max(free, key=lambda at: _overlap(boxes[at], mask), default=None)
        if best is None or _overlap(boxes[best], mask) < _SAME:
            alone.append(mask)
        else:
            of[best] = mask
    return [*((box, of.get(at)) for at, box in enumerate(boxes)), *((None, mask) for mask in alone)]


def _overlap(box: ExportedBox, mask: ExportedMask) -> float:
    one, other = (np.array([each.x_min, each.y_min, each.x_max, each.y_max], np.float64) for each in (box, mask))
    return float(iou(one, other, inclusive=True))


def painted(masks: Sequence[ExportedMask], numbers: Sequence[int], size: tuple[int, int], void: int = VOID) -> Map:
    """A map ``(height, width)`` of masks that have these numbers, 0 where there is none, in a picture of a width and
    height, turned upright.

    Where masks overlap the smaller one is on top; crowds are below, and `void`.
    """
    found = np.zeros((size[1], size[0]), np.uint16)
    kept = Masks.of([runs_of_text(one.counts) for one in masks], [(one.height, one.width) for one in masks])
    for at in sorted(range(len(masks)), key=lambda at: (not masks[at].crowd, -masks[at].area)):
        found[kept.pixels(at)] = void if masks[at].crowd else numbers[at]
    return found


def deep_png(numbers: Map) -> bytes:
    """A map as PNG, grey of 16 bits."""
    return _png(Image.fromarray(numbers))


def as_png(numbers: Map, orientation: int = 1) -> bytes:
    """A map as PNG of VOC's palette, whose pixels lie as those of a picture do that is stored in an EXIF orientation;
    numbers are 255 at most."""
    image = Image.fromarray(turned_back(numbers.astype(np.uint8), orientation))
    image.putpalette(voc_palette())
    return _png(image)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def voc_palette() -> bytes:
    """VOC's palette: the bits of a number dealt to red, green and blue, the highest first."""
    number = np.arange(256)[:, None]
    bits = (number >> np.arange(8)) & 1
    found = np.zeros((256, 3), np.int64)
    for place in range(8):
        found[:, place % 3] |= bits[:, place] << (7 - place // 3)
    return found.astype(np.uint8).tobytes()
