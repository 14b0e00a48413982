"""Truths and submissions of classification, made small, and the real ones where they are at hand."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from holotype.benchmark.highest import highest
from holotype.benchmark.orders import order
from holotype.benchmark.values import MISSING, Guesses, Hierarchy, Labels

COST = np.array([[0, 1, 5, 9], [1, 0, 5, 9], [5, 5, 0, 9], [9, 9, 9, 0]])
TREE = Hierarchy(COST, "tree")


def labels(images: Sequence[Sequence[int] | int], hierarchy: Hierarchy | None = TREE, classes: int = 4) -> Labels:
    """The true classes of each image."""
    sets = [[one] if isinstance(one, int) else sorted(one) for one in images]
    return Labels(
        tuple(f"image {at:05}" for at in range(len(sets))),
        tuple(f"class {at:03}" for at in range(classes)),
        np.repeat(np.arange(len(sets)), [len(one) for one in sets]).astype(np.int64),
        np.array([label for one in sets for label in one], np.int64),
        hierarchy,
    )


def guesses(rows: Sequence[Sequence[int]]) -> Guesses:
    """The guesses for each image, as readers leave them."""
    return Guesses(np.array([[*row, *[MISSING] * 5][:5] for row in rows], np.int64).reshape(-1, 5))


def scored(scores: Any) -> Guesses:
    """What scores say."""
    found = np.array(scores, np.float32)
    best, tied = highest(found)
    return Guesses(best, found, tied=int(tied.sum()))


def validation(shared: Path) -> Labels:
    """The labels of ILSVRC2012's validation images, as Kaggle gives them."""
    wnids = order("sorted").wnids
    number = {wnid: at for at, wnid in enumerate(wnids)}
    with (shared / "ilsvrc/LOC_val_solution.csv").open() as file:
        rows = sorted((row["ImageId"], row["PredictionString"].split()[0]) for row in csv.DictReader(file))
    found = np.array([number[wnid] for _, wnid in rows], np.int64)
    return Labels(tuple(image for image, _ in rows), wnids, np.arange(len(rows)), found)


def reassessed(shared: Path) -> Labels:
    """ReaL's labels of the same images."""
    sets = json.loads((shared / "real/real.json").read_text())
    flat = [(image, label) for image, found in enumerate(sets) for label in sorted(found)]
    image, label = np.array(flat, np.int64).T
    return Labels(tuple(f"ILSVRC2012_val_{at + 1:08}" for at in range(len(sets))), order("sorted").wnids, image, label)


def public_models(shared: Path) -> dict[str, Guesses]:
    """The five best guesses of public models for the validation images, by the images' names."""
    folder = shared / "ilsvrc/predictions"
    with gzip.open(folder / "row_order.json.gz") as file:
        names = [name for name, _ in json.load(file)["image_filenames"]]
    rows = np.argsort(names, kind="stable")
    with np.load(folder / "val_top5.npz") as found:
        return {name: Guesses(found[name][rows].astype(np.int64)) for name in found.files}
