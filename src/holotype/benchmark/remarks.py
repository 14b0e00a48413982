"""What a reader of the scores of a classification should know beside them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from holotype.benchmark.calibration import are_probabilities
from holotype.benchmark.orders import ORDERS, convert, detect_order, order
from holotype.benchmark.values import MISSING, Guesses, Labels


def remarks(truth: Labels, guesses: Guesses) -> list[str]:
    """What should be known of guesses, a line each."""
    return [*guesses.remarks, *_counts(truth, guesses), *_order(truth, guesses)]


def _counts(truth: Labels, guesses: Guesses) -> Iterator[str]:
    items = len(truth.items)
    if unlabelled := items - len(np.unique(truth.image)):
        yield f"images without a label, which do not count: {unlabelled:,} of {items:,}"
    if silent := int((guesses.guesses[:, 0] == MISSING).sum()):
        yield f"images without a guess, which are wrong: {silent:,} of {items:,}"
    if guesses.repeated:
        yield f"guesses that say a class again, which count once: {guesses.repeated:,}"
    if guesses.tied:
        yield f"images with equal scores, of which the class first by name goes first: {guesses.tied:,}"
    if guesses.scores is not None and not are_probabilities(guesses.scores):
        yield "the scores are no probabilities: the calibration error is that of their softmax"


def _order(truth: Labels, guesses: Guesses) -> Iterator[str]:
    """That classes of ILSVRC2012 look as if they were numbered in another order than they were read in."""
    if truth.classes != order("sorted").wnids:
        return
    alone = np.bincount(truth.image, minlength=len(truth.items))[truth.image] == 1
    labels = [truth.classes[label] for label in truth.label[alone].tolist()]
    first = guesses.guesses[truth.image[alone], :1]
    for declared in ("sorted", *(name for name in ORDERS if name != "sorted")):
        if not labels:
            return
        verdict = detect_order(convert(first, "sorted", declared), labels, declared)
        if verdict.found == declared:
            return
        if verdict.found or verdict.shifted:
            yield str(verdict)
            return
