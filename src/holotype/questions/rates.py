"""What answers teach a plan: how often leaves are shown, and how weak a no is too weak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.crowd.conclusion import STATES, State
from holotype.errors import CrowdError
from holotype.questions.plan import Plan
from holotype.questions.pruning import Codes, Fates, Verdict

BELIEVED: Final = 20.0
"""Images that what is believed beforehand of a leaf's rate weighs as much as."""

LOSE: Final = 0.3
"""Labels that a no may be expected to lose."""

Floats = npt.NDArray[np.float64]
_OF_STATE: Final = {
    State.OPEN: Verdict.OPEN,
    State.YES: Verdict.YES,
    State.NO: Verdict.NO,
    State.UNDECIDED: Verdict.DOUBTFUL,
    State.ABANDONED: Verdict.DOUBTFUL,
}


@dataclass(frozen=True, slots=True)
class Caution:
    """How many labels a no may be expected to lose: its chance to be wrong times the labels an image has below it,
    where it has any. What would lose more, of two leaves or more, is doubtful, and what is below is asked."""

    lose: float = LOSE

    def __post_init__(self) -> None:
        if not 0 < self.lose <= 1:
            raise CrowdError(f"a no may lose more than 0 labels and 1 at most, not {self.lose}")


def verdicts_of(plan: Plan, place: npt.NDArray[np.int64], state: Codes, score: Floats, caution: Caution) -> Codes:
    """The verdicts of conclusions ``(answers,)``: `place` is that of the question in the plan, `state` in `STATES`, and
    `score` the chance of a yes as the policy tells it."""
    codes = np.array([_OF_STATE[one] for one in STATES], np.int8)[state]
    stakes, sizes = np.array(plan.stakes)[place], np.array(plan.sizes)[place]
    weak = (codes == Verdict.NO) & (sizes > 1) & (score * stakes > caution.lose)
    return np.where(weak, np.int8(Verdict.DOUBTFUL), codes)


def learned_rates(plan: Plan, found: Fates, believed: float = BELIEVED) -> dict[str, float]:
    """The share of images that show each leaf, by wnid, from what is known of images, and what the plan believed."""
    yes, no = ((found.verdict == verdict).sum(axis=0) for verdict in (Verdict.YES, Verdict.NO))
    shares = (yes + believed * np.array(plan.rates)) / (yes + no + believed)
    return dict(zip(plan.leaves, shares.tolist(), strict=True))
