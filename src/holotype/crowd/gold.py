"""Gold: candidates whose answer is known, asked to learn about workers."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Final, TypeVar

from holotype.consensus.votes import TRAINING, Answer, Task, Vote
from holotype.crowd.port import Page, Sheet, votes_of
from holotype.errors import CrowdError

FIRST_SHARE: Final = 0.10
LEAST_SHARE: Final = 0.025
PASS_SHARE: Final = 0.8
"""The share of a training page to get right; who guesses at ten images passes one time in eighteen."""

Asked = TypeVar("Asked", Task, int)
"""A task, or the id of a question."""
Feedback = tuple[Task, Answer, Answer]
"""A task, the worker's answer, the right answer."""


def gold_share(number: int) -> float:
    """Gold beside every question of round `number` (from 1): a tenth at first, falling to a fortieth."""
    return max(LEAST_SHARE, FIRST_SHARE / number)


def with_gold(page: Page, gold: Mapping[Task, bool]) -> Page:
    """The page with some of its synset's gold among its tasks, as much as its round wants.

    `gold` is that of the page's synset, task to whether the answer is yes; as many of either are taken where there are
    both. Which and where follows from the page's id, so a campaign that is resumed posts the same pages; the id stays,
    so gold that is added later posts none anew. Nothing on the page tells gold from the rest.
    """
    if not gold:
        return page
    wanted = int(gold_share(page.round) * len(page.tasks) + draw(page.id) / 2**64)
    chosen = balanced(gold, page.id)[: max(wanted, page.round == 1)]
    tasks = sorted((*page.tasks, *chosen), key=lambda task: draw(page.id, task.sha256))
    return dataclasses.replace(page, tasks=tuple(tasks))


def draw(*words: object) -> int:
    """64 bits that follow from `words`."""
    return int.from_bytes(hashlib.blake2b(" ".join(map(str, words)).encode(), digest_size=8).digest(), "big")


def balanced(gold: Mapping[Asked, bool], key: str) -> list[Asked]:
    """All gold in an order drawn by `key`, yes and no in turn while there are both."""
    order = sorted(gold, key=lambda one: draw(key, "gold", one.sha256 if isinstance(one, Task) else one))
    sides = [[one for one in order if gold[one] is side] for side in (True, False)]
    turns = zip_longest(*(sides if draw(key, "first") % 2 else sides[::-1]))
    return [one for turn in turns for one in turn if one is not None]


def training_page(wnid: str, gold: Mapping[Task, bool], size: int) -> Page:
    """A page of at most `size` of the synset's gold, half yes and half no where there is enough of both.

    Every worker's is the same. Raises `CrowdError` where the synset has no gold.
    """
    return _training_page(wnid, _of_synset(wnid, gold), size, wnid)


def own_training_page(worker: str, wnid: str, attempt: int, gold: Mapping[Task, bool], size: int) -> Page:
    """A worker's own training page at an attempt, from 0, as `training_page` otherwise: what one tells another about
    the pictures and their order is of no use.

    All a worker's pages are drawn from one half of the gold, or from `size` of it: the rest is to be asked. The id
    follows from the worker, the synset and the attempt, whatever the gold is.
    """
    mine = _of_synset(wnid, gold)
    half = balanced(mine, f"{worker} {wnid}")[: max(size, len(mine) // 2)]
    page = _training_page(wnid, {task: mine[task] for task in half}, size, f"{worker} {wnid} {attempt}")
    return dataclasses.replace(page, id=training_id(worker, wnid, attempt))


def training_id(worker: str, wnid: str, attempt: int) -> str:
    """The id of `own_training_page`."""
    return f"000-{draw(worker, wnid, attempt):016x}"


def _of_synset(wnid: str, gold: Mapping[Task, bool]) -> dict[Task, bool]:
    return {task: yes for task, yes in gold.items() if task.wnid == wnid}


def _training_page(wnid: str, gold: Mapping[Task, bool], size: int, key: str) -> Page:
    tasks = sorted(balanced(gold, key)[:size], key=lambda task: draw(key, task.sha256))
    if not tasks:
        raise CrowdError(f"{wnid} has no gold to train on: add some")
    digest = draw(*(task.sha256 for task in tasks))
    return Page(f"000-{digest:016x}", wnid, tuple(tasks), frozenset(), TRAINING)


def training_votes(sheet: Sheet, gold: Mapping[Task, bool]) -> list[Vote]:
    """The votes a sheet of a training page casts, on gold and on nothing else; they count for nothing.

    Raises `CrowdError` if the sheet does not answer its page.
    """
    known = {task.number for task in gold}
    return [dataclasses.replace(vote, round=TRAINING) for vote in votes_of(sheet) if vote.task in known]


def feedback(page: Page, answers: Sequence[Answer], gold: Mapping[Task, bool]) -> list[Feedback]:
    """Each gold task of the page with the answer given and the right one, in the page's order.

    Raises `CrowdError` where answers and tasks differ in number.
    """
    if len(answers) != len(page.tasks):
        raise CrowdError(f"page {page.id} has {len(page.tasks)} tasks, but {len(answers)} answers were given")
    marked = zip(page.tasks, answers, strict=True)
    return [(task, answer, Answer.YES if gold[task] else Answer.NO) for task, answer in marked if task in gold]


def passed(marks: Collection[Feedback]) -> bool:
    """Whether a worker's training suffices: at least `PASS_SHARE` of it right, unsure counting as wrong."""
    return bool(marks) and sum(answer is right for _, answer, right in marks) >= PASS_SHARE * len(marks)


def sibling_negatives(
    gold: Mapping[Task, bool],
    tasks: Iterable[Task],
    siblings: Mapping[str, Collection[str]],
    below: Mapping[str, Collection[str]],
    per_synset: int,
    seed: int,
) -> list[tuple[str, Task]]:
    """Gold noes for the synsets of `siblings`, made of gold yeses of their siblings, to `per_synset` noes in all.

    `below` has the synsets of each one's subtree, itself among them: an image that is a candidate for one of those is
    left alone, it may show both. Returns pairs of a wnid and the task that lends its image; `seed` draws which.
    """
    candidates: dict[str, set[str]] = {}
    for task in tasks:
        candidates.setdefault(task.wnid, set()).add(task.sha256)
    found = []
    for wnid in sorted(siblings):
        taken = set().union(*(candidates.get(under, ()) for under in below[wnid]))
        lent = {
            task.sha256: task
            for task, yes in gold.items()
            if yes and task.wnid in siblings[wnid] and task.sha256 not in taken
        }
        wanted = per_synset - sum(not yes for task, yes in gold.items() if task.wnid == wnid)
        drawn = sorted(lent.values(), key=lambda task: draw(seed, wnid, task.sha256))
        found += [(wnid, task) for task in drawn[: max(wanted, 0)]]
    return found
