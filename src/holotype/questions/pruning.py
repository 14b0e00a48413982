"""What follows from the answers about an image: what to ask next, and what is known of its leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.questions.plan import Plan, bits

Codes = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
NOBODY: Final = -1


class Verdict(IntEnum):
    """What is known of a question about an image. A `DOUBTFUL` answer, undecided or too weak a no for what hangs on
    it, rules nothing out: what is below is asked."""

    UNASKED = 0
    OPEN = 1
    NO = 2
    YES = 3
    DOUBTFUL = 4


@dataclass(frozen=True, slots=True)
class Fates:
    """What is known of the leaves of images, as verdicts ``(images, leaves)``: a leaf that nothing decides yet is
    `OPEN`, where its own question or one above it is to be asked or was; `by` are the places of the questions that say
    so, or `NOBODY`."""

    verdict: Codes
    by: Ints


def next_questions(plan: Plan, known: Mapping[str, Verdict]) -> list[str]:
    """What to ask of an image next, by what is known of its questions: wnids, those first that are expected to resolve
    the most leaves a second. Any of them can be asked now, in any order; empty when the image is done or waits.

    A no removes every leaf below it, but for those that a yes to another parent keeps; a yes asks what is below.
    """
    places = plan.places
    row = np.zeros((1, len(plan)), np.int8)
    for wnid, verdict in known.items():
        if wnid in places:
            row[0, places[wnid]] = verdict
    worth = plan.worth
    wanted = np.flatnonzero(to_ask(plan, row)[0]).tolist()
    return [plan.asked[at] for at in sorted(wanted, key=lambda at: (-worth[at], at))]


def to_ask(plan: Plan, verdicts: Codes) -> Bools:
    """Which questions are to be asked now of images of which these `verdicts` are known; ``(images, questions)``."""
    known = _implied(plan, verdicts)
    return np.asarray(_alive(plan, known) & (known == Verdict.UNASKED))


def reached(plan: Plan, verdicts: Codes) -> Bools:
    """Which questions are asked of all images, or are below a yes, of images of which these `verdicts` are known;
    ``(images, questions)``."""
    return _alive(plan, _implied(plan, verdicts))


def fates(plan: Plan, verdicts: Codes) -> Fates:
    """What is known of every leaf of images of which these `verdicts` ``(images, questions)`` are known.

    What was answered of a leaf itself counts before what follows from the questions above it.
    """
    known = _implied(plan, verdicts)
    alive = _alive(plan, known)
    waiting, by = _above(plan, known, alive)
    own = np.array([plan.places[leaf] for leaf in plan.leaves])
    told, lives = known[:, own], alive[:, own]
    said = np.isin(told, (Verdict.NO, Verdict.YES, Verdict.DOUBTFUL))
    gone = ~lives & ~waiting[:, own]
    verdict = np.where(said, told, np.where(gone, Verdict.NO, Verdict.OPEN)).astype(np.int8)
    return Fates(verdict, np.where(said, own, np.where(gone, by[:, own], NOBODY)))


def _implied(plan: Plan, verdicts: Codes) -> Codes:
    """Verdicts with what follows upwards: what shows a leaf shows all above it, and a question with one leaf left to
    know of is not worth asking."""
    known = verdicts.copy()
    for at in reversed(range(len(plan))):
        for parent in plan.parents[at]:
            known[known[:, at] == Verdict.YES, parent] = Verdict.YES
    covers = cover_matrix(plan)
    own = np.array([plan.places[leaf] for leaf in plan.leaves])
    unknown = ~np.isin(verdicts[:, own], (Verdict.NO, Verdict.YES, Verdict.DOUBTFUL))
    few = unknown.astype(np.float32) @ covers.T.astype(np.float32) <= 1
    inner = np.array(plan.sizes) > 1
    known[few & inner & (known == Verdict.UNASKED)] = Verdict.DOUBTFUL
    return known


def cover_matrix(plan: Plan) -> Bools:
    """Which leaves each question covers, ``(questions, leaves)``."""
    found = np.zeros((len(plan), len(plan.leaves)), bool)
    for at, mask in enumerate(plan.covers):
        found[at, list(bits(mask))] = True
    return found


def _alive(plan: Plan, known: Codes) -> Bools:
    """Whether a question is reached, ``(images, questions)``: asked of all, or below a yes that is reached."""
    lets = np.isin(known, (Verdict.YES, Verdict.DOUBTFUL))
    alive = np.ones(known.shape, bool)
    for at, parents in enumerate(plan.parents):
        if parents:
            alive[:, at] = (alive[:, parents] & lets[:, parents]).any(axis=1)
    return alive


def _above(plan: Plan, known: Codes, alive: Bools) -> tuple[Bools, Ints]:
    """Whether something above a question is still to be answered, and the place of the first no above it, or `NOBODY`;
    ``(images, questions)`` each."""
    asked = alive & np.isin(known, (Verdict.UNASKED, Verdict.OPEN))
    noes = alive & (known == Verdict.NO)
    waiting = np.zeros(known.shape, bool)
    by = np.full(known.shape, NOBODY, np.int64)
    for at, parents in enumerate(plan.parents):
        for parent in parents:
            waiting[:, at] |= waiting[:, parent] | asked[:, parent]
            said = np.where(noes[:, parent], parent, by[:, parent])
            by[:, at] = np.where(by[:, at] == NOBODY, said, by[:, at])
    return waiting, by
