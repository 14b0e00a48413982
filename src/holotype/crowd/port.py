"""The port between a campaign and whoever answers: people on a page, a platform, or a simulation."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from holotype.consensus.votes import Answer, Task, Vote
from holotype.errors import CrowdError


@dataclass(frozen=True, slots=True)
class Page:
    """Tasks of one synset to be answered together by one worker who is not among those who have `seen` any of them.

    `seen` has blocked workers too, but not those who know the page's gold: a second vote on gold is left out, the first
    counts. `id` follows from the round and the tasks that are not gold, so a campaign that is interrupted and resumed
    posts the same pages. `round` counts from 1, or is that of training.
    """

    id: str
    wnid: str
    tasks: tuple[Task, ...]
    seen: frozenset[str]
    round: int


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


class Crowd(Protocol):
    """Whoever answers pages."""

    @property
    def name(self) -> str:
        """What the crowd is called in reports."""

    def post(self, pages: Sequence[Page]) -> None:
        """Put pages up. A page that is already up, by its id, stays as it is."""

    def collect(self) -> Sequence[Sheet]:
        """The sheets that came in since the last call; empty while people are still working."""

    def waiting(self) -> Sequence[Page]:
        """The pages that are up, from this run or earlier ones, and have brought no vote yet."""

    def acknowledge(self, sheets: Sequence[Sheet]) -> None:
        """Hear that the votes of these sheets are durable: whoever gave them can be paid."""


@dataclass(frozen=True, slots=True)
class Posting:
    """What a platform calls a page that was put up there, such as the id of a HIT, and the assignments added by it;
    `at` is Unix time."""

    page: str
    reference: str
    assignments: int
    at: float


class Ledger(Protocol):
    """What a platform has to remember of its pages. What a call told it is durable when the call returns."""

    @property
    def identity(self) -> str:
        """What tells this project from all others; it does not change and is no secret."""

    def remember(self, pages: Sequence[Page], at: float) -> None:
        """Append pages that are about to be put up, unless they are known."""

    def pages(self, ids: Collection[str]) -> Mapping[str, Page]:
        """The remembered pages among `ids`, by id, with nobody in `seen`."""

    def unposted(self) -> Collection[str]:
        """The ids of remembered pages without a posting."""

    def add_posting(self, posting: Posting) -> None:
        """Append a posting; a page may have several."""

    def postings(self) -> Sequence[Posting]:
        """Every posting, oldest first."""

    def answered(self) -> Collection[str]:
        """The ids of remembered pages that brought a vote on anything but gold."""

    def voters(self, tasks: Collection[int]) -> Mapping[int, Collection[str]]:
        """Who has voted, on whatever page, on those of these tasks that have votes."""

    def blocked(self) -> Collection[str]:
        """The workers whose votes do not count."""


def votes_of(sheet: Sheet) -> list[Vote]:
    """The votes a sheet casts.

    Raises `CrowdError` if the sheet does not answer its page: too many or few answers, a worker who has seen a
    task or is blocked, an answer that does not exist, a time that cannot be.
    """
    page = sheet.page
    if not page.tasks or not 0 <= sheet.seconds < math.inf or not math.isfinite(sheet.at):
        raise CrowdError(f"the sheet of {sheet.worker!r} for page {page.id} has no tasks, or times that cannot be")
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
        Vote(task.number, sheet.worker, answer, page.id, each, sheet.at, page.round)
        for task, answer in zip(page.tasks, answers, strict=True)
    ]
