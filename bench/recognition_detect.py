"""Where objects may be, and what they are: selective search and R-CNN on the real dogs and birds.

    python bench/recognition_detect.py

ILSVRC2012's validation images of dogs and birds, 90, with their boxes. Settings of selective search were chosen on the
images of everything else, those of R-CNN by three parts of the half that it is fitted to.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from holotype.benchmark.detection.rules import detection
from holotype.benchmark.values import Boxes
from holotype.geometry.boxes import iou
from holotype.ontology import Ontology, load_wordnet
from holotype.recognition.boxed import boxed_images, folded
from holotype.recognition.detections import Detected, Found, submission
from holotype.recognition.preprocessing import rgb
from holotype.recognition.rcnn import RegionHead, among
from holotype.recognition.regions import KeptRegions
from holotype.recognition.selective_search import selective_search
from holotype.releases.loaders import Samples
from real_images import boxes, coarse_class, images

BIRD, DOG = "n01503061", "n02084071"
AT = (50, 100, 2000)
PROPOSALS, SIZE = 100, 128


def rows() -> Iterator[tuple[str, str]]:
    """What is measured, and the figure."""
    ontology = load_wordnet()
    animals = _animals(ontology)
    found, reached = zip(*_proposals(animals), strict=True)
    overlaps = np.concatenate(reached)
    recalls = ", ".join(f"{(overlaps[:, at] >= 0.5).mean():.3f} of {most:,}" for at, most in enumerate(AT))
    yield f"selective search, fast: recall at IoU .5, {len(overlaps)} boxes of dogs and birds", recalls
    yield "the same: boxes a picture, and mean best overlap", f"{np.mean(found):.0f}, {overlaps[:, -1].mean():.3f}"
    yield from _r_cnn(animals, ontology)


def _animals(ontology: Ontology) -> Samples:
    whole = images("val")
    coarse = [coarse_class(wnid, ontology) in (BIRD, DOG) for wnid in whole.classes]
    return whole.take(np.flatnonzero(np.array(coarse)[whole.labels]))


def _proposals(samples: Samples) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """How many boxes each picture has, and how much the first so many overlap each true box, ``(boxes, AT)``."""
    truth = boxes()
    for number in range(len(samples)):
        proposed = selective_search(rgb(samples.read(number)))
        overlap = iou(truth[samples.ids[number].as_py()][:, None], proposed[None], inclusive=True)
        yield len(proposed), np.stack([overlap[:, :most].max(axis=1) for most in AT], axis=1)


def _r_cnn(samples: Samples, ontology: Ontology) -> Iterator[tuple[str, str]]:
    from holotype.recognition.networks.models import create_model
    from holotype.recognition.networks.region_features import RegionFeatures
    from holotype.recognition.rcnn_fitting import fit_head
    from holotype.recognition.regions import describe_regions

    describe = RegionFeatures(create_model("efficientnet_lite0", weights="pretrained"), SIZE)
    propose = partial(selective_search, limit=PROPOSALS)
    with TemporaryDirectory() as folder:
        halves = []
        for half in range(2):
            some = samples.take(np.arange(half, len(samples), 2))
            boxed = boxed_images(some, _truth(some), ontology, (BIRD, DOG))
            halves.append(describe_regions(boxed, propose, describe, Path(folder) / str(half), {}))
        head = fit_head(halves[0])
        for moving in (False, True):
            worth = _average_precision(
                head, halves[1], folded(_truth(halves[1].images.samples), (BIRD, DOG), ontology), moving
            )
            way = "with" if moving else "without"
            told = f"{worth.mean():.3f} (bird {worth[0]:.3f}, dog {worth[1]:.3f})"
            yield f"R-CNN on Lite0, {PROPOSALS} boxes, {way} box regression: mean AP, the other half", told


def _truth(samples: Samples) -> Boxes:
    """The true boxes of real images, by their own classes."""
    names = samples.ids.to_pylist()
    items = sorted(names)
    said = boxes()
    rows = [
        (items.index(name), label, box)
        for name, label in zip(names, samples.labels.tolist(), strict=True)
        for box in said[name]
    ]
    corners = np.array([box for _, _, box in rows])
    image, label = (np.array([row[at] for row in rows], np.int64) for at in (0, 1))
    area = (corners[:, 2:] - corners[:, :2] + 1).prod(axis=1)
    return Boxes(tuple(items), samples.classes, image, label, corners, np.zeros(len(rows), np.bool_), area)


def _average_precision(head: RegionHead, regions: KeptRegions, truth: Boxes, moving: bool) -> npt.NDArray[np.float64]:
    """By class, of what a head finds among proposals that were described."""
    samples = regions.images.samples
    found: list[Found] = []
    of: list[npt.NDArray[np.int64]] = []
    for part in regions.parts:
        for number in np.unique(part["number"]).tolist():
            proposed = (part["number"] == number) & ~part["given"]
            height, width = rgb(samples.read(number)).shape[:2]
            objects = among(head, part["corners"][proposed], part["features"][proposed], width, height, moving)
            found.append(objects)
            of.append(np.full(len(objects.label), number))
    label, score, corners = (
        np.concatenate([getattr(one, name) for one in found]) for name in ("label", "score", "corners")
    )
    detected = Detected(tuple(samples.ids.to_pylist()), head.classes, np.concatenate(of), label, score, corners)
    return detection(truth, submission(truth, detected)).average_precision()


if __name__ == "__main__":
    for what, figure in rows():
        print(f"{what:<90} {figure}", flush=True)
