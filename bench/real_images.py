"""The real images at ../shared/data, as samples and boxes: 500 of ILSVRC2012's validation, 500 of its training, one a
class. What is measured on the training ones is no accuracy: networks have seen them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.benchmark import order
from holotype.ontology import Ontology
from holotype.releases.loaders import Samples
from holotype.store.location import TREE, Location
from holotype.store.places import Places
from holotype.store.store import Store

DATA: Final = Path(__file__).resolve().parents[2] / "shared/data"

COARSE: Final = {
    "dog": ("n02084071",),
    "bird": ("n01503061",),
    "reptile, amphibian": ("n01661091", "n01627424"),
    "fish": ("n02512053",),
    "invertebrate": ("n01905661",),
    "other mammal": ("n01861778",),
    "vehicle": ("n04524313",),
    "musical instrument": ("n03800933",),
    "furniture": ("n03405725",),
    "clothing": ("n03051540",),
    "covering": ("n03122748",),
    "container": ("n03094503",),
    "structure": ("n04341686",),
    "device": ("n03183080",),
    "food, plant": ("n00021265", "n07555863", "n00017222", "n13134947"),
}
"""Fifteen parts of ILSVRC2012's classes: the subtrees of these synsets; a class is of the first that it is under."""


def images(part: str) -> Samples:
    """The real images of ``val`` or ``train``, labelled by ILSVRC2012's 1000 classes; ids are the names of files."""
    folder = DATA / f"imagenet-{part}-sample"
    classes = order("sorted").wnids
    said = dict(_labels()) if part == "val" else {}
    files = sorted(path for path in folder.iterdir() if path.suffix == ".JPEG")
    wnids = [said[path.stem] if part == "val" else path.name.split("_")[0] for path in files]
    index = {wnid: number for number, wnid in enumerate(classes)}
    names = pa.array([path.name for path in files], pa.string())
    lengths = np.array([path.stat().st_size for path in files], np.int64)
    zeros = np.zeros(len(files), np.int64)
    places = Places((Location(str(folder), 0, 0, TREE),), zeros.astype(np.int32), zeros, lengths, names)
    return Samples(places, Store(folder), np.array([index[one] for one in wnids], np.int32), names, classes)


def coarsely(samples: Samples, ontology: Ontology) -> Samples:
    """Samples of the fifteen `COARSE` classes, which are called by their first synset; others are left out."""
    from dataclasses import replace

    tops = sorted(wnids[0] for wnids in COARSE.values())
    of = [coarse_class(wnid, ontology) for wnid in samples.classes]
    labels = np.array([tops.index(top) if top else -1 for top in of], np.int32)[samples.labels]
    kept = samples.take(np.flatnonzero(labels >= 0))
    return replace(kept, labels=labels[labels >= 0], classes=tuple(tops))


def coarse_class(wnid: str, ontology: Ontology) -> str:
    """The first synset of the `COARSE` class that a synset is of; "" where it is of none."""
    above = {one.wnid for one in ontology.ancestors(ontology[wnid])} | {wnid}
    return next((tops[0] for tops in COARSE.values() if above & set(tops)), "")


def boxes() -> dict[str, npt.NDArray[np.float64]]:
    """The boxes of the class of each validation image, by the name of its file: ``(boxes, 4)``, x1 y1 x2 y2 in
    inclusive pixels of the picture as it lies in its file."""
    found: dict[str, npt.NDArray[np.float64]] = {}
    for image, told in _rows():
        words = told.split()
        corners = np.array([[float(one) for one in words[at + 1 : at + 5]] for at in range(0, len(words), 5)])
        found[f"{image}.JPEG"] = corners.reshape(-1, 4)
    return found


def _labels() -> Iterator[tuple[str, str]]:
    return ((image, told.split()[0]) for image, told in _rows())


def _rows() -> Iterator[tuple[str, str]]:
    with (DATA / "ilsvrc/LOC_val_solution.csv").open(encoding="utf-8") as file:
        yield from ((row["ImageId"], row["PredictionString"]) for row in csv.DictReader(file))
