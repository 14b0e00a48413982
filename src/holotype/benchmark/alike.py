"""Whether two submissions say nearly the same, whoever sent them and however their files look."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark.values import MISSING, Detections, Guesses, Places

Hashes = npt.NDArray[np.uint64]

ALIKE: Final = 0.99
"""How much of what they say two teams' submissions have to have in common to be looked at."""
_KEPT: Final = 2_048
"""Hashes that are kept of a submission: the smallest ones. With fewer, they are all there are."""


def sketch(submission: Any) -> Hashes:
    """The smallest hashes of what a submission says, sorted, each once: at most 2,048 (bottom-k; Broder 1997).

    What it says are its answers by item (a map), the first guess of each item (`Guesses`, `Places`), or boxes to the
    pixel (`Detections`). Of anything else nothing is known, and the sketch is empty.
    """
    return np.unique(_said(submission))[:_KEPT]


def likeness(one: Hashes, other: Hashes) -> float:
    """The share of what two submissions say that both say, estimated from their sketches; 0 where nothing is known.

    >>> a, b = (sketch({str(item): item // step for item in range(100)}) for step in (1, 1))
    >>> likeness(a, b), likeness(a, sketch({}))
    (1.0, 0.0)
    """
    if not len(one) or not len(other):
        return 0.0
    union = np.union1d(one, other)[: max(len(one), len(other))]
    both = np.intersect1d(one, other, assume_unique=True)
    common = float(np.isin(union, both, assume_unique=True).mean())
    return 2 * common / (1 + common)  # from what all say together (Jaccard) to what each says (Dice)


def _said(submission: Any) -> Hashes:
    match submission:
        case Guesses() | Places():
            first = submission.guesses[:, 0]
            made = np.flatnonzero(first != MISSING)
            return _mixed([made, first[made]])
        case Detections():
            corners = np.rint(submission.corners).astype(np.int64)
            return _mixed([submission.image, submission.label, *corners.T])
        case Mapping():
            return _of_values(submission.items())
    return np.empty(0, np.uint64)


def _of_values(pairs: Iterable[tuple[str, Any]]) -> Hashes:
    texts = (json.dumps(pair, sort_keys=True).encode() for pair in pairs)
    found = [int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") for text in texts]
    return np.array(found, np.uint64)


def _mixed(columns: Iterable[npt.NDArray[np.int64]]) -> Hashes:
    """A hash of each row of numbers (splitmix64: Steele, Lea and Flood 2014)."""
    found = np.zeros((), np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            found = (found ^ column.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
            found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            found = found ^ (found >> np.uint64(31))
    return np.asarray(found)
