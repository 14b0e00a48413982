"""Training: pages of gold with feedback, whose answers are kept as votes that count for nothing."""

from __future__ import annotations

from sqlalchemy import Connection

from holotype.catalog import corrections, examples, pictures, schema
from holotype.consensus.votes import Answer, Task
from holotype.crowd.gold import Feedback, feedback, own_training_page, training_page, training_votes
from holotype.crowd.lessons import training_size
from holotype.crowd.port import Page, Sheet
from holotype.project.facts import read_gold, record_votes
from holotype.project.parts import Parts


def usable_gold(connection: Connection, wnid: str) -> dict[Task, bool]:
    """The gold of a synset that people may learn on: neither public examples nor what nobody is to see."""
    said = corrections.of_synset(connection, schema.gold, wnid)
    numbers = [one.candidate for one in said if one.answer is not None]
    out_of_sight = {number for number, one in pictures.shown(connection, numbers).items() if one.hidden}
    hidden = examples.unaskable(connection) | out_of_sight
    return {
        Task(one.candidate, one.wnid, one.sha256): one.answer == Answer.YES
        for one in said
        if one.answer is not None and one.candidate not in hidden
    }


def page_to_train_on(connection: Connection, wnid: str, size: int) -> Page:
    """See `holotype.project.gold.Gold.training_page`."""
    return training_page(wnid, usable_gold(connection, wnid), size)


def size_to_train_on(connection: Connection, wnid: str) -> int:
    """How many pictures of a synset people may train on; 0 where it has too little gold."""
    return training_size(list(usable_gold(connection, wnid).values()))


def own_page(connection: Connection, worker: str, wnid: str, attempt: int) -> Page | None:
    """A worker's own page at an attempt, from 0; None where the synset has too little gold."""
    gold = usable_gold(connection, wnid)
    size = training_size(list(gold.values()))
    return own_training_page(worker, wnid, attempt, gold, size) if size else None


def train(parts: Parts, sheet: Sheet) -> list[Feedback]:
    """See `holotype.project.gold.Gold.train`."""
    with parts.catalog.read() as connection:
        gold = read_gold(connection, [task.number for task in sheet.page.tasks])
    record_votes(parts.catalog, training_votes(sheet, gold))
    return feedback(sheet.page, sheet.answers, gold)
