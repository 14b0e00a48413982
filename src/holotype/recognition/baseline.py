"""A small baseline: logistic regression on gradients and colours. Honest, quick, and meant to be beaten."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from holotype.benchmark import GUESSES
from holotype.errors import ReleaseError
from holotype.images import Decoded, decode
from holotype.releases import Release

SIDE: Final = 64
_BINS: Final = 4


def features(image: Decoded) -> npt.NDArray[np.float32]:
    """Histogram of oriented gradients (Dalal and Triggs, CVPR 2005) and of colours, about 800 numbers.

    The image is squeezed to 64 x 64; the gradients are those of its luminance in cells of 8 x 8 pixels, the
    colours are counted in 4 x 4 x 4 bins of HSV in each quarter of the image.
    """
    from skimage.feature import hog

    pixels = image.pixels if image.pixels.ndim == 3 else np.repeat(image.pixels[:, :, None], 3, axis=2)
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    shape = hog(grey, orientations=9, pixels_per_cell=(8, 8), cells_per_block=(1, 1))
    hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
    half = SIDE // 2
    colours = [
        np.histogramdd(
            hsv[row : row + half, column : column + half].reshape(-1, 3),
            bins=(_BINS,) * 3,
            range=((0, 180), (0, 256), (0, 256)),
        )[0].ravel()
        for row in (0, half)
        for column in (0, half)
    ]
    return np.concatenate([shape, *(np.sqrt(counts / half**2) for counts in colours)]).astype(np.float32)


def train_baseline(release: Release, progress: Callable[[int, int], None] = lambda *_: None) -> Any:
    """A fitted scikit-learn classifier from `features` to wnids, trained on the release's train split.

    The regularisation is the one of four that does best on val. Deterministic. Raises `ReleaseError` where train
    holds fewer than two classes.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    total = sum(release.statistics["splits"][split] for split in ("train", "val"))
    columns: dict[str, tuple[list[npt.NDArray[np.float32]], list[str]]] = {"train": ([], []), "val": ([], [])}
    for split, (inputs, labels) in columns.items():
        for row, data in release.images(split):
            inputs.append(features(decode(data)))
            labels.append(row["wnid"])
            progress(sum(len(labels) for _, labels in columns.values()), total)
    inputs, labels = columns["train"]
    if len(set(labels)) < 2:
        raise ReleaseError(f"a classifier needs two classes to tell apart; train has {len(set(labels))}")

    def fitted(strength: float) -> Any:
        return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000)).fit(
            np.stack(inputs), labels
        )

    models = [fitted(strength) for strength in (0.001, 0.01, 0.1, 1.0)]
    held_inputs, held_labels = columns["val"]
    if not held_labels:
        return models[1]
    return max(models, key=lambda model: float(model.score(np.stack(held_inputs), held_labels)))


def write_predictions(model: Any, release: Release, path: Path, split: str = "test") -> None:
    """The model's five best guesses for every image of a split, as a file `holotype evaluate` reads."""
    rows = {row["id"]: features(decode(data)) for row, data in release.images(split)}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", *(f"guess{number + 1}" for number in range(GUESSES))])
        for image, inputs in sorted(rows.items()):
            scores = model.predict_proba(inputs[None])[0]
            best = np.argsort(-scores, kind="stable")[:GUESSES]
            guesses = [str(model.classes_[number]) for number in best]
            writer.writerow([image, *guesses, *[""] * (GUESSES - len(guesses))])
