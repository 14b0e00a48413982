"""Forgetting files and the images that lie in them: the only place where facts are taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from sqlalchemy import Connection, Select, Table, delete, func, select, update

from holotype.catalog import box_facts, candidates, claims, near_duplicates
from holotype.catalog import schema as t
from holotype.catalog.audits import accepted_at
from holotype.catalog.box_conclusions import recount
from holotype.catalog.statements import chunks
from holotype.catalog.wants import HERE

_REFERRING: Final = (
    ("intake", "image_id"),
    ("prior", "candidate_id"),
    ("audit_sample", "candidate_id"),
    ("audit_correction", "candidate_id"),
    ("image", "file_id"),
    ("candidate", "labelled_by"),
    ("box", "file_id"),
    ("mask", "file_id"),
    ("annotation", "file_id"),
    ("url", "file_id"),
    ("mark", "file_id"),
    ("flag", "candidate_id"),
    ("box_question", "candidate_id"),
    ("coverage", "candidate_id"),
)
"""Columns without an index that a database looks through for every row that goes, where they refer to it."""


class Held(NamedTuple):
    """How much there is of what may be forgotten; `statements` are those of gold and of curators."""

    files: int
    images: int
    labels: int
    boxes: int
    facts: int
    votes: int
    statements: int
    audit_answers: int
    masks: int = 0


def held(connection: Connection) -> Held:
    """How much there is in all."""

    def count(*tables: Table) -> int:
        return sum(connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)

    labels = select(func.count()).select_from(t.candidate).where(t.candidate.c.labelled_by.is_not(None))
    return Held(
        count(t.file),
        count(t.image),
        connection.execute(labels).scalar_one(),
        count(t.box),
        count(t.annotation, t.url, t.mark),
        count(t.vote),
        count(t.gold, t.overruling),
        count(t.audit_answer, t.audit_correction),
        count(t.mask),
    )


@contextmanager
def indexed(connection: Connection) -> Iterator[None]:
    """What refers to files, images and candidates is found fast meanwhile."""
    for table, column in _REFERRING:
        connection.exec_driver_sql(f"CREATE INDEX forgetting_{table} ON {table} ({column})")
    yield
    for table, _ in _REFERRING:
        connection.exec_driver_sql(f"DROP INDEX forgetting_{table}")


def withdraw_said(connection: Connection, files: Sequence[int]) -> None:
    """Take back all that files say of images and synsets; the images that lie in them stay."""
    claims.withdraw(connection, claims.by_files(connection, files))
    for some in chunks(files):
        for table in (t.annotation, t.url, t.mark, t.mask):
            connection.execute(delete(table).where(table.c.file_id.in_(some)))
        paths = select(t.file.c.path).where(t.file.c.id.in_(some))
        connection.execute(delete(t.credit).where(t.credit.c.origin.in_(paths)))
        boxed = connection.execute(select(t.box.c.image_id).distinct().where(t.box.c.file_id.in_(some))).scalars().all()
        connection.execute(delete(t.box).where(t.box.c.file_id.in_(some)))
        recount(connection, boxed)


def posted(connection: Connection, files: Sequence[int]) -> int:
    """The pages of a platform that have images which lie in files."""
    on = set(_pages(connection, files))
    posting = t.posting.c
    rows = connection.execute(select(posting.page_id, posting.crowd).distinct().where(posting.reference != HERE))
    return len(on & {tuple(row) for row in rows})


def unread(connection: Connection, files: Sequence[int]) -> int:
    """The pages of the site with images that lie in files, of which sheets came in that are not counted yet."""
    sheet, on = t.sheet.c, set(_pages(connection, files))
    counted = select(t.counted.c.sheet_id).where(t.counted.c.sheet_id == sheet.id).exists()
    rows = connection.execute(select(sheet.page, sheet.crowd).distinct().where(~counted))
    return len(on & {tuple(row) for row in rows})


def delete_files(connection: Connection, files: Sequence[int]) -> None:
    """Delete files, the images that lie in them, and all that was ever said of those.

    Audits that had such an image to draw are void: they are to be drawn again.
    """
    _void(connection, files)
    for page, crowd in _pages(connection, files):
        _delete_page(connection, page, crowd)
    for some in chunks(files):
        gone = _images(some)
        of = select(t.candidate.c.id).where(t.candidate.c.image_id.in_(gone))
        flags = select(t.flag.c.id).where(t.flag.c.candidate_id.in_(of))
        connection.execute(delete(t.flag_decision).where(t.flag_decision.c.flag_id.in_(flags)))
        asked = select(t.box_question.c.id).where(t.box_question.c.candidate_id.in_(of))
        for table in (t.drawing, t.box_answer, t.box_gold):
            connection.execute(delete(table).where(table.c.question_id.in_(asked)))
        for table in claims.SPOKEN:
            connection.execute(delete(table).where(table.c.candidate_id.in_(of)))
        about = t.candidate, t.near_duplicate, t.ungrouped, t.seen, t.fingerprint, t.annotation, t.url, t.box, t.mask
        for table in (*about, t.credit):
            connection.execute(delete(table).where(table.c.image_id.in_(gone)))
        connection.execute(delete(t.image).where(t.image.c.file_id.in_(some)))
    for some in chunks(files):
        connection.execute(delete(t.mark).where(t.mark.c.file_id.in_(some)))
        connection.execute(delete(t.file).where(t.file.c.id.in_(some)))
    near_duplicates.forget(connection)
    candidates.note_change(connection)


def delete_dataset(connection: Connection, name: str) -> None:
    """Delete a dataset that has no files."""
    connection.execute(delete(t.dataset).where(t.dataset.c.name == name))


def _images(files: Sequence[int]) -> Select[tuple[int]]:
    return select(t.image.c.id).where(t.image.c.file_id.in_(files))


def _candidates(connection: Connection, files: Sequence[int]) -> set[int]:
    asked = (select(t.candidate.c.id).where(t.candidate.c.image_id.in_(_images(some))) for some in chunks(files))
    return {number for one in asked for number in connection.execute(one).scalars()}


def _pages(connection: Connection, files: Sequence[int]) -> list[tuple[str, str]]:
    """The pages with candidates whose images lie in files, or with questions about the boxes of these, as (id,
    crowd)."""
    rows = connection.execute(select(t.page.c.id, t.page.c.crowd, t.page.c.tasks)).all()
    gone = _candidates(connection, files) if rows else set()
    asked = box_facts.about(connection, gone) if any(box_facts.is_of_boxes(row.crowd) for row in rows) else set()
    of = (asked if box_facts.is_of_boxes(row.crowd) else gone for row in rows)
    return [
        (row.id, row.crowd) for row, some in zip(rows, of, strict=True) if not some.isdisjoint(json.loads(row.tasks))
    ]


def _delete_page(connection: Connection, page: str, crowd: str) -> None:
    sheets = select(t.sheet.c.id).where(t.sheet.c.page == page, t.sheet.c.crowd == crowd)
    connection.execute(delete(t.counted).where(t.counted.c.sheet_id.in_(sheets)))
    for table in (t.sheet, t.lease):
        connection.execute(delete(table).where(table.c.page == page, table.c.crowd == crowd))
    connection.execute(delete(t.posting).where(t.posting.c.page_id == page, t.posting.c.crowd == crowd))
    connection.execute(delete(t.page).where(t.page.c.id == page, t.page.c.crowd == crowd))


def _void(connection: Connection, files: Sequence[int]) -> None:
    seeds = connection.execute(select(t.audit_draw.c.seed)).scalars().all()
    gone = _candidates(connection, files) if seeds else set()
    void = [seed for seed in seeds if not gone.isdisjoint(accepted_at(connection, seed).tolist())]
    connection.execute(update(t.audit).where(t.audit.c.seed.in_(void)).values(labels=None))
