"""Scoring a predictions file on a split of a release."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from holotype.benchmark.metrics import Scores, Truth, score
from holotype.benchmark.predictions import read_predictions
from holotype.errors import ReleaseError
from holotype.ontology import Ontology
from holotype.releases import Release


def evaluate(predictions: Path, release: Release, ontology: Ontology, split: str = "test") -> Scores:
    """ILSVRC scores of a predictions file on a split of any release, whose ontology is the one given."""
    if ontology.digest != release.summary["ontology"]:
        raise ReleaseError(f"release {release.name} was made with another ontology: hierarchical errors would differ")
    rows = release.rows(split)
    if not rows:
        held = ", ".join(dict.fromkeys(row["split"] for row in release.rows()))
        raise ReleaseError(f"release {release.name} has no images in {split!r}; score one it has: {held}")
    images = sorted({row["id"] for row in rows})
    numbers = {image: number for number, image in enumerate(images)}
    classes = {wnid: number for number, wnid in enumerate(release.wnids)}
    truth = Truth(
        np.array([numbers[row["id"]] for row in rows]),
        np.array([classes[row["wnid"]] for row in rows]),
        len(images),
    )
    guesses = read_predictions(predictions, images, release.wnids)
    return score(guesses, truth, ontology.cost_matrix(release.wnids))
