"""From answers to states: what is concluded of all questions of one kind together, by the policies of the crowd."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from holotype.boxes.values import Drawn, Kind, Question
from holotype.consensus.ballot import Ballot
from holotype.consensus.votes import TRAINING, Answer, Task, is_machine
from holotype.crowd.ballots import Axes
from holotype.crowd.columns import InMemory, Known, Tasks, Votes
from holotype.crowd.conclusion import Codes, Incremental, Memory, Policy
from holotype.crowd.policies import Posterior
from holotype.crowd.tally import Tally as VoteTally

FRESH: Final = 1.1
FEW: Final = 100
"""A policy learns again when there are more answers than `FRESH` times those that it learned from, and `FEW`."""


@dataclass(frozen=True, slots=True)
class _Learned:
    """What a policy learned from so many answers, with the gold and the blocked workers of then."""

    policy: Policy
    gold: Mapping[Question, bool]
    blocked: frozenset[str]
    axes: Axes
    memory: Memory
    answers: int


class Polls:
    """The questions of one kind, and the answers to them, as columns that grow.

    A question has its place in the order in which they came; no worker has two answers to one. Synsets that are named
    from the beginning need no learning anew when they are asked about.
    """

    def __init__(self, wnids: Iterable[str] = ()) -> None:
        self.questions: list[Question] = []
        self._place: dict[Question, int] = {}
        self._wnids = {wnid: place for place, wnid in enumerate(dict.fromkeys(wnids))}
        self._synset = array("q")
        self._workers: dict[str, int] = {}
        self._names: list[str] = []
        self._task, self._worker = array("q"), array("i")
        self._answer, self._round = array("b"), array("i")
        self._voters: list[list[int]] = []
        self._learned: _Learned | None = None

    def __len__(self) -> int:
        return len(self.questions)

    def ask(self, question: Question, wnid: str) -> int:
        """Have a question of a synset among the others; its place."""
        if question not in self._place:
            self._place[question] = len(self.questions)
            self.questions.append(question)
            self._synset.append(self._wnids.setdefault(wnid, len(self._wnids)))
            self._voters.append([])
        return self._place[question]

    @property
    def size(self) -> tuple[int, int]:
        """How many questions there are, and how many answers: both only grow."""
        return len(self.questions), len(self._task)

    def place(self, question: Question) -> int | None:
        """Where a question is, None where it was never asked."""
        return self._place.get(question)

    def add(self, place: int, worker: str, answer: Answer, training: bool = False) -> bool:
        """Count an answer to the question at a place; whether it is its worker's first."""
        if worker not in self._workers:
            self._workers[worker] = len(self._names)
            self._names.append(worker)
        code = self._workers[worker]
        if code in self._voters[place]:
            return False
        self._voters[place].append(code)
        self._task.append(place)
        self._worker.append(code)
        self._answer.append(answer)
        self._round.append(TRAINING if training else 0)
        return True

    def voters(self, question: Question) -> list[str]:
        """Who answered a question, blocked workers too."""
        place = self._place.get(question)
        return [] if place is None else [self._names[code] for code in self._voters[place]]

    def tally(self, gold: Mapping[Question, bool], blocked: Collection[str]) -> VoteTally:
        """The questions as tasks, by their places, with the answers to them."""
        tasks = Tasks(
            np.arange(len(self), dtype=np.int64),
            np.array(self._synset, np.int64),
            np.arange(len(self), dtype=np.int64),
            list(self._wnids),
        )
        columns = np.array(self._task, np.int64), np.array(self._worker, np.int32), np.array(self._answer, np.int8)
        votes = Votes(*columns, np.array(self._round, np.int32), list(self._names))
        known = {Task(self._place[one], "", ""): yes for one, yes in gold.items() if one in self._place}
        return VoteTally(tasks, votes, Known(known, blocked), InMemory(()))

    def ballot(self, gold: Mapping[Question, bool], blocked: Collection[str]) -> Ballot:
        """The answers that count as arrays: neither of blocked workers, nor given to learn."""
        return self.tally(gold, blocked).ballot()

    def conclude(
        self, policy: Policy, gold: Mapping[Question, bool], blocked: Collection[str], anew: bool = True
    ) -> tuple[Codes, bool]:
        """The state of every question, places in `holotype.crowd.conclusion.STATES` ``(questions,)``, and whether that
        was learned from all answers there are.

        Unless it is to be learned `anew`, what was learned last does for as long as few answers came since (`FRESH`).
        """
        if not len(self):
            return np.zeros(0, np.int8), True
        tally, known = self.tally(gold, blocked), (policy, dict(gold), frozenset(blocked))
        if not anew and (states := self._again(tally, known)) is not None:
            return states, False
        found = settled(policy).conclude(tally.ballot())
        self._learned = _Learned(*known, tally.axes(), found.memory, len(self._task))
        return found.state, True

    def _again(self, tally: VoteTally, known: tuple[Policy, Mapping[Question, bool], frozenset[str]]) -> Codes | None:
        """The state of every question by what was learned last; None where that does not do."""
        held = self._learned
        if (
            held is None
            or (held.policy, held.gold, held.blocked) != known
            or len(self._task) > FRESH * held.answers + FEW
        ):
            return None
        policy, ballot = settled(held.policy), tally.ballot_on(held.axes)
        if not isinstance(policy, Incremental) or ballot is None or any(map(is_machine, self._names)):
            return None
        return policy.again(ballot, held.memory).state


def settled(policy: Policy) -> Policy:
    """A policy without a pilot: that is spread evenly over all questions, and would move with each that is new, so that
    what was decided would be open again."""
    return replace(policy, pilot=0) if isinstance(policy, Posterior) else policy


def said_of_coverage(question: Question, number: int, drawn: Drawn) -> tuple[Question, Answer] | None:
    """The question of coverage that whoever drew answered besides, and how: that nothing is left beside what was shown,
    or whether there are more beside that and their drawing `number`; None where they said neither."""
    if drawn.box is None:
        return Question(question.candidate, Kind.COVERAGE, shown=question.shown), Answer.YES
    if drawn.more is None:
        return None
    shown = tuple(sorted((*question.shown, number)))
    return Question(question.candidate, Kind.COVERAGE, shown=shown), Answer.NO if drawn.more else Answer.YES
