"""Whether submissions can be told apart: paired tests, shared ranks where they cannot, and how many items it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from scipy.special import bdtr, ndtri  # scipy.stats takes half a second to import

from holotype.benchmark.intervals import CONFIDENCE, Drawn, Estimate, bounds
from holotype.benchmark.judged import Floats, Judged, by_item

POWER: Final = 0.8
MCNEMAR: Final = "exact McNemar"
BOOTSTRAP: Final = "paired bootstrap"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two submissions by one metric: the `difference` of the first and the second with its interval, the `p` value of
    none by `test`, and `needed`, how many items like these would show it four times in five; None for no difference,
    and where nothing shows its spread: a single item, no resamples.
    """

    difference: Estimate
    p: float
    test: str
    needed: int | None


def compare(
    judges: Sequence[Judged], drawn: Drawn, first: int, second: int, metric: int, confidence: float = CONFIDENCE
) -> Comparison:
    """Compare two of the submissions that were `drawn` together.

    Where every item is right or wrong, by the exact McNemar test on the items on which they differ (McNemar 1947, as
    Dietterich, Neural Computation 1998, advises for classifiers), else by the paired bootstrap: the share of resamples
    in which the difference has the other sign, twice. What `needed` is follows from the spread of the difference over
    resamples (two-sided at `confidence`, power 0.8, normal approximation).
    """
    difference = float(drawn.points[first, metric] - drawn.points[second, metric])
    samples = drawn.samples[:, first, metric] - drawn.samples[:, second, metric]
    samples = samples[~np.isnan(samples)]
    interval = bounds(samples, difference, confidence)
    pairs = _right_or_wrong(judges[first], judges[second], metric)
    p, test = (mcnemar(*pairs), MCNEMAR) if pairs is not None else (_p(samples), BOOTSTRAP)
    spread = float(samples.std()) if len(samples) else 0.0
    needed = _needed(difference, spread, len(judges[first].items), confidence)
    return Comparison(Estimate(difference, *interval), p, test, needed)


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p value of as uneven a share of items that only one of two has right.

    >>> mcnemar(5, 5), round(mcnemar(10, 2), 5), mcnemar(0, 0)
    (1.0, 0.03857, 1.0)
    """
    fewer, both = min(only_first, only_second), only_first + only_second
    return min(1.0, 2 * float(bdtr(fewer, both, 0.5)))


def ranks(judges: Sequence[Judged], drawn: Drawn, metric: int, confidence: float = CONFIDENCE) -> list[int]:
    """The rank of each submission: one more than there are that are better and can be told from it.

    Those that cannot be told from the best share its rank. Each pair is tested at ``1 - confidence`` by itself.
    """
    sign = judges[0].metrics[metric].sign
    scores = sign * drawn.points[:, metric]
    found = []
    for one in range(len(judges)):
        better = [other for other in range(len(judges)) if scores[other] > scores[one]]
        told = (compare(judges, drawn, other, one, metric, confidence).p <= 1 - confidence for other in better)
        found.append(1 + sum(told))
    return found


def _right_or_wrong(first: Judged, second: Judged, metric: int) -> tuple[int, int] | None:
    """On how many items only the first and only the second has a 1; None where items have other values."""
    one, other = by_item(first, metric), by_item(second, metric)
    if one is None or other is None:
        return None
    counted = ~(np.isnan(one) | np.isnan(other))
    one, other = one[counted], other[counted]
    if not (_binary(one) and _binary(other)):
        return None
    return int(((one == 1) & (other == 0)).sum()), int(((one == 0) & (other == 1)).sum())


def _binary(values: Floats) -> bool:
    return bool(((values == 0) | (values == 1)).all())


def _p(samples: Floats) -> float:
    less, more = int((samples <= 0).sum()), int((samples >= 0).sum())
    return min(1.0, 2 * (1 + min(less, more)) / (1 + len(samples)))


def _needed(difference: float, spread: float, items: int, confidence: float) -> int | None:
    if not abs(difference) * spread > 0:  # NaN, too
        return None
    reach = float(ndtri(1 - (1 - confidence) / 2) + ndtri(POWER))
    return max(1, ceil(items * (reach * spread / difference) ** 2))
