"""The candidates whose boxes are asked about, with all that was drawn and answered, in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from holotype.boxes.deciding import Boxing, Outcome, question_after
from holotype.boxes.drawers import poor_drawers
from holotype.boxes.instances import Drawing, Instance, instances
from holotype.boxes.port import Item
from holotype.boxes.rules import Rules
from holotype.boxes.states import Polls, said_of_coverage
from holotype.boxes.values import Drawn, Kind, Question, Reply
from holotype.consensus.votes import TRAINING, is_curator
from holotype.crowd.conclusion import STATES, Codes, Policy, State

OPEN: Final = "open"
"""What a candidate is whose questions are not all answered."""
_NOTHING: Final = np.zeros(0, np.int8)


@dataclass(frozen=True, slots=True)
class Subject:
    """A candidate whose boxes may be asked about: its synset, and its image of so many upright pixels."""

    number: int
    wnid: str
    sha256: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Given:
    """A worker's reply to a question, by its id: a fact. `number` is the drawing's or the answer's id, 0 before it has
    one; `page`, `round`, `seconds` and `at` are as a vote's (`holotype.consensus.votes.Vote`)."""

    question: int
    worker: str
    reply: Reply
    page: str = ""
    round: int = 0
    seconds: float = 0.0
    at: float = 0.0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Flags:
    """What was said of an instance; None where nobody said."""

    truncated: bool | None = None
    occluded: bool | None = None
    group_of: bool | None = None


_UNSAID: Final = Flags()


@dataclass(frozen=True, slots=True)
class Boxed:
    """An instance of a candidate that has a box, who drew it, and what was said of it; the workers in the order of the
    instance's drawings."""

    instance: Instance
    workers: tuple[str, ...]
    flags: Flags


class Tally:
    """Candidates, questions, and replies to them.

    All replies are held; of those of `blocked` workers and of training none counts, but what a blocked worker drew
    stays where others found it good. `gold` is what is known of questions of quality and coverage; what a curator
    `ruled` of it is asked of nobody. Where they ruled that some drawings are all there are, these alone count. Only the
    candidates that are `asked` about (all unless given) have next questions.
    """

    def __init__(
        self,
        subjects: Iterable[Subject],
        gold: Mapping[Question, bool] | None = None,
        blocked: Collection[str] = (),
        asked: Collection[int] | None = None,
        ruled: Collection[Question] = (),
    ) -> None:
        self.subjects = {one.number: one for one in subjects}
        self.asked = self.subjects.keys() if asked is None else frozenset(asked)
        self.gold = dict(gold or {})
        self.blocked = frozenset(blocked)
        self.ruled = frozenset(ruled)
        self._settled = self._settle()
        wnids = sorted({one.wnid for one in self.subjects.values()})
        self.quality, self.coverage = Polls(wnids), Polls(wnids)
        self.replies = 0
        """How many replies came from pages, those that count for nothing too."""
        self.seconds = 0.0
        """The time that these took."""
        self._question: dict[int, Question] = {}
        self.questioned: set[int] = set()
        """The candidates that have any question, of gold too."""
        self._asked: set[int] = set()
        self._id: dict[Question, int] = {}
        self._place: dict[int, int] = {}
        self._judged_at: dict[int, int] = {}
        self._found: dict[int, list[Instance]] = {}
        self._drawings: dict[int, Drawing] = {}
        self._of: dict[int, list[int]] = {}
        self._flags: dict[int, Flags] = {}
        self._drew: dict[Question, list[str]] = {}
        self._sets: dict[int, list[int]] = {}
        self._gold_of: dict[tuple[Kind, str], dict[int, bool]] = {}
        self.poor: frozenset[str] = frozenset()
        """Who is not asked to draw any more: see `holotype.boxes.drawers.poor_drawers`."""
        self._states: dict[Kind, Codes] = {Kind.QUALITY: _NOTHING, Kind.COVERAGE: _NOTHING}
        self._polled: dict[Kind, tuple[Policy, tuple[int, int], bool]] = {}
        self._rules: Rules | None = None
        self._touched: set[int] = set(self.subjects)
        self.decided: set[int] = set()
        """The candidates that were decided again, until whoever writes that down takes them away."""
        self._next: dict[int, tuple[Question, ...]] = {}
        self._outcome: dict[int, Outcome] = {}

    # Facts

    def learn(self, gold: Mapping[Question, bool], blocked: Collection[str], ruled: Collection[Question] = ()) -> None:
        """Know other gold and rulings, and that other workers are blocked, from now on."""
        if gold != self.gold or frozenset(blocked) != self.blocked or frozenset(ruled) != self.ruled:
            self.gold, self.blocked, self.ruled = dict(gold), frozenset(blocked), frozenset(ruled)
            self._touched, self._settled = set(self.subjects), self._settle()
            self._polled, self._gold_of = {}, {}
            for question in self.gold:
                self._mix(question)

    def _settle(self) -> dict[int, tuple[int, ...]]:
        """The drawings of which a curator ruled that they are all there are, by candidate."""
        complete = (one for one in self.ruled if one.kind is Kind.COVERAGE and self.gold[one])
        return {one.candidate: one.shown for one in complete}

    def _mix(self, question: Question) -> None:
        """Have a question among the gold of its kind and synset, if it is gold, no ruling, and was ever asked."""
        if question in self.gold and question not in self.ruled and question in self._id:
            of = question.kind, self.subjects[question.candidate].wnid
            self._gold_of.setdefault(of, {})[self._id[question]] = self.gold[question]

    def is_known(self, number: int) -> bool:
        """Whether anything was ever asked about a candidate."""
        return number in self._asked

    def ask(self, number: int, question: Question) -> None:
        """Know a question by its id; one of no candidate here is left out."""
        if question.candidate in self.subjects:
            self._question[number] = question
            self._id[question] = number
            self.questioned.add(question.candidate)
            if question.kind is Kind.DRAW:  # what else is asked follows from a drawing, or is gold
                self._asked.add(question.candidate)
            if question.kind in self._states:
                self._place[number] = self._poll(question)
            self._mix(question)

    def question(self, number: int) -> Question | None:
        """The question of an id, None where there is none here."""
        return self._question.get(number)

    def gold_of(self, kind: Kind, wnid: str) -> Mapping[int, bool]:
        """The ids of the gold questions of a kind and a synset, with whether the answer is yes."""
        return self._gold_of.get((kind, wnid), {})

    def id_of(self, question: Question) -> int | None:
        """The id of a question, None where it was never asked."""
        return self._id.get(question)

    def add(self, given: Iterable[Given]) -> None:
        """Count replies, which have their ids; those to no question here, and second ones to one, are left out."""
        for one in given:
            question = self._question.get(one.question)
            if question is None or not self._count(question, one):
                continue
            self._touched.add(question.candidate)
            if one.round > 0:
                self.replies += 1
                self.seconds += one.seconds

    def _count(self, question: Question, one: Given) -> bool:
        """Whether a reply is new."""
        if isinstance(one.reply, Drawn):
            return self._draw(question, one, one.reply)
        polls = self.quality if question.kind is Kind.QUALITY else self.coverage
        return polls.add(self._place[one.question], one.worker, one.reply.answer, one.round == TRAINING)

    def _draw(self, question: Question, one: Given, drawn: Drawn) -> bool:
        if one.number in self._drawings:
            return False
        self._drew.setdefault(question, []).append(one.worker)
        if one.round == TRAINING:
            return True
        made = Drawing(one.number, one.worker, drawn.box, question.shown, State.OPEN, drawn.more)
        self._drawings[one.number] = made
        said = Flags(drawn.truncated, drawn.occluded, drawn.group_of)
        if said != Flags():
            self._flags[one.number] = said
        if question.kind is Kind.DRAW:
            self._of.setdefault(question.candidate, []).append(one.number)
            self._hear(question, one, drawn)
        return True

    def _hear(self, question: Question, one: Given, drawn: Drawn) -> None:
        """Count what who drew said of coverage: that nothing is left, or whether there are more beside their box."""
        if (said := said_of_coverage(question, one.number, drawn)) is not None:
            self.coverage.add(self._poll(said[0]), one.worker, said[1])

    def _poll(self, question: Question) -> int:
        """The place of a question of quality or coverage among those."""
        wnid = self.subjects[question.candidate].wnid
        if question.kind is Kind.QUALITY:
            self._judged_at[question.drawing] = at = self.quality.ask(question, wnid)
            return at
        place = self.coverage.ask(question, wnid)
        sets = self._sets.setdefault(question.candidate, [])
        if place not in sets:
            sets.append(place)
        return place

    def drawing(self, number: int) -> Drawing | None:
        """A drawing by its id, as it was made, None where there is none here."""
        return self._drawings.get(number)

    def replied(self, question: Question) -> list[str]:
        """Who replied to a question so far, in that order."""
        if question.kind is Kind.QUALITY:
            return self.quality.voters(question)
        if question.kind is Kind.COVERAGE:
            return self.coverage.voters(question)
        return self._drew.get(question, [])

    def involved(self, question: Question) -> frozenset[str]:
        """Who may not be asked a question: whoever replied to it, drew what is judged, or said it when they drew."""
        drawn = self._drawings.get(question.drawing) if question.kind is Kind.QUALITY else None
        return frozenset([*self.replied(question), *([] if drawn is None else [drawn.worker])])

    def item(self, question: Question) -> Item:
        """A question as it is shown; what is judged, with the boxes that whoever drew it saw. Raises `KeyError` for a
        question without an id."""
        subject = self.subjects[question.candidate]
        judged = self._drawings.get(question.drawing)
        before = question.shown if judged is None else judged.shown
        shown = [self._drawings[number].box for number in before if number in self._drawings]
        size = subject.sha256, subject.width, subject.height
        box = None if judged is None else judged.box
        return Item(self._id[question], question, *size, box, tuple(one for one in shown if one is not None))

    # Conclusions

    def conclude(self, rules: Rules, anew: bool = True) -> Mapping[int, tuple[Question, ...]]:
        """What is to be asked now of the candidates that are asked about, by candidate, under `rules`.

        Only candidates of which something is new, or of whose drawings and coverage something else is concluded, are
        decided again. Unless it is done `anew`, what was learned of workers last may do: see `settled`.
        """
        if self._rules != rules:
            self._rules, self._touched = rules, set(self.subjects)
            self._polled = {}
        for kind, polls, policy in (
            (Kind.QUALITY, self.quality, rules.quality),
            (Kind.COVERAGE, self.coverage, rules.coverage),
        ):
            if self._polled.get(kind) in [(policy, polls.size, True), (policy, polls.size, anew)]:
                continue
            before, (now, whole) = self._states[kind], polls.conclude(policy, self.gold, self.blocked, anew)
            self._polled[kind] = policy, polls.size, whole
            known = now[: len(before)] != before
            decided = now[len(before) :] != STATES.index(State.OPEN)  # what is new is as open as what nobody asked
            changed = np.append(np.flatnonzero(known), len(before) + np.flatnonzero(decided))
            self._touched.update(polls.questions[place].candidate for place in changed.tolist())
            self._states[kind] = now
            if kind is Kind.QUALITY:
                self.poor = poor_drawers(self._judged(), rules.least_good)
        for number in self._touched:
            self._decide(number, rules)
        self.decided |= self._touched
        self._touched = set()
        return self._next

    def _judged(self) -> Iterator[tuple[str, bool]]:
        """Who made each drawing that was judged, and whether it was good."""
        states, yes, no = self._states[Kind.QUALITY], STATES.index(State.YES), STATES.index(State.NO)
        for place in np.flatnonzero((states == yes) | (states == no)).tolist():
            made = self._drawings.get(self.quality.questions[place].drawing)
            if made is not None:
                yield made.worker, bool(states[place] == yes)

    @property
    def settled(self) -> bool:
        """Whether what is concluded was learned from all replies there are, and follows from them alone."""
        return all(whole for _, _, whole in self._polled.values())

    def _decide(self, number: int, rules: Rules) -> None:
        boxing = self.boxing(number)
        self._found[number] = instances(boxing.drawings)
        found = question_after(boxing, self._found[number], rules)
        self._next.pop(number, None)
        self._outcome.pop(number, None)
        if isinstance(found, Outcome):
            self._outcome[number] = found
        elif number in self.asked:
            self._next[number] = found

    def boxing(self, number: int) -> Boxing:
        """All that is known of a candidate's boxes, by what was concluded last; what a curator ruled, where one did."""
        if (settled := self._settled.get(number)) is not None:
            theirs = (self._drawings[one] for one in settled if one in self._drawings)
            return Boxing(number, tuple(replace(one, state=State.YES) for one in theirs), {settled: State.YES})
        drawn = (self._drawings[one] for one in self._of.get(number, ()))
        made = (self._stated(one) for one in drawn if not is_curator(one.worker))
        states = self._states[Kind.COVERAGE]
        sets = (place for place in self._sets.get(number, ()) if place < len(states))
        said = {self.coverage.questions[place].shown: STATES[states[place]] for place in sets}
        return Boxing(number, tuple(one for one in made if one is not None), said)

    def _stated(self, made: Drawing) -> Drawing | None:
        """A drawing with its state; None for one of a blocked worker that nobody else found good."""
        place, states = self._judged_at.get(made.number), self._states[Kind.QUALITY]
        state = STATES[states[place]] if place is not None and place < len(states) else State.OPEN
        if made.worker in self.blocked and state is not State.YES:
            return None
        if state is made.state:
            return made
        return Drawing(made.number, made.worker, made.box, made.shown, state, made.more)

    def outcome(self, number: int) -> Outcome | None:
        """What became of a candidate, None while it is open."""
        return self._outcome.get(number)

    def boxed(self, number: int) -> list[Boxed]:
        """The instances of a candidate that have boxes."""
        return [
            Boxed(found, tuple(self._drawings[one].worker for one in found.drawings), self._said_of(found.drawings))
            for found in self._instances(number)
        ]

    def _instances(self, number: int) -> list[Instance]:
        """The instances of a candidate that are accepted, by what was concluded last."""
        if number in self._found and number not in self._touched:
            return self._found[number]
        return instances(self.boxing(number).drawings)

    def boxes(self) -> int:
        """How many boxes the candidates have that are asked about."""
        return sum(len(self._instances(number)) for number in self.asked)

    def _said_of(self, drawings: Iterable[int]) -> Flags:
        """What most of those who said something say; as many, that it is so."""
        said = [self._flags[number] for number in drawings if number in self._flags]
        if not said:
            return _UNSAID
        return Flags(*(_most(getattr(one, name) for one in said) for name in ("truncated", "occluded", "group_of")))

    def judged(self) -> tuple[int, int]:
        """How many people's drawings were found good by those who judged them, and how many were judged."""
        states = self._states[Kind.QUALITY]
        good, bad = (int(np.count_nonzero(states == STATES.index(one))) for one in (State.YES, State.NO))
        return good, good + bad

    def counts(self) -> dict[str, int]:
        """Number of candidates that are asked about by what became of them."""
        found = Counter(outcome for number, outcome in self._outcome.items() if number in self.asked)
        return {str(name): found[name] for name in Outcome} | {OPEN: len(self.asked) - found.total()}


def _most(said: Iterable[bool | None]) -> bool | None:
    heard = [one for one in said if one is not None]
    return 2 * sum(heard) >= len(heard) if heard else None
