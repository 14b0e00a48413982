"""Pages of questions about boxes: of one kind and one synset each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from holotype.boxes.gold import questions_on_a_page, with_gold
from holotype.boxes.port import BoxPage
from holotype.boxes.tally import Tally
from holotype.boxes.values import Kind, Question
from holotype.consensus.votes import Task
from holotype.crowd.port import Page

Group = tuple[Kind, str]
"""What questions on one page have in common: their kind, and the synset by its wnid."""


def questions_to_ask(
    next: Mapping[int, Sequence[Question]], tally: Tally, up: Iterable[Page]
) -> list[tuple[Question, ...]]:
    """The questions of each page to be put up now: those that are not on a page that is `up`.

    A page that is not full goes up only where no other of its kind and synset is up. Questions that the same people may
    not be asked are together, so that many others can answer the page.
    """
    there = {task.number for page in up for task in page.tasks}
    busy = {(found.kind, page.wnid) for page in up for task in page.tasks if (found := tally.question(task.number))}
    groups: dict[Group, list[tuple[list[str], Question]]] = {}
    for candidate, asked in next.items():
        wnid = tally.subjects[candidate].wnid
        for question in asked:
            if tally.id_of(question) not in there:
                seen = sorted(tally.involved(question))
                groups.setdefault((question.kind, wnid), []).append((seen, question))
    size = {group: questions_on_a_page(group[0], bool(tally.gold_of(*group))) for group in groups}
    return [page for group in sorted(groups) for page in _parted(groups[group], size[group], group in busy)]


def _parted(found: list[tuple[list[str], Question]], size: int, busy: bool) -> list[tuple[Question, ...]]:
    order = [question for _, question in sorted(found)]
    pages = [tuple(order[start : start + size]) for start in range(0, len(order), size)]
    if len(pages[-1]) < size and (busy or len(pages) > 1):
        pages.pop()
    return pages


def page_of(questions: Sequence[Question], tally: Tally) -> BoxPage:
    """A page of questions, which have their ids, of one kind and one synset.

    Its id follows from what is asked and how many replied to it, so a campaign that is interrupted and resumed posts
    the same pages, and a question that needs another reply is on another page.
    """
    kind, subject = questions[0].kind, tally.subjects[questions[0].candidate]
    items = tuple(tally.item(question) for question in questions)
    asked = [len(tally.replied(question)) for question in questions]
    poor = tally.poor if kind is Kind.DRAW else ()
    seen = tally.blocked.union(poor, *(tally.involved(question) for question in questions))
    tasks = tuple(Task(item.number, subject.wnid, item.sha256) for item in items)
    said = " ".join(f"{item.number}:{count}" for item, count in zip(items, asked, strict=True))
    digest = hashlib.sha256(f"{kind} {subject.wnid} {said}".encode()).hexdigest()[:16]
    number = max(asked) + 1
    return BoxPage(Page(f"{kind}-{number:03d}-{digest}", subject.wnid, tasks, seen, number), kind, items)


def with_gold_of(page: BoxPage, tally: Tally) -> BoxPage:
    """The page with some of the gold of its kind and synset among its questions: see `holotype.boxes.gold.with_gold`.

    Its id, and who has `seen` it, stay: who knows the gold answers the rest, and their second reply is left out. Where
    there is other gold, none is of a picture that the page asks about: the same picture twice would tell it apart.
    """
    about = page.page
    asked, pictures = [task.number for task in about.tasks], {task.sha256 for task in about.tasks}
    gold = tally.gold_of(page.kind, about.wnid)
    elsewhere = {
        number: yes
        for number, yes in gold.items()
        if (known := tally.question(number)) and tally.subjects[known.candidate].sha256 not in pictures
    }
    chosen = with_gold(asked, elsewhere or gold, page.kind, about.round, about.id)
    item = {one.number: one for one in page.items}
    new = (tally.item(found) for number in chosen if number not in item and (found := tally.question(number)))
    item |= {one.number: one for one in new}
    items = tuple(item[number] for number in chosen)
    tasks = tuple(Task(one.number, about.wnid, one.sha256) for one in items)
    return BoxPage(replace(about, tasks=tasks), page.kind, items)
