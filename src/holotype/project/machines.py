"""Machines asked: what they say of candidates becomes votes, durable batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Final

import numpy as np

from holotype.catalog import labels
from holotype.catalog.locations import locations
from holotype.catalog.statements import set_meta
from holotype.consensus.ballot import Ints
from holotype.consensus.votes import Task, Vote
from holotype.crowd.conclusion import State
from holotype.crowd.machines.voter import Machine, Question, Scored, Wants, checked
from holotype.crowd.tally import Tally
from holotype.engine import Progress, map_batches
from holotype.errors import CrowdError, HolotypeError
from holotype.images import Rejected, decode, encode_jpeg, fit
from holotype.ontology import Synset
from holotype.project.facts import read_tally, record_votes
from holotype.project.image_names import SHOWN, named_candidates
from holotype.project.parts import Parts
from holotype.project.synset_names import fitting, meanings, with_wnids
from holotype.project.vocabulary import once
from holotype.store.location import Location

SIDE: Final = 768
"""Pixels of the longer side of what a machine is shown that wants a small picture."""
QUALITY: Final = 85


@dataclass(frozen=True, slots=True)
class MachineReport:
    """What became of the candidates that a machine was to vote on: `voted` now or `known` before, `silent` where it
    says nothing, `unreadable` where the image is, and `left` where it is to be asked no more in this run. `elsewhere`
    counts scores that are of no candidate."""

    name: str
    voted: int
    known: int = 0
    silent: int = 0
    unreadable: int = 0
    left: int = 0
    elsewhere: int = 0

    def __str__(self) -> str:
        total = self.voted + self.known + self.silent + self.unreadable + self.left
        shown = (
            f"{self.name}: {total:,} candidates = {self.voted:,} voted on + {self.known:,} before + "
            f"{self.silent:,} without a score + {self.unreadable:,} unreadable + {self.left:,} left for another run"
        )
        return shown + (f"; {self.elsewhere:,} scores are of no candidate" if self.elsewhere else "")


@dataclass(frozen=True, slots=True)
class _Batch:
    tasks: Sequence[Task]
    locations: Sequence[Location]


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a batch brought: votes, candidates without a score and without an image; or why it brought nothing."""

    votes: Sequence[Vote] = ()
    silent: int = 0
    unreadable: int = 0
    error: HolotypeError | None = None


@dataclass(frozen=True, slots=True)
class FileScores(Scored):
    """Scores by candidate, and how many more there were that are of none."""

    elsewhere: int = 0


def scored(
    parts: Parts, senses: Callable[[str], Sequence[Synset]], scores: Mapping[tuple[str, str], float]
) -> FileScores:
    """Scores by (image, synset), an image by any of its names, as those of candidates.

    Raises `CrowdError` where none is of a candidate, where a name may mean several images, or two scores are of one.
    """
    checked(list(scores.values()), len(scores))
    known = meanings({word for _, word in scores}, senses)
    with parts.catalog.read() as connection:
        said = with_wnids(scores, fitting(connection, scores, known), "scores")
        found = named_candidates(connection, said)
    by_number: dict[int, float] = {}
    for pair, numbers in found.items():
        if len(numbers) > 1 and not all(numbers.values()):
            raise CrowdError(f"{pair[0][:SHOWN]!r} may be {len(numbers):,} images: give the sha256")
        for number in numbers:
            if by_number.setdefault(number, said[pair]) != said[pair]:
                raise CrowdError(f"two scores are of {pair[0][:SHOWN]!r} for {pair[1]}, which has another name, too")
    if not by_number:
        first = next(iter(scores), ("", ""))
        raise CrowdError(f"none of {len(scores):,} scores is of a candidate; the first is of {first[0][:SHOWN]!r}")
    return FileScores(by_number, elsewhere=len(said) - len(found))


def listen(parts: Parts, machine: Machine, progress: Progress) -> MachineReport:
    """Have a machine vote on every candidate it has not voted on: gold first, then what is open, then the rest.

    Each batch is durable before the next counts; stopped at any moment and run again, it goes on where it was. Raises
    `CrowdError` for a machine that is blocked or has voted by other thresholds, and what the model raises, when what it
    said before is recorded.
    """
    parts.check_writable()
    with parts.catalog.read() as connection:
        tally, held = read_tally(connection, parts.catalog), labels.read(connection)
    if machine.worker in tally.known.blocked:
        raise CrowdError(f"{machine.worker} is blocked: its votes would not count")
    voted_on = _voted(tally, machine.worker)
    _claim(parts, machine, bool(voted_on.any()))
    open_ones = held.candidate[held.state == held.states.index(State.OPEN)]
    order = _order(tally, open_ones if len(held) else tally.tasks.number)
    unknown = order[~voted_on[order]]
    asked = unknown if machine.most is None else unknown[: machine.most]
    voted, silent, unreadable = _ask(parts, machine, tally, asked, progress)
    elsewhere = machine.model.elsewhere if isinstance(machine.model, FileScores) else 0
    known, left = len(order) - len(unknown), len(unknown) - len(asked)
    return MachineReport(machine.worker, voted, known, silent, unreadable, left, elsewhere)


def _claim(parts: Parts, machine: Machine, voted: bool) -> None:
    """Remember which machine has that name. Raises `CrowdError` where another one `voted` by it."""
    if not voted:
        parts.catalog.transact(lambda connection: set_meta(connection, machine.worker, machine.identity))
        return
    held = once(parts.catalog, machine.worker, machine.identity)
    if held != machine.identity:
        raise CrowdError(
            f"{machine.worker} has voted before as another machine ({held}; now {machine.identity}): votes are never "
            "changed, so give this one another name"
        )


def _order(tally: Tally, undecided: Ints) -> Ints:
    """The places of all tasks: gold, what is not decided, the rest."""
    gold = np.array([task.number for task in tally.known.gold], np.int64)
    number = tally.tasks.number
    urgency = np.where(np.isin(number, gold), 0, np.where(np.isin(number, undecided), 1, 2))
    return np.argsort(urgency, kind="stable")


def _voted(tally: Tally, worker: str) -> np.ndarray:
    votes = tally.votes
    code = votes.workers.index(worker) if worker in votes.workers else -1
    return np.isin(tally.tasks.number, votes.task[votes.worker == code])


def _ask(parts: Parts, machine: Machine, tally: Tally, asked: Ints, progress: Progress) -> tuple[int, int, int]:
    """How many of the tasks at some places got a vote, no score, and no image that can be read.

    Where a batch fails no more are begun; what others under way bring is recorded before its error is raised.
    """
    voted = silent = unreadable = 0
    failed: list[HolotypeError] = []
    look, model = partial(_look, parts, machine), machine.model
    questions = _batches(parts, machine, tally, asked, failed)
    for heard in map_batches(look, questions, workers=model.at_once, kind="threads"):
        if heard.error is not None:
            failed.append(heard.error)
        record_votes(parts.catalog, heard.votes)
        voted, silent, unreadable = voted + len(heard.votes), silent + heard.silent, unreadable + heard.unreadable
        progress(voted + silent + unreadable, len(asked))
    if failed:
        raise failed[0]
    return voted, silent, unreadable


def _batches(
    parts: Parts, machine: Machine, tally: Tally, asked: Ints, failed: Sequence[HolotypeError]
) -> Iterator[_Batch]:
    for start in range(0, len(asked), machine.model.batch):
        if failed:
            return
        places = asked[start : start + machine.model.batch]
        lie: Sequence[Location] = ()
        if machine.model.wants is not Wants.NOTHING:
            images = tally.tasks.image[places].tolist()
            with parts.catalog.read() as connection:
                found = locations(connection, images)
            lie = [found[image] for image in images]
        yield _Batch(tally.named(places), lie)


def _look(parts: Parts, machine: Machine, batch: _Batch) -> _Heard:
    """What a machine says of a batch."""
    try:
        questions = list(_questions(parts, machine.model.wants, batch))
        scores = checked(machine.model.scores(questions) if questions else [], len(questions))
    except HolotypeError as error:
        return _Heard(error=error)
    now = parts.clock()
    votes = [
        Vote(question.task.number, machine.worker, machine.thresholds.answer(score), "", 0.0, now)
        for question, score in zip(questions, scores, strict=True)
        if score is not None
    ]
    return _Heard(votes, len(questions) - len(votes), len(batch.tasks) - len(questions))


def _questions(parts: Parts, wants: Wants, batch: _Batch) -> Iterator[Question]:
    """The questions whose images can be read."""
    nothing = wants is Wants.NOTHING
    read = parts.store.read_each(() if nothing else batch.locations)
    images = repeat(b"", len(batch.tasks)) if nothing else read
    for task, image in zip(batch.tasks, images, strict=True):
        if task.wnid not in parts.ontology or not isinstance(image, bytes):
            continue  # a question of several synsets that somebody made by hand: models know none of it
        synset = parts.ontology[task.wnid]
        try:
            shown = _small(image) if wants is Wants.JPEG else image
        except Rejected:
            continue
        yield Question(task, tuple(synset.lemmas), synset.gloss, shown)


def _small(image: bytes) -> bytes:
    """A small JPEG of an image, upright, with its pixels alone: nothing that a camera wrote beside them."""
    pixels = decode(image, side=SIDE).pixels
    return encode_jpeg(fit(pixels, min(SIDE, max(pixels.shape[:2]))), QUALITY)
