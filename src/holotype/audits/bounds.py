"""Exact one-sided bounds of shares and counts, and how the chance of an error is shared over audits."""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.errors import CrowdError

CONFIDENCE: Final = 0.95
"""The confidence of every certificate: the chance that no lower bound of a target, however often drawn, is too high."""
_SLACK: Final = 1e-6  # log-gamma of a million and more is good to seven digits: a tail that near alpha counts as above

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def clopper_pearson(
    correct: npt.ArrayLike, audited: npt.ArrayLike, confidence: float = CONFIDENCE
) -> tuple[Floats, Floats]:
    """The one-sided exact lower and upper bounds of a share, each with `confidence`; any shape, broadcast.

    The lower bound is the share at which `correct` or more of `audited` has the chance ``1 - confidence``; the upper
    one that at which so few have it. Nothing audited gives (0, 1). Clopper and Pearson, "The Use of Confidence or
    Fiducial Limits Illustrated in the Case of the Binomial", Biometrika 26 (1934); by the quantiles of the beta
    distribution.

    Raises `CrowdError` unless ``0 <= correct <= audited`` everywhere and ``0 < confidence < 1``.

    >>> lower, upper = clopper_pearson([59, 60], [59, 62])
    >>> lower.round(4).tolist(), upper.round(4).tolist()
    ([0.9505, 0.9019], [1.0, 0.9942])
    """
    from scipy.special import betaincinv

    right, asked = np.broadcast_arrays(np.asarray(correct, np.int64), np.asarray(audited, np.int64))
    if not (0 < confidence < 1 and (right >= 0).all() and (right <= asked).all()):
        raise CrowdError("bounds need 0 <= correct <= audited and 0 < confidence < 1")
    wrong = asked - right
    lower = np.where(right > 0, betaincinv(np.maximum(right, 1), wrong + 1, 1 - confidence), 0.0)
    upper = np.where(wrong > 0, betaincinv(right + 1, np.maximum(wrong, 1), confidence), 1.0)
    return lower, upper


@cache
def right_at_least(correct: int, audited: int, labels: int, alpha: float) -> int:
    """The least number of right ones among `labels` at which `correct` or more of `audited` has a chance above `alpha`.

    The sample is drawn without replacement. So with the chance ``1 - alpha`` no fewer are right: the test of the
    hypergeometric distribution inverted, exact where nothing is left to chance (5 right of 5 of 5 gives 5) and
    Clopper's and Pearson's where the labels are many. Katz, "Confidence Intervals for the Number Showing a Certain
    Characteristic in a Population when Sampling is without Replacement", JASA 48 (1953).

    Raises `CrowdError` unless ``0 <= correct <= audited <= labels`` and ``0 < alpha < 1``.

    >>> right_at_least(5, 5, 5, 0.05), right_at_least(59, 59, 60, 0.05), right_at_least(59, 59, 1_000_000, 0.05)
    (5, 60, 950494)
    """
    if not (0 <= correct <= audited <= labels and 0 < alpha < 1):
        raise CrowdError("bounds need 0 <= correct <= audited <= labels and 0 < alpha < 1")
    low, high = correct, labels - (audited - correct)
    while low < high:
        middle = (low + high) // 2
        if _tail(correct, audited, labels, middle) * (1 + _SLACK) > alpha:
            high = middle
        else:
            low = middle + 1
    return low


def right_at_most(correct: int, audited: int, labels: int, alpha: float) -> int:
    """The largest number of right ones that fits `correct` of `audited`: `right_at_least` of the wrong ones.

    >>> right_at_most(0, 59, 1_000_000, 0.05)
    49506
    """
    return labels - right_at_least(audited - correct, audited, labels, alpha)


def _tail(correct: int, audited: int, labels: int, right: int) -> float:
    """The chance of `correct` or more right ones in a sample, where `right` of `labels` are."""
    first, last = max(correct, audited - (labels - right)), min(audited, right)
    if first > last:
        return 0.0
    found = np.arange(first, last + 1)
    chance = _choose(right, found) + _choose(labels - right, audited - found) - _choose(labels, np.asarray(audited))
    return float(np.exp(chance).sum())


def _choose(of: int, some: Ints) -> Floats:
    """The logarithm of the binomial coefficient."""
    from scipy.special import gammaln

    found: Floats = gammaln(of + 1) - gammaln(some + 1) - gammaln(of - some + 1)
    return found


def share_of_alpha(number: int) -> float:
    """The chance of an error that the `number`-th draw may have: ``6 / (pi * number) ** 2`` of 5 %.

    All shares together are 5 %, however many draws there will be, so whatever decides whether there is another one does
    not matter (Bonferroni's inequality with the weights of Basel's problem). They fall slowly: the first draw has
    3.0 %, the tenth .03 %, and a bound moves with the logarithm.

    >>> [round(share_of_alpha(number), 5) for number in (1, 2, 10)]
    [0.0304, 0.0076, 0.0003]
    """
    return (1 - CONFIDENCE) * 6 / (math.pi * number) ** 2


def audits_needed(precision: float, number: int = 1) -> int:
    """The smallest sample that, all of it correct, has a lower bound of at least `precision` in a target's draw number.

    Of a large target: fewer do where they are a good part of all labels. Raises `CrowdError` unless ``0 < precision <
    1`` and ``number >= 1``.

    >>> audits_needed(0.95), audits_needed(0.99), audits_needed(0.95, number=2)
    (69, 348, 96)
    """
    if not (0 < precision < 1 and number >= 1):
        raise CrowdError(f"a precision lies between 0 and 1, and draws count from 1: not {precision} and {number}")
    return math.ceil(math.log(share_of_alpha(number)) / math.log(precision) - 1e-9)
