"""Hierarchical errors: how far a guess is from the truth in an ontology.

The distance of two classes is the height of their lowest common ancestor in the whole of the ontology, 0 for the same
class (`Ontology.cost_matrix`). A number says nothing without the ontology, whose digest is in every result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from holotype.benchmark.classification import missed, per_image
from holotype.benchmark.highest import GUESSES, highest
from holotype.benchmark.judged import Floats, Means, Metric, Ratios
from holotype.benchmark.values import MISSING, Guesses, Hierarchy, Ints, Labels

RAW: Final = tuple(
    Metric(
        f"hierarchical error@{k}",
        "lower",
        f"the least height of the lowest common ancestor of label and guess, of {k} guess{'es' if k > 1 else ''}, mean "
        "over images (ILSVRC-2010 devkit, eval_hie.m)",
    )
    for k in range(1, GUESSES + 1)
)
NORMALISED: Final = tuple(
    Metric(f"normalised {metric.name}", "lower", f"{metric.name} divided by the greatest there can be (ILSVRC2011)")
    for metric in (RAW[0], RAW[-1])
)
SEVERITY: Final = Metric(
    "mistake severity",
    "lower",
    "mean height of the lowest common ancestor of label and first guess, of the images whose first guess is wrong "
    "(Bertinetto et al., CVPR 2020)",
)
DISTANCES: Final = (GUESSES, 20)


def _distance(k: int) -> Metric:
    return Metric(
        f"average hierarchical distance@{k}",
        "lower",
        f"mean height of the lowest common ancestors of label and each of {k} guesses (Bertinetto et al., CVPR 2020)",
    )


def distances(hierarchy: Hierarchy, labels: Ints, guesses: Ints) -> Ints:
    """What each of `guesses` ``(pairs, k)`` costs where `labels` ``(pairs,)`` are right, ``(pairs, k)``.

    A guess that was not made, and one without any common ancestor, cost the greatest distance of all classes.
    """
    costs = hierarchy.cost[guesses, labels[:, None]].astype(np.int64)
    return np.where((costs < 0) | (guesses == MISSING), hierarchy.cost.max(initial=0), costs)


def _errors(truth: Labels, hierarchy: Hierarchy, guesses: Guesses) -> Floats:
    costs = distances(hierarchy, truth.label, guesses.guesses[truth.image, :GUESSES])
    return per_image(np.minimum.accumulate(costs, axis=1).astype(np.float64), truth)


def raw(truth: Labels, hierarchy: Hierarchy, guesses: Guesses) -> Means:
    """The error of each image with 1 to 5 guesses: the least distance of any of them, mean over its labels.

    A missing guess costs the greatest distance. Source: ILSVRC-2010 devkit, readme section 3.2 and ``eval_hie.m``.
    """
    return Means(truth.items, RAW, _errors(truth, hierarchy, guesses))


def normalised(truth: Labels, hierarchy: Hierarchy, guesses: Guesses) -> Means:
    """As `raw` with 1 and 5 guesses, divided by the greatest distance of all classes: errors lie between 0 and 1.

    Source: ILSVRC2011, task 1 ("divided by the maximum possible height").
    """
    errors = _errors(truth, hierarchy, guesses)[:, [0, GUESSES - 1]]
    return Means(truth.items, NORMALISED, errors / max(1, hierarchy.cost.max(initial=0)))


def severity(truth: Labels, hierarchy: Hierarchy, guesses: Guesses) -> Means:
    """The distance of the first guess where it is none of the labels, mean over the labels; other images do not count.

    Source: Bertinetto et al., Making Better Mistakes, CVPR 2020, section 4.2 (hierarchical distance of a mistake).
    """
    first = guesses.guesses[:, :1]
    costs = per_image(distances(hierarchy, truth.label, first[truth.image]).astype(np.float64), truth)
    wrong = per_image(missed(truth, guesses)[:, :1].astype(np.float64), truth) == 1
    return Means(truth.items, (SEVERITY,), np.where(wrong, costs, np.nan))


def average(truth: Labels, hierarchy: Hierarchy, guesses: Guesses, ks: Sequence[int] = DISTANCES) -> Means:
    """The mean distance of the first k guesses, for each of `ks`.

    More guesses than were made are taken from the scores; without scores such a distance is not known, NaN. A missing
    guess costs the greatest distance. Source: Bertinetto et al., CVPR 2020, section 4.2 (average hierarchical
    distance@k).
    """
    most = max((k for k in ks if _known(k, truth, guesses)), default=0)
    given = guesses.guesses
    if most > given.shape[1] and guesses.scores is not None:
        given, _ = highest(guesses.scores, most)
    costs = distances(hierarchy, truth.label, given[truth.image])
    columns = [costs[:, :k].mean(axis=1) if k <= most else np.full(len(costs), np.nan) for k in ks]
    return Means(truth.items, tuple(map(_distance, ks)), per_image(np.stack(columns, axis=1), truth))


def _known(k: int, truth: Labels, guesses: Guesses) -> bool:
    return k <= guesses.guesses.shape[1] or (guesses.scores is not None and k <= len(truth.classes))


def lineage(parent: Ints) -> Ints:
    """The classes above each, by level from the top and with itself, ``(classes, levels)``, `MISSING` below it.

    `parent` ``(classes,)`` is the class next above each, `MISSING` for one at the top.
    """
    chains = []
    for number in range(len(parent)):
        chain = [number]
        while parent[chain[-1]] != MISSING:
            chain.append(int(parent[chain[-1]]))
        chains.append(chain[::-1])
    found = np.full((len(parent), max(map(len, chains), default=0)), MISSING, np.int64)
    for number, chain in enumerate(chains):
        found[number, : len(chain)] = chain
    return found


def within(parent: Ints, kept: Ints) -> Ints:
    """The class next above each of the classes `kept`, of those alone and numbered as they are there, `MISSING` where
    none is; `parent` is that of all classes."""
    number = np.full(len(parent), MISSING)
    number[kept] = np.arange(len(kept))
    found = np.full(len(kept), MISSING)
    for at, above in enumerate(lineage(parent)[kept]):
        inside = [number[one] for one in above.tolist() if one not in (MISSING, kept[at]) and number[one] != MISSING]
        found[at] = inside[-1] if inside else MISSING
    return found


def semantic(truth: Labels, parent: Ints, guesses: Guesses) -> Ratios:
    """The semantic accuracy of scores: of all levels together, and of each; not known, NaN, for guesses without scores.

    The classes of a level, those with as many classes above them, are compared with each other alone: that is right
    where the highest of them is the label, or the one above it. Levels below the label do not count, nor do those of a
    single class. Together they are pooled: the share of all pairs of image and level that are right. `parent` is as of
    `lineage`. Source: Ridnik et al., ImageNet-21K Pretraining for the Masses, 2021, section 3.2.2, and the authors'
    ``semantic/metrics.py``, which leaves out the deepest level; here it counts.
    """
    above = lineage(parent)
    depth = (above != MISSING).sum(axis=1) - 1
    levels = [level for level in range(above.shape[1]) if (depth == level).sum() > 1]
    columns = [_right(truth, np.flatnonzero(depth == level), above[:, level], guesses) for level in levels]
    none = np.empty((len(truth.items), 0))
    right, whole = (np.stack(some, axis=1) for some in zip(*columns, strict=True)) if columns else (none, none)
    metrics = [_semantic("", "all levels together"), *(_semantic(f"@{level}", f"level {level}") for level in levels)]
    return Ratios(truth.items, metrics, _with_sum(right), _with_sum(whole))


def _right(truth: Labels, members: Ints, above: Ints, guesses: Guesses) -> tuple[Floats, Floats]:
    """Of each image ``(items,)``, how many labels the scores of the `members` of a level are right about, and how many
    there are in it; `above` ``(classes,)`` is the member above each class. NaN for guesses without scores."""
    if guesses.scores is None:
        return (np.full(len(truth.items), np.nan),) * 2
    best, _ = highest(guesses.scores[:, members], 1)
    wanted = above[truth.label]
    found = (members[best[truth.image, 0]] == wanted).astype(np.float64)
    right = np.bincount(truth.image, found, len(truth.items)).astype(np.float64)
    return right, np.bincount(truth.image, wanted != MISSING, len(truth.items)).astype(np.float64)


def _with_sum(columns: Floats) -> Floats:
    return np.hstack([columns.sum(axis=1, keepdims=True), columns])


def _semantic(ending: str, levels: str) -> Metric:
    about = f"share of images whose class of a level is right, of {levels} (Ridnik et al. 2021)"
    return Metric(f"semantic accuracy{ending}", "higher", about)
