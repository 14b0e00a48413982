"""Classification: flat errors by 1 to 5 guesses, of all images and by class."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from holotype.benchmark.highest import GUESSES
from holotype.benchmark.judged import ClassMeans, Floats, Means, Metric
from holotype.benchmark.values import Bools, Guesses, Labels

TOP: Final = tuple(
    Metric(
        f"top-{k} error",
        "lower",
        f"flat error with {k} guess{'es' if k > 1 else ''}: the share of an image's labels that are not among them, "
        "mean over images (ILSVRC-2010 devkit, eval_flat.m)",
    )
    for k in range(1, GUESSES + 1)
)
REAL: Final = tuple(
    Metric(
        f"top-{k} error",
        "lower",
        f"the share of images none of whose labels is among {k} guess{'es' if k > 1 else ''}; images without labels do "
        "not count (Beyer et al. 2020, Are we done with ImageNet?)",
    )
    for k in range(1, GUESSES + 1)
)
MACRO_GUESSES: Final = (1, GUESSES)
MACRO: Final = tuple(
    Metric(f"macro top-{k} error", "lower", f"mean over classes of the share of their images missed by {k} guesses")
    for k in MACRO_GUESSES
)


def missed(truth: Labels, guesses: Guesses) -> Bools:
    """Whether each pair of image and label is missed by 1 to 5 guesses, ``(pairs, guesses)``."""
    given = guesses.guesses[truth.image, :GUESSES]
    return np.asarray(np.logical_and.accumulate(given != truth.label[:, None], axis=1))


def per_image(values: Floats, truth: Labels) -> Floats:
    """The mean ``(items, columns)`` over the labels of each image of what pairs have, NaN for an image without any."""
    items = len(truth.items)
    labels = np.bincount(truth.image, minlength=items)[:, None]
    sums = [np.bincount(truth.image, column, minlength=items) for column in values.T]
    with np.errstate(invalid="ignore"):
        return np.asarray(np.stack(sums, axis=1) / labels)


def flat(truth: Labels, guesses: Guesses) -> Means:
    """The error of each image with 1 to 5 guesses: the share of its labels that are not among them.

    A missing guess is wrong; a class guessed again helps nothing; the order within the guesses that count is
    indifferent. Images without labels do not count. Source: ILSVRC-2010 devkit, ``eval_flat.m``; Russakovsky et al.,
    IJCV 2015, section 4.1.
    """
    return Means(truth.items, TOP, per_image(missed(truth, guesses).astype(np.float64), truth))


def real(truth: Labels, guesses: Guesses) -> Means:
    """The error of each image with 1 to 5 guesses: 1 where none of its labels is among them.

    Images without labels do not count: of ILSVRC2012's validation images 46,837 do. Source: Beyer et al. 2020, Are we
    done with ImageNet?, section 3.
    """
    share = per_image(missed(truth, guesses).astype(np.float64), truth)
    return Means(truth.items, REAL, np.where(np.isnan(share), np.nan, share == 1))


def macro(truth: Labels, guesses: Guesses) -> ClassMeans:
    """The mean over classes of the share of their images that 1 and 5 guesses miss.

    An image of several labels counts for each. What scikit-learn calls balanced accuracy, subtracted from 1.
    """
    order = np.lexsort((truth.image, truth.label))
    values = missed(truth, guesses)[order][:, [k - 1 for k in MACRO_GUESSES]].astype(np.float64)
    return ClassMeans(truth.items, MACRO, truth.image[order], truth.label[order], values)


def by_class(truth: Labels, guesses: Guesses) -> dict[str, dict[str, Any]]:
    """By the name of each class that is a label: how many `images` have it, and the share that 1 and 5 guesses miss."""
    images = np.bincount(truth.label, minlength=len(truth.classes))
    wrong = missed(truth, guesses)
    errors = {
        TOP[k - 1].name: np.bincount(truth.label, wrong[:, k - 1], len(truth.classes)) / np.maximum(images, 1)
        for k in MACRO_GUESSES
    }
    return {
        truth.classes[number]: {"images": int(images[number])} | {name: float(e[number]) for name, e in errors.items()}
        for number in np.flatnonzero(images).tolist()
    }
