"""What is known of questions about boxes: gold, which people are asked to see how good they are, and what a curator
ruled, which is asked of nobody. Both are numbered statements of which the newest counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, select

from holotype.catalog import schema as t
from holotype.catalog.statements import add_rows, some_rows

CURATOR: Final = "curator:"
"""What the source of a ruling begins with, before the curator's name; gold has no such source."""


class KeptGold(NamedTuple):
    """What is known of a question for sure: the statement that counts; no answer where it was withdrawn."""

    question: int
    number: int
    answer: int | None
    source: str
    reason: str
    at: float

    @property
    def is_ruling(self) -> bool:
        """Whether a curator ruled so: it is asked of nobody."""
        return self.source.startswith(CURATOR)


def known(connection: Connection, ids: Iterable[int] | None = None) -> list[KeptGold]:
    """The statement that counts of every question of which anything is known, or was, or of some: gold and rulings."""
    table = t.box_gold
    asked = select(*(table.c[name] for name in ("question_id", "number", "answer", "source", "reason", "at")))
    return [KeptGold(*row) for row in some_rows(connection, asked.where(_is_newest()), table.c.question_id, ids)]


def gold(connection: Connection, ids: Iterable[int] | None = None) -> dict[int, int]:
    """The answers of all gold questions, or of some, by their ids."""
    held = known(connection, ids)
    return {one.question: one.answer for one in held if one.answer is not None and not one.is_ruling}


@cache
def is_gold() -> ColumnElement[bool]:
    """Whether a statement is one that counts, and makes its question gold."""
    table = t.box_gold.c
    return and_(_is_newest(), table.answer.is_not(None), ~table.source.startswith(CURATOR))


@cache
def _is_newest() -> ColumnElement[bool]:
    table, other = t.box_gold, t.box_gold.alias()
    later = and_(other.c.question_id == table.c.question_id, other.c.number > table.c.number)
    return ~select(other.c.number).where(later).exists()


def say(connection: Connection, said: Mapping[int, int | None], source: str, reason: str, at: float) -> int:
    """Append what is known of questions by their ids, where it is not what counts already; how many were appended."""
    held = {one.question: one for one in known(connection, said)}
    rows = []
    for question, answer in said.items():
        before = held.get(question)
        if (None if before is None else before.answer) != answer:
            number = 1 if before is None else before.number + 1
            about = {"question_id": question, "number": number, "answer": answer}
            rows.append(about | {"source": source, "reason": reason, "at": at})
    add_rows(connection, t.box_gold, rows)
    return len(rows)


class Statement(NamedTuple):
    """What was said of a question about boxes to be known: `answer` None withdraws it. `kind` is a place in
    `BOX_KINDS`; `shown` has ids of drawings with commas, `drawing` is 0 but for quality."""

    question: int
    kind: int
    candidate: int
    wnid: str
    image: int
    sha256: str
    drawing: int
    shown: str
    number: int
    answer: int | None
    source: str
    reason: str
    at: float


def history(connection: Connection) -> list[Statement]:
    """All that was ever said to be gold, and not ruled, by synset, candidate and question, oldest first."""
    said, question, candidate, read = t.box_gold.c, t.box_question.c, t.candidate.c, t.fingerprint.c
    joined = t.box_gold.join(t.box_question).join(t.candidate, candidate.id == question.candidate_id)
    joined = joined.outerjoin(t.fingerprint, read.image_id == candidate.image_id)
    asked = select(
        *(question.id, question.kind, candidate.id, candidate.wnid, candidate.image_id),
        *(func.coalesce(read.sha256, ""), question.drawing_id, question.shown),
        *(said.number, said.answer, said.source, said.reason, said.at),
    ).select_from(joined)
    asked = asked.where(~said.source.startswith(CURATOR))
    order = candidate.rank, candidate.id, question.id, said.number
    return [Statement._make(row) for row in connection.execute(asked.order_by(*order))]
