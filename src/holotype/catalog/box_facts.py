"""Questions about boxes that people draw and judge: what was asked, drawn and answered.

A question that is asked again is the same row; a worker's second reply to one is skipped: the first counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, func, or_, select

from holotype.catalog import schema as t
from holotype.catalog import workers
from holotype.catalog.box_known import is_gold
from holotype.catalog.statements import add_rows, chunks, some_rows

Shown = tuple[int, ...]


class KeptQuestion(NamedTuple):
    """A question by its id; `kind` is a place in `BOX_KINDS`, `drawing` 0 but for quality, `shown` sorted."""

    id: int
    kind: int
    candidate: int
    drawing: int
    shown: Shown


class KeptDrawing(NamedTuple):
    """A drawing, without corners where nothing was left to draw; the worker by name, `points` as JSON."""

    id: int
    question: int
    worker: str
    x_min: int | None
    y_min: int | None
    x_max: int | None
    y_max: int | None
    method: str
    points: str
    more: int | None
    truncated: int | None
    occluded: int | None
    group_of: int | None
    score: float | None
    page: str
    round: int
    seconds: float
    at: float


class KeptAnswer(NamedTuple):
    """An answer to a question of quality or coverage; the worker by name."""

    id: int
    question: int
    worker: str
    answer: int
    reason: str
    page: str
    round: int
    seconds: float
    at: float


def _text(shown: Iterable[int]) -> str:
    return ",".join(map(str, shown))


def shown_ids(text: str) -> Shown:
    """The ids of drawings in what a question is kept to have shown."""
    return tuple(map(int, text.split(","))) if text else ()


# Questions


def ask(connection: Connection, asked: Sequence[tuple[int, int, int, Shown]], at: float) -> list[int]:
    """The ids of questions, as (kind, candidate, drawing, shown), which are appended where they are new."""
    keys = [(kind, candidate, drawing, _text(shown)) for kind, candidate, drawing, shown in asked]
    known = _ids(connection, keys)
    new = [key for key in dict.fromkeys(keys) if key not in known]
    names = "kind", "candidate_id", "drawing_id", "shown"
    add_rows(connection, t.box_question, [dict(zip(names, key, strict=True)) | {"at": at} for key in new])
    known |= _ids(connection, new)
    return [known[key] for key in keys]


def _ids(connection: Connection, keys: Collection[tuple[int, int, int, str]]) -> dict[tuple[int, int, int, str], int]:
    table, wanted = t.box_question.c, set(keys)
    asked = select(table.kind, table.candidate_id, table.drawing_id, table.shown, table.id)
    found = {}
    for chunk in chunks({candidate for _, candidate, _, _ in wanted}):
        for *key, number in connection.execute(asked.where(table.candidate_id.in_(chunk))):
            if tuple(key) in wanted:
                found[tuple(key)] = number
    return found


def questions(connection: Connection, ids: Iterable[int] | None = None) -> list[KeptQuestion]:
    """All questions in the order they were asked first, or those of some ids."""
    table = t.box_question.c
    asked = select(table.id, table.kind, table.candidate_id, table.drawing_id, table.shown)
    rows = some_rows(connection, asked, table.id, ids)
    return [KeptQuestion(id, kind, candidate, drawing, shown_ids(text)) for id, kind, candidate, drawing, text in rows]


def about(connection: Connection, candidates: Iterable[int]) -> set[int]:
    """The ids of all questions about the boxes of candidates."""
    table = t.box_question.c
    return {row.id for row in some_rows(connection, select(table.id), table.candidate_id, candidates)}


def is_of_boxes(crowd: str) -> bool:
    """Whether the pages of a crowd have questions about boxes for their tasks, and not candidates."""
    return crowd.endswith("-boxes")


# Replies


def add_drawings(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[int, str, int], int]:
    """Append drawings, given with the key ``worker`` for the name; the ids of those that are new, by question, worker
    and number."""
    return _add(connection, t.drawing, rows)


def add_answers(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[int, str, int], int]:
    """Append answers, given with the key ``worker`` for the name; the ids of those that are new, by question, worker
    and 0."""
    return _add(connection, t.box_answer, rows)


def _add(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[int, str, int], int]:
    known = _known(connection, table, {row["question_id"] for row in rows})
    new: dict[tuple[int, str, int], Mapping[str, Any]] = {}
    for row in rows:
        key = row["question_id"], row["worker"], row.get("number", 0)
        if key not in known:
            new.setdefault(key, row)
    ids = _workers(connection, {worker for _, worker, _ in new})
    without = [{name: value for name, value in row.items() if name != "worker"} for row in new.values()]
    add_rows(connection, table, [row | {"worker_id": ids[key[1]]} for key, row in zip(new, without, strict=True)])
    added = _known(connection, table, {question for question, _, _ in new}) if new else {}
    return {key: added[key] for key in new}


def _known(connection: Connection, table: Table, asked: Iterable[int]) -> dict[tuple[int, str, int], int]:
    number = table.c.number if "number" in table.c else t.worker.c.id * 0
    columns = table.c.question_id, t.worker.c.name, number, table.c.id
    question = select(*columns).select_from(table.join(t.worker))
    return {(one, name, n): id for one, name, n, id in some_rows(connection, question, table.c.question_id, asked)}


def _workers(connection: Connection, names: Collection[str]) -> dict[str, int]:
    """The ids of workers, who are appended where they are new."""
    known = workers.ids(connection, names)
    add_rows(connection, t.worker, [{"name": name} for name in sorted(set(names) - known.keys())])
    return workers.ids(connection, names)


def drawings(connection: Connection, ids: Iterable[int] | None = None) -> list[KeptDrawing]:
    """All drawings, oldest first, or those of some ids; those of blocked workers too."""
    names = [name for name in KeptDrawing._fields if name not in ("question", "worker")]
    return [KeptDrawing(*row) for row in _replies(connection, t.drawing, names, ids)]


def drawings_of(connection: Connection, questions: Iterable[int]) -> list[KeptDrawing]:
    """The drawings of some questions, by question, oldest first."""
    chosen = [
        id
        for _, id in some_rows(
            connection, select(t.drawing.c.question_id, t.drawing.c.id), t.drawing.c.question_id, questions
        )
    ]
    return drawings(connection, chosen)


def answers(connection: Connection) -> list[KeptAnswer]:
    """All answers, oldest first; those of blocked workers too."""
    names = [name for name in KeptAnswer._fields if name not in ("question", "worker")]
    return [KeptAnswer(*row) for row in _replies(connection, t.box_answer, names)]


def _replies(connection: Connection, table: Table, names: Sequence[str], ids: Iterable[int] | None = None) -> list[Any]:
    """Rows with the question and the worker's name behind the id."""
    name = dict(zip(*_everybody(connection), strict=True))
    columns = [table.c[one] for one in names]
    asked = select(columns[0], table.c.question_id, table.c.worker_id, *columns[1:])
    rows = some_rows(connection, asked, table.c.id, ids)
    return [(id, question, name[worker], *rest) for id, question, worker, *rest in rows]


def _everybody(connection: Connection) -> tuple[list[int], list[str]]:
    ids, names = workers.everybody(connection)
    return ids.tolist(), names


def involved(connection: Connection, ids: Iterable[int]) -> dict[int, set[str]]:
    """Who may not be asked each of these questions: whoever replied to it, drew what is judged, or said before whether
    all is covered by what is shown."""
    wanted = questions(connection, ids)
    found: dict[int, set[str]] = {one.id: set() for one in wanted}
    for table in (t.drawing, t.box_answer):
        for number, name, _ in _known(connection, table, found):
            found[number].add(name)
    judged = {one.drawing: one.id for one in wanted if one.drawing}
    for one in drawings(connection, judged):
        found[judged[one.id]].add(one.worker)
    covers = {one.id: (one.candidate, one.shown) for one in wanted if one.kind == t.BOX_KINDS.index("coverage")}
    said = _said_of_coverage(connection, {candidate for candidate, _ in covers.values()})
    for number, key in covers.items():
        found[number] |= said.get(key, set())
    return found


def _said_of_coverage(connection: Connection, candidates: Iterable[int]) -> dict[tuple[int, Shown], set[str]]:
    """Who said when they drew whether all is covered, by candidate and the drawings of which they said so: that nothing
    is left, or whether there are more beside theirs."""
    question, drawing = t.box_question.c, t.drawing.c
    joined = t.drawing.join(t.box_question, question.id == drawing.question_id).join(t.worker)
    columns = question.candidate_id, question.shown, drawing.id, drawing.x_min, t.worker.c.name
    asked = select(*columns).select_from(joined).where(question.kind == t.BOX_KINDS.index("draw"))
    asked = asked.where(or_(drawing.x_min.is_(None), drawing.more.is_not(None)))
    found: dict[tuple[int, Shown], set[str]] = {}
    for candidate, text, number, left, name in some_rows(connection, asked, question.candidate_id, candidates):
        shown = shown_ids(text)
        of = shown if left is None else tuple(sorted((*shown, number)))
        found.setdefault((candidate, of), set()).add(name)
    return found


def answered(connection: Connection, crowd: str) -> list[str]:
    """The ids of a crowd's pages that brought a reply to anything but gold."""
    known = select(t.box_gold.c.question_id).where(is_gold())
    brought = (select(table.c.page).where(table.c.question_id.not_in(known)) for table in (t.drawing, t.box_answer))
    mine = select(t.page.c.id).where(t.page.c.crowd == crowd)
    return sorted({id for one in brought for id in connection.execute(mine.where(t.page.c.id.in_(one))).scalars()})


def newest(connection: Connection) -> tuple[int | None, ...]:
    """What changes whenever a question or a reply is appended."""
    newest = (select(func.max(one.c.id)).scalar_subquery() for one in (t.box_question, t.drawing, t.box_answer))
    return tuple(connection.execute(select(*newest)).one())


def count(connection: Connection) -> int:
    """How many replies there are: facts are appended to alone."""
    tables = t.drawing, t.box_answer
    return sum(connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)
