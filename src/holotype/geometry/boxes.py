"""Boxes: how large they are, and how far two of them overlap."""

from __future__ import annotations

import numpy as np

from holotype.geometry.values import Bools, Floats, Ints

SAME: float = 0.5
"""The intersection over union from which two boxes are of one object (Everingham et al., IJCV 2010, and ILSVRC)."""


def areas(corners: Floats, inclusive: bool) -> Floats:
    """The areas ``(...)`` of boxes ``(..., 4)``: in pixels, the last of which belongs to a box, where `inclusive`.

    >>> box = np.array([10.0, 10, 19, 29])
    >>> float(areas(box, inclusive=True)), float(areas(box, inclusive=False))
    (200.0, 171.0)
    """
    return np.asarray(
        (corners[..., 2] - corners[..., 0] + inclusive) * (corners[..., 3] - corners[..., 1] + inclusive), np.float64
    )


def iou(one: Floats, other: Floats, inclusive: bool, crowd: Bools | None = None) -> Floats:
    """The intersection over union ``(...)`` of boxes ``(..., 4)``, 0 where they do not meet.

    Every ILSVRC metric counts `inclusive` pixels (``eval_clsloc.m`` and ``eval_detection.m`` of its devkits), COCO does
    not. Where an `other` is a `crowd`, the area of `one` takes the place of that of the union (COCO's ``iscrowd``).

    >>> half, whole = np.array([0.0, 0, 49, 24]), np.array([0.0, 0, 49, 49])
    >>> float(iou(half, whole, inclusive=True)), round(float(iou(half, whole, inclusive=False)), 4)
    (0.5, 0.4898)
    """
    width = np.minimum(one[..., 2], other[..., 2]) - np.maximum(one[..., 0], other[..., 0]) + inclusive
    height = np.minimum(one[..., 3], other[..., 3]) - np.maximum(one[..., 1], other[..., 1]) + inclusive
    common = np.where((width > 0) & (height > 0), width * height, 0.0)
    own = areas(one, inclusive)
    union = own + areas(other, inclusive) - common
    if crowd is not None:
        union = np.where(crowd, own, union)
    return np.divide(common, union, out=np.zeros_like(common), where=common > 0)


def non_maximum_suppression(corners: Floats, scores: Floats, most: float, inclusive: bool) -> Ints:
    """The places ``(kept,)`` of boxes ``(boxes, 4)``, surest first, that overlap no surer one that is kept by more than
    `most`, as intersection over union; of equal scores ``(boxes,)`` the first is the surer.

    >>> boxes = np.array([[0.0, 0, 9, 9], [0, 0, 9, 8], [20, 0, 29, 9]])
    >>> non_maximum_suppression(boxes, np.array([0.5, 0.9, 0.1]), 0.3, inclusive=True).tolist()
    [1, 2]
    """
    left = np.argsort(-scores, kind="stable")
    kept = []
    while len(left):
        kept.append(left[0])
        left = left[1:][iou(corners[left[1:]], corners[left[0]], inclusive) <= most]
    return np.array(kept, np.int64)
