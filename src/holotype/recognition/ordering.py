"""Which images to ask people about next, and how probable a yes is, by the answers there are and by embeddings."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.recognition.learners import scikit_learn
from holotype.recognition.neighbours import Rows, unit

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Chances = npt.NDArray[np.float64]

STRENGTH: Final = 100.0
"""The inverse strength of regularisation on rows of length 1."""
FOLDS: Final = 5


def fitted_chances(known: Rows, yes: Mask, asked: Rows) -> Chances:
    """The chance of a yes of each row asked about, ``(asked,)``: logistic regression on rows whose answer is known,
    of which some are yes and some are no. Deterministic. Raises `NotInstalled`, and ValueError where all are alike.
    """
    if not len(asked):
        return np.zeros(0)
    model = _logistic().fit(unit(known), yes)
    return np.asarray(model.predict_proba(unit(asked))[:, 1], np.float64)


def held_out_chances(known: Rows, yes: Mask) -> Chances:
    """The chance of a yes of each row whose answer is known, ``(known,)``, by a model that has seen the answers of the
    other `FOLDS` - 1 parts alone: what a model says of what it was taught is no testimony.

    Rows take turns in the parts, yes and no apart, so each part has some of both. Raises ValueError where fewer than
    `FOLDS` rows are yes, or no.
    """
    if min(yes.sum(), (~yes).sum()) < FOLDS:
        raise ValueError(f"{FOLDS} rows of each answer are needed")
    fold = np.zeros(len(yes), np.int64)
    for answer in (yes, ~yes):
        fold[answer] = np.arange(answer.sum()) % FOLDS
    found = np.zeros(len(yes))
    for part in range(FOLDS):
        out = fold == part
        found[out] = fitted_chances(known[~out], yes[~out], known[out])
    return found


def in_turn(rows: Rows, weight: Chances, seen: Rows, most: int) -> Ints:
    """The places of `most` rows in the order in which to ask about them, ``(most,)``.

    Next is always the row with the largest product of its weight and its distance (1 less the cosine) from the
    nearest row that was `seen` or is asked about before it: so of what is alike only one comes early (the
    farthest-first traversal of Gonzalez 1985, weighted). With equal weights, it is that traversal.
    """
    left, near = unit(rows), _nearness(unit(rows), unit(seen))
    order = np.zeros(min(most, len(rows)), np.int64)
    gain = weight * (1 - near)
    for turn in range(len(order)):
        order[turn] = chosen = int(np.argmax(gain))
        near = np.maximum(near, left @ left[chosen])
        gain = weight * np.maximum(1 - near, 0)
        gain[order[: turn + 1]] = -1
    return order


def doubt(chances: Chances) -> Chances:
    """How little is known of answers, 0 to 1: the entropy of a yes in bits.

    >>> doubt(np.array([0.5, 1.0])).tolist()
    [1.0, 0.0]
    """
    sure = np.clip(np.stack([chances, 1 - chances]), 1e-12, 1)
    return np.asarray(np.maximum(-(sure * np.log2(sure)).sum(axis=0), 0).round(9), np.float64)


def _nearness(rows: npt.NDArray[np.float32], seen: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The cosine of each row with the nearest one that was seen; 0 where none was."""
    near = np.zeros(len(rows), np.float32)
    for start in range(0, len(seen), 1_000):
        near = np.maximum(near, (rows @ seen[start : start + 1_000].T).max(axis=1))
    return near


def _logistic() -> Any:
    return scikit_learn("linear_model").LogisticRegression(C=STRENGTH, max_iter=1000)
