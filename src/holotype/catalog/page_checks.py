"""Whether pages ask about what there is, sheets answer what was asked, and what is counted of them is votes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, func, select

from holotype.catalog import schema as t
from holotype.catalog.box_facts import is_of_boxes
from holotype.catalog.statements import held

_AT_ONCE: Final = 500


def wrong_pages(connection: Connection) -> Iterator[str]:
    """Pages with tasks that there are not."""
    page = t.page.c
    for rows in _blocks(connection, select(page.id, page.crowd, page.tasks)):
        tasks = {(row.id, row.crowd): json.loads(row.tasks) for row in rows}
        for boxes, column in ((False, t.candidate.c.id), (True, t.box_question.c.id)):
            some = {key: numbers for key, numbers in tasks.items() if is_of_boxes(key[1]) == boxes}
            known = held(connection, column, {number for numbers in some.values() for number in numbers})
            for (one, crowd), numbers in some.items():
                if gone := [number for number in numbers if number not in known]:
                    yield f"page {one} of crowd {crowd} asks about {gone[0]}, which there is not"


def wrong_sheets(connection: Connection) -> Iterator[str]:
    """Sheets with more or fewer answers than their page has tasks, and counted ones whose votes are missing."""
    sheet, page, counted = t.sheet.c, t.page.c, t.counted.c.sheet_id
    joined = t.sheet.join(t.page, (page.id == sheet.page) & (page.crowd == sheet.crowd))
    joined = joined.outerjoin(t.counted, counted == sheet.id)
    columns = sheet.id, sheet.worker, sheet.answers, page.tasks, sheet.crowd, counted.label("counted")
    for rows in _blocks(connection, select(*columns).select_from(joined)):
        for row in rows:
            tasks = json.loads(row.tasks)
            if len(json.loads(row.answers)) != len(tasks):
                yield f"sheet {row.id} does not answer what its page asks"
            elif row.counted is not None and not is_of_boxes(row.crowd):
                lacking = len(tasks) - _votes(connection, row.worker, tasks)
                if lacking:
                    yield f"sheet {row.id} is counted, and {lacking} of its votes are missing"


def _votes(connection: Connection, worker: str, tasks: list[int]) -> int:
    vote, name = t.vote.c, t.worker.c.name
    mine = name == worker, vote.candidate_id.in_(tasks)
    return int(connection.execute(select(func.count()).select_from(t.vote.join(t.worker)).where(*mine)).scalar_one())


def _blocks(connection: Connection, asked: Any) -> Iterator[Any]:
    """The rows of a statement, a block at a time."""
    with connection.execute(asked.execution_options(stream_results=True)) as result:
        yield from result.partitions(_AT_ONCE)
