"""Many labels an image rehearsed: questions about several leaves, and every leaf asked for, of the same images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import Ballot, Ints
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import Conclusion, Policy
from holotype.errors import CrowdError
from holotype.questions.plan import Plan
from holotype.questions.pruning import Codes, Fates, Verdict, cover_matrix, fates, to_ask
from holotype.questions.rates import Caution, verdicts_of
from holotype.simulation.replay import play

Bools = npt.NDArray[np.bool_]
CAUTION: Final = Caution()
SIZE: Final = 200
"""Images of a rehearsal, where nobody says how many."""
QUESTIONS: Final = "questions"
EVERY_LEAF: Final = "every leaf"


@dataclass(frozen=True, slots=True)
class Answerers:
    """Simulated workers, all alike: the chance of a yes where any leaf of a question is there, and of a no where none
    is, each vote by itself."""

    sensitivity: float = 0.9
    specificity: float = 0.96
    workers: int = 40

    def __post_init__(self) -> None:
        if not (0 <= self.sensitivity <= 1 and 0 <= self.specificity <= 1 and self.workers >= 1):
            raise CrowdError(f"sensitivity and specificity are chances, and there is a worker at least, not {self}")


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a way to ask cost and found: questions, votes and seconds an image; precision, recall and F1 of labels
    against the simulated truth."""

    questions: float
    votes: float
    seconds: float
    precision: float
    recall: float
    f1: float

    def __str__(self) -> str:
        return (
            f"{self.questions:.1f} questions, {self.votes:.1f} votes and {self.seconds:.0f} s an image; "
            f"precision {self.precision:.3f}, recall {self.recall:.3f}, F1 {self.f1:.3f}"
        )


def draw_images(plan: Plan, images: int, labels: int, rng: np.random.Generator) -> Bools:
    """Which leaves each image shows, ``(images, leaves)``: just so many `labels`, each leaf as likely. Raises
    `CrowdError` where there are not so many leaves."""
    if not 0 <= labels <= len(plan.leaves) or images < 1:
        raise CrowdError(f"{images:,} images with {labels} of {len(plan.leaves)} leaves each cannot be drawn")
    order = np.argsort(rng.random((images, len(plan.leaves))), axis=1)
    truth = np.zeros(order.shape, bool)
    np.put_along_axis(truth, order[:, :labels], True, axis=1)
    return truth


def chance_images(plan: Plan, images: int, rng: np.random.Generator) -> Bools:
    """As `draw_images`, where each image shows each leaf by its rate."""
    return np.asarray(rng.random((images, len(plan.leaves))) < np.array(plan.rates))


def rehearse_labels(
    plan: Plan,
    crowd: Answerers,
    policy: Policy,
    images: int,
    rng: np.random.Generator,
    caution: Caution = CAUTION,
) -> dict[str, Rehearsed]:
    """What the plan's questions, and asking for every leaf, cost and find on the same images, by `QUESTIONS` and
    `EVERY_LEAF`; `policy` decides both alike. As true as the crowd is like the simulated one."""
    truth = chance_images(plan, images, rng)
    return {
        QUESTIONS: by_questions(plan, truth, crowd, policy, rng, caution),
        EVERY_LEAF: by_leaves(plan, truth, crowd, policy, rng),
    }


def perfect_questions(plan: Plan, truth: Bools) -> Ints:
    """How many questions each image takes of people who never err, ``(images,)``; their verdicts are right."""
    shows = shown_by(plan, truth)
    verdicts = np.zeros(shows.shape, np.int8)
    while (asked := to_ask(plan, verdicts)).any():
        verdicts[asked] = np.where(shows[asked], Verdict.YES, Verdict.NO)
    return np.asarray((verdicts != Verdict.UNASKED).sum(axis=1))


def shown_by(plan: Plan, truth: Bools) -> Bools:
    """Whether each question's right answer is yes, ``(images, questions)``."""
    return np.asarray(truth.astype(np.int32) @ cover_matrix(plan).T.astype(np.int32) > 0)


def by_questions(
    plan: Plan,
    truth: Bools,
    crowd: Answerers,
    policy: Policy,
    rng: np.random.Generator,
    caution: Caution = CAUTION,
) -> Rehearsed:
    """What the plan's questions cost and find."""
    asking = _Asking(plan, shown_by(plan, truth), crowd, rng)
    verdicts = np.zeros((len(truth), len(plan)), np.int8)
    while (wanted := to_ask(plan, verdicts)).any():
        asking.put(*np.nonzero(wanted))
        verdicts = asking.verdicts(policy, caution)
    return _scored(asking, fates(plan, verdicts), truth)


def by_leaves(plan: Plan, truth: Bools, crowd: Answerers, policy: Policy, rng: np.random.Generator) -> Rehearsed:
    """What it costs and finds to ask of every image for every leaf."""
    asking = _Asking(plan, shown_by(plan, truth), crowd, rng)
    own = np.array([plan.places[leaf] for leaf in plan.leaves])
    image, leaf = (axis.ravel() for axis in np.indices(truth.shape))
    asking.put(image, own[leaf])
    return _scored(asking, fates(plan, asking.verdicts(policy, CAUTION)), truth)


class _Asking:
    """The questions put so far, and the votes on them."""

    def __init__(self, plan: Plan, shows: Bools, crowd: Answerers, rng: np.random.Generator) -> None:
        none = np.zeros(0, np.int64)
        self.plan, self.image, self.place = plan, none, none
        self._shows, self._crowd, self._rng = shows, crowd, rng
        self.ballot = Ballot(none, none, none, none, crowd.workers, len(plan), prior=np.zeros(0))

    def put(self, image: Ints, place: Ints) -> None:
        """Put up questions."""
        self.image, self.place = np.concatenate([self.image, image]), np.concatenate([self.place, place])
        held = self.ballot
        chances = np.clip(np.array(self.plan.chances)[self.place], 0.001, 0.999)
        self.ballot = Ballot(held.task, held.worker, held.answer, self.place, held.workers, held.synsets, prior=chances)

    def verdicts(self, policy: Policy, caution: Caution) -> Codes:
        """Ask until the policy is sure; what is known then of all questions of all images."""
        found, self.ballot = play(self.ballot, policy, self._vote)
        return self._filled(found, caution)

    def _filled(self, found: Conclusion, caution: Caution) -> Codes:
        verdicts = np.zeros(self._shows.shape, np.int8)
        verdicts[self.image, self.place] = verdicts_of(self.plan, self.place, found.state, found.scores, caution)
        return verdicts

    def _vote(self, ballot: Ballot, tasks: Ints) -> Ballot:
        """One vote more on each of `tasks` that not everybody has voted on."""
        cast = ballot.votes_per_task[tasks]
        tasks, cast = tasks[cast < ballot.workers], cast[cast < ballot.workers]
        yes = self._shows[self.image[tasks], self.place[tasks]]
        chance = np.where(yes, self._crowd.sensitivity, 1 - self._crowd.specificity)
        answer = np.where(self._rng.random(len(tasks)) < chance, int(Answer.YES), int(Answer.NO))
        worker = (7 * self.image[tasks] + self.place[tasks] + cast) % ballot.workers
        return Ballot(
            np.concatenate([ballot.task, tasks]),
            np.concatenate([ballot.worker, worker]),
            np.concatenate([ballot.answer, answer]),
            ballot.synset,
            ballot.workers,
            ballot.synsets,
            prior=ballot.prior,
        )


def _scored(asking: _Asking, found: Fates, truth: Bools) -> Rehearsed:
    said = found.verdict == Verdict.YES
    right, images = int((said & truth).sum()), len(truth)
    seconds = float(np.array(asking.plan.seconds)[asking.place[asking.ballot.task]].sum())
    precision, recall = (right / total if total else 1.0 for total in (int(said.sum()), int(truth.sum())))
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    votes = len(asking.ballot.task)
    return Rehearsed(len(asking.place) / images, votes / images, seconds / images, precision, recall, f1)
