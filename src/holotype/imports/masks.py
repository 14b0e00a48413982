"""Masks of instances as files say them: the pixels as COCO's compressed text, how many, and the box around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from holotype.geometry.masks import Masks, text_of_runs, tidied
from holotype.geometry.outlines import Size, outline
from holotype.geometry.values import Ints

NO_OUTLINE: Final = "outlines that are no run lengths and no polygons, which were not taken"
OTHER_SIZE: Final = "masks of another size than their image, which were not taken"
NO_PIXELS: Final = "masks without a pixel, which were not taken"


@dataclass(frozen=True, slots=True)
class Mask:
    """The pixels of an instance in a picture of `width` and `height`: `counts` are their runs as COCO's compressed text
    in as few as can be, `area` how many pixels, and the corners the inclusive pixels of the box around them.

    `label` is the wnid, or what a tool calls it. A `crowd` is a group that is no single instance.
    """

    label: str
    width: int
    height: int
    counts: str
    area: int
    xmin: int
    ymin: int
    xmax: int
    ymax: int
    crowd: bool = False


def mask_of(label: str, size: Size, runs: Ints, crowd: bool, remarks: list[str]) -> Mask | None:
    """The mask that has these runs in a picture of this height and width; None, and a remark, where it has no pixel.

    >>> import numpy as np
    >>> mask_of("n02084071", (3, 4), np.array([4, 2, 1, 2, 3]), False, [])
    Mask(label='n02084071', width=4, height=3, counts='42102', area=4, xmin=1, ymin=1, xmax=2, ymax=2, crowd=False)
    """
    height, width = size
    runs = tidied(runs)
    masks = Masks.of([runs], [size])
    area = int(masks.areas()[0])
    if not area:
        remarks.append(NO_PIXELS)
        return None
    left, top, right, bottom = (int(edge) for edge in masks.frames()[0])
    return Mask(label, width, height, text_of_runs(runs), area, left, top, right - 1, bottom - 1, crowd)


def outlined(label: str, value: Any, size: Size | None, crowd: bool, remarks: list[str]) -> Mask | None:
    """The mask of an outline as COCO's files have it, in a picture of a height and width, None where those are not
    known; None, and a remark, where there is none or it is not of that size."""
    try:
        found, runs = outline(value, None if isinstance(value, dict) else size)
    except (ValueError, OverflowError):
        remarks.append(NO_OUTLINE)
        return None
    if size is not None and found != size:
        remarks.append(OTHER_SIZE)
        return None
    return mask_of(label, found, runs, crowd, remarks)
