"""Probabilities of classes as guesses that the benchmark scores, without a file between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from holotype.benchmark import GUESSES, MISSING
from holotype.benchmark.highest import highest
from holotype.benchmark.labelled import labels_of_samples
from holotype.benchmark.values import Guesses, Labels
from holotype.ontology import Ontology
from holotype.recognition.predictions import Predictions
from holotype.releases.loaders import Samples


def guessed(probabilities: npt.NDArray[np.floating[Any]], samples: Samples, damaged: Iterable[str] = ()) -> Predictions:
    """What ``(samples, classes)`` probabilities say of each image of samples, once, in the order of ids; nothing of
    those whose ids are `damaged`."""
    ids, rows = np.unique(samples.ids.to_numpy(zero_copy_only=False).astype(str), return_index=True)
    scores = np.asarray(probabilities[rows], np.float32)
    lost = np.isin(ids, list(damaged))
    scores[lost] = 1 / max(1, scores.shape[1])
    guesses, _ = highest(scores, GUESSES)
    guesses[lost] = MISSING
    return Predictions(
        tuple(ids.tolist()), samples.classes, guesses.astype(np.int32), scores, tuple(ids[lost].tolist())
    )


def judged(found: Predictions, samples: Samples, ontology: Ontology) -> tuple[Labels, Guesses]:
    """Guesses about samples with their truth, for a task of the benchmark; hierarchical errors go by `ontology`.

    Raises `PredictionError` where there are no samples, `UnknownSynset`.
    """
    truth = labels_of_samples(samples, ontology)
    return truth, Guesses(found.guesses.astype(np.int64), found.scores)
