"""Scoring of classification: errors from scores, and intervals by resampling, beside plain ways to do the same.

    python bench/benchmark.py [--rounds 3]

Synthetic scores of 50,000 images and 1,000 classes (float32) and the classes and hierarchy of ILSVRC2012; synthetic
errors of 60 models on 50,000 images. CPU seconds of one process, medians; the plain ways give the same numbers, which
is checked. Of resampling by indices, which takes long, a twentieth is run, and told as twenty times as much.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.metrics import top_k_accuracy_score

from holotype.benchmark import Metric
from holotype.benchmark.classification import flat
from holotype.benchmark.hierarchical import raw
from holotype.benchmark.highest import highest
from holotype.benchmark.intervals import draw
from holotype.benchmark.judged import Floats, Means
from holotype.benchmark.orders import order
from holotype.benchmark.values import Guesses, Hierarchy, Ints, Labels
from holotype.ontology import load_wordnet

IMAGES, CLASSES, MODELS, RESAMPLES, PART = 50_000, 1_000, 60, 2_000, 20
Scores = np.ndarray[Any, np.dtype[np.float32]]


def cpu(work: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """Median CPU seconds, and what came of it."""
    taken, found = [], None
    for _ in range(rounds):
        start = time.process_time()
        found = work()
        taken.append(time.process_time() - start)
    return statistics.median(taken), found


def say(name: str, seconds: float, note: str = "") -> None:
    print(f"  {name:46} {seconds:7.2f} s{f'   {note}' if note else ''}")


def ours(truth: Labels, hierarchy: Hierarchy, scores: Scores) -> list[float]:
    best, tied = highest(scores)
    said = Guesses(best, scores, tied=int(tied.sum()))
    found = [judged.measure(np.ones((1, IMAGES)))[0] for judged in (flat(truth, said), raw(truth, hierarchy, said))]
    return [float(error) for errors in found for error in errors[[0, 4]]]


def plain(label: Ints, cost: Ints, best: Ints) -> list[float]:
    wrong, costs = best != label[:, None], cost[best, label[:, None]]
    return [wrong[:, 0].mean(), wrong.all(axis=1).mean(), costs[:, 0].mean(), costs.min(axis=1).mean()]


def by_argsort(label: Ints, cost: Ints, scores: Scores) -> list[float]:
    return plain(label, cost, np.argsort(-scores, axis=1, kind="stable")[:, :5])


def by_argpartition(label: Ints, cost: Ints, scores: Scores) -> list[float]:
    rows = np.arange(len(scores))[:, None]
    five = np.argpartition(-scores, 5, axis=1)[:, :5]
    return plain(label, cost, five[rows, np.argsort(-scores[rows, five], axis=1)])


def by_sklearn(label: Ints, scores: Scores) -> list[float]:
    return [1 - top_k_accuracy_score(label, scores, k=k, labels=np.arange(CLASSES)) for k in (1, 5)]


def from_scores(rounds: int) -> None:
    generator = np.random.default_rng(0)
    scores = generator.standard_normal((IMAGES, CLASSES), dtype=np.float32)
    label = generator.integers(CLASSES, size=IMAGES)
    scores[np.arange(IMAGES), label] += 2.5
    wnids = order("sorted").wnids
    hierarchy = Hierarchy(load_wordnet().cost_matrix(wnids), "")
    truth = Labels(tuple(f"{at:05}" for at in range(IMAGES)), wnids, np.arange(IMAGES), label)
    print(f"top-1, top-5 and hierarchical errors from {IMAGES:,} x {CLASSES:,} scores")
    seconds, found = cpu(lambda: ours(truth, hierarchy, scores), rounds)
    say("holotype", seconds, "wanted: <= 1 s")
    for name, way in (("numpy, argpartition", by_argpartition), ("numpy, argsort", by_argsort)):
        seconds, same = cpu(partial(way, label, hierarchy.cost.astype(np.int64), scores), 1)
        say(name, seconds)
        assert np.allclose(found, same, atol=1e-12), (name, found, same)
    seconds, same = cpu(lambda: by_sklearn(label, scores), 1)
    say("scikit-learn, top_k_accuracy_score, flat alone", seconds)
    assert np.allclose(found[:2], same, atol=1e-12)


def by_indices(errors: Floats, resamples: int) -> Floats:
    generator = np.random.default_rng(0)
    return np.array([errors[generator.integers(len(errors), size=len(errors))].mean(axis=0) for _ in range(resamples)])


def resampling(rounds: int) -> None:
    generator = np.random.default_rng(1)
    errors = (generator.random((IMAGES, MODELS)) < np.linspace(0.2, 0.4, MODELS)).astype(np.float64)
    items = tuple(map(str, range(IMAGES)))
    metric = (Metric("top-1 error", "lower", ""),)
    judges = [Means(items, metric, errors[:, model, None]) for model in range(MODELS)]
    print(f"{RESAMPLES:,} resamples of {IMAGES:,} images x {MODELS} models")
    seconds, drawn = cpu(lambda: draw(judges, RESAMPLES), rounds)
    say("holotype", seconds, "wanted: <= 4 s")
    seconds, plainly = cpu(lambda: by_indices(errors, RESAMPLES // PART), 1)
    say("numpy, by indices", seconds * PART, f"{PART} times what {RESAMPLES // PART} take")
    spread, other = drawn.samples[:, :, 0].std(axis=0), plainly.std(axis=0)
    assert np.allclose(spread, other, rtol=0.4), "the same intervals, to what so few resamples tell"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print(f"scoring, {len(os.sched_getaffinity(0))} cores, CPU seconds, medians of {rounds} rounds of ours")
    from_scores(rounds)
    resampling(rounds)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB, plain ways included")


if __name__ == "__main__":
    main()
