"""The port between a campaign and whoever answers: people on a page, a platform, or a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from holotype.errors import CrowdError


class Answer(IntEnum):
    """The answer to "is there an object of this synset in this image?" """

    NO = 0
    UNSURE = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class Task:
    """One question: does this image show this synset? `number` is the candidate's id in the catalog."""

    number: int
    wnid: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Page:
    """Tasks of one synset to be answered together by one worker who is not among those who have `seen` any of them.

    `seen` has blocked workers too, but not those who know the page's gold: a second vote on gold is left out, the first
    counts. `id` is the number of the round and a digest of the tasks that are not gold, so a campaign that is
    interrupted and resumed posts the same pages.
    """

    id: str
    wnid: str
    tasks: tuple[Task, ...]
    seen: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worker's answers to a page, in the order of its tasks; `at` is Unix time, `seconds` the time taken.

    The page is the one that was posted, be it long ago: its votes count whatever is asked now.
    """

    page: Page
    worker: str
    answers: tuple[Answer, ...]
    seconds: float
    at: float


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer by one worker: a fact."""

    task: int
    worker: str
    answer: Answer
    page: str
    seconds: float
    at: float


class Crowd(Protocol):
    """Whoever answers pages."""

    @property
    def name(self) -> str:
        """What the crowd is called in reports."""

    def post(self, pages: Sequence[Page]) -> None:
        """Put pages up. A page that is already up, by its id, stays as it is."""

    def collect(self) -> Sequence[Sheet]:
        """The sheets that came in since the last call; empty while people are still working."""


def votes_of(sheet: Sheet) -> list[Vote]:
    """The votes a sheet casts.

    Raises `CrowdError` if the sheet does not answer its page: too many or few answers, a worker who has seen a
    task or is blocked, an answer that does not exist.
    """
    page = sheet.page
    if len(sheet.answers) != len(page.tasks):
        raise CrowdError(f"the sheet of {sheet.worker!r} has {len(sheet.answers)} answers for page {page.id}")
    if sheet.worker in page.seen:
        raise CrowdError(f"worker {sheet.worker!r} has voted on a task of page {page.id} before, or is blocked")
    try:
        answers = [Answer(answer) for answer in sheet.answers]
    except ValueError as error:
        raise CrowdError(f"page {page.id}: {error}; answers are 0 (no), 1 (unsure) and 2 (yes)") from error
    each = sheet.seconds / len(answers)
    return [
        Vote(task.number, sheet.worker, answer, page.id, each, sheet.at)
        for task, answer in zip(page.tasks, answers, strict=True)
    ]
