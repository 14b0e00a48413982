"""From what a model believes to what gold shows: posteriors calibrated, thresholds chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import UNKNOWN, Ballot, Floats, Ints
from holotype.consensus.em import LEAST, log_odds
from holotype.consensus.joint import people_of
from holotype.consensus.posteriors import Consensus, fit
from holotype.consensus.two_coin import Priors
from holotype.errors import CrowdError

FOLDS: Final = 5
EDGE: Final = 1e-9
"""How far thresholds stay from 0, from 1 and from each other."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Log odds times `slope` plus `shift`: a slope below one takes back certainty that votes did not earn."""

    slope: float = 1.0
    shift: float = 0.0

    def __str__(self) -> str:
        return f"calibration(slope={self.slope}, shift={self.shift})"

    def __post_init__(self) -> None:
        if not (0 < self.slope < np.inf and abs(self.shift) < np.inf):
            raise CrowdError(f"a calibration has a slope above 0 and a shift, both finite, not {self}")

    def apply(self, posterior: Floats) -> Floats:
        """Calibrated probabilities, of the same shape."""
        from scipy.special import expit

        return np.asarray(expit(self.slope * log_odds(posterior) + self.shift))


def calibrate(posterior: Floats, truth: npt.NDArray[np.bool_]) -> Calibration:
    """The calibration that gold supports: logistic regression of `truth` on log odds, both ``(gold,)``.

    Platt, "Probabilistic outputs for support vector machines" (1999), with a prior at slope 1 and shift 0 of variance
    1, so that little gold changes little. The gold must be like what is asked about: drawn at random, with as many
    votes. Give posteriors that did not see the answers (`posterior_of_gold`). Gold of one side calibrates nothing.
    """
    if not 0 < truth.sum() < len(truth):
        return Calibration()
    odds = log_odds(posterior)
    design = np.stack([odds, np.ones_like(odds)], axis=1)
    at = np.array([1.0, 0.0])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ at))
        slope = design.T @ (truth - chance) - (at - [1.0, 0.0])
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + np.eye(2)
        step = np.linalg.solve(curve, slope)
        at = at + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    return Calibration(max(round(float(at[0]), 4), 0.01), round(float(at[1]), 4))


@dataclass(frozen=True, slots=True)
class Stopping:
    """When a campaign stops asking about a task: above `accept` or below `reject`, after `minimum` to `maximum`
    votes."""

    accept: float
    reject: float
    minimum: int
    maximum: int


def posterior_of_gold(
    ballot: Ballot, priors: Priors | None = None, stopping: Stopping | None = None
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Posterior and truth of every gold task, ``(gold,)`` each, in five folds: each answered without being told.

    Gold is on many pages, so it has more votes than what is asked about. With `stopping` each posterior is the one at
    which a campaign would have stopped asking, its votes taken in the ballot's order.

    Raises `CrowdError` for a ballot with fewer gold tasks than folds.
    """
    gold = np.flatnonzero(_known(ballot) != UNKNOWN)
    if len(gold) < FOLDS:
        raise CrowdError(f"calibration needs gold: {len(gold)} known answers are fewer than {FOLDS}")
    found = np.empty(len(gold))
    for fold in range(FOLDS):
        asked = np.arange(len(gold)) % FOLDS == fold
        known = _known(ballot).copy()
        known[gold[asked]] = UNKNOWN
        model = fit(replace(ballot, known=known), priors)
        found[asked] = (
            model.posterior[gold[asked]] if stopping is None else _stopped(ballot, model, gold[asked], stopping)
        )
    return found, _known(ballot)[gold] == 1


def _stopped(ballot: Ballot, model: Consensus, tasks: Ints, stopping: Stopping) -> Floats:
    """The posterior of each task when asking would have stopped, ``(tasks,)``.

    A vote's evidence is its worker's; what is hard about an image is in all votes together, and in proportion in each.
    Machines were heard before.
    """
    ballot = people_of(ballot)
    ratio = np.log(np.maximum(model.confusion[:, 1], LEAST) / np.maximum(model.confusion[:, 0], LEAST))
    all_votes = np.bincount(ballot.task, ratio[ballot.worker, ballot.answer], minlength=ballot.tasks)
    found = np.empty(len(tasks))
    for place, task in enumerate(tasks.tolist()):
        votes = np.flatnonzero(ballot.task == task)
        whole = all_votes[task]
        share = model.evidence[task] / whole if whole else 1.0
        steps = np.cumsum(np.concatenate([[0.0], ratio[ballot.worker[votes], ballot.answer[votes]]]))
        chance = 1 / (1 + np.exp(-(log_odds(model.before[[task]]) + min(max(share, 0.0), 1.0) * steps)))
        number = np.arange(len(chance))
        sure = (chance >= stopping.accept) | (chance <= stopping.reject)
        ends = np.flatnonzero((number >= stopping.minimum) & sure | (number >= stopping.maximum))
        found[place] = chance[ends[0] if len(ends) else -1]
    return found


def contradicted(posterior: Floats, truth: npt.NDArray[np.bool_]) -> bool:
    """Whether gold of both sides is wrong more often than posteriors, ``(gold,)``, own up to, beyond chance (5 %)."""
    if not 0 < truth.sum() < len(truth):
        return False
    claimed = np.minimum(posterior, 1 - posterior)
    wrong = float(((posterior >= 0.5) != truth).sum())
    return bool(wrong > claimed.sum() + 1.645 * np.sqrt((claimed * (1 - claimed)).sum()) + 0.5)


def thresholds(
    posterior: Floats, truth: npt.NDArray[np.bool_], precision: float, sensitivity: float
) -> tuple[float, float]:
    """The least `accept` and the greatest `reject` that held on gold.

    From `accept` on, the share of good among gold was `precision` or more; up to `reject`, no more than a share
    ``1 - sensitivity`` of the good ones was lost. What was chosen on gold is not certified by it: audit
    (`holotype.audits.certificates`).

    Raises `CrowdError` without gold, and where no threshold reaches the precision.
    """
    if not len(posterior):
        raise CrowdError("thresholds are chosen on gold, and there is none")
    order = np.argsort(-posterior, kind="stable")
    good = np.cumsum(truth[order])
    ends = np.flatnonzero(np.append(np.diff(posterior[order]) != 0, True))
    held = ends[good[ends] / (ends + 1) >= precision]
    if not len(held) or not good[held[-1]]:
        best = float((good[ends] / (ends + 1)).max(initial=0))
        raise CrowdError(f"no threshold has a precision of {precision} on gold; the best has {best:.3f}")
    lost = good[-1] - good[ends]
    low = ends[lost <= (1 - sensitivity) * good[-1] + 1e-9][0]
    accept = min(float(posterior[order][held[-1]]), 1 - EDGE)
    below = posterior[order][low + 1 :]
    return accept, max(min(float(below[0]) if len(below) else 0.0, accept - EDGE), EDGE)


def _known(ballot: Ballot) -> Ints:
    return np.full(ballot.tasks, UNKNOWN) if ballot.known is None else ballot.known
