"""The candidates whose boxes may be asked about, and those of whose boxes nothing is concluded any more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, func, or_, select

from holotype.catalog import removals
from holotype.catalog import schema as t
from holotype.catalog.candidates import changes
from holotype.catalog.images import is_sound
from holotype.catalog.statements import some_rows


class Subject(NamedTuple):
    """A candidate whose image can be seen, of so many upright pixels."""

    candidate: int
    wnid: str
    sha256: str
    width: int
    height: int


def subjects(connection: Connection, candidates: Iterable[int] | None = None) -> list[Subject]:
    """The candidates that have questions about boxes, or some, but for those whose image cannot be seen: it was not
    read or is not sound, or is withdrawn or asked to be taken down."""
    candidate, read = t.candidate.c, t.fingerprint.c
    joined = t.candidate.join(t.fingerprint, read.image_id == candidate.image_id)
    columns = candidate.id, candidate.wnid, read.sha256, read.width, read.height
    gone = removals.hidden_images()
    asked = select(*columns).select_from(joined).where(is_sound(), candidate.state != t.WITHDRAWN)
    asked = asked.where(candidate.image_id.not_in(gone))
    if candidates is None:
        asked = asked.where(candidate.id.in_(select(t.box_question.c.candidate_id)))
    return [Subject(*row) for row in some_rows(connection, asked, candidate.id, candidates)]


def sights(connection: Connection) -> tuple[int, ...]:
    """What changes whenever an image is withdrawn or asked to be taken down, or is not any more, or is forgotten."""
    said = (
        select(func.count()).select_from(table).scalar_subquery()
        for table in (t.withdrawal, t.removal, t.removal_decision)
    )
    return *connection.execute(select(*said)).one(), changes(connection)


def labelled_yes(connection: Connection, candidates: Iterable[int]) -> set[int]:
    """Those of some candidates that are labelled yes: where the label is another, no box is concluded."""
    candidate = t.candidate.c
    asked = select(candidate.id).where(candidate.state == t.STATES.index("yes"))
    return {row.id for row in some_rows(connection, asked, candidate.id, candidates)}


def fallen(connection: Connection) -> list[int]:
    """The candidates of which something is concluded, and that have no boxes any more: they are not labelled yes now,
    or their image is not to be seen."""
    candidate = t.candidate.c
    gone = or_(candidate.state != t.STATES.index("yes"), candidate.image_id.in_(removals.hidden_images()))
    asked = select(candidate.id).select_from(t.coverage.join(t.candidate)).where(gone)
    return list(connection.execute(asked).scalars())


def archived(connection: Connection, candidates: Iterable[int]) -> set[int]:
    """Those of some candidates that archives or annotators gave boxes to."""
    candidate, box = t.candidate.c, t.box.c
    given = select(box.id).where(box.image_id == candidate.image_id, box.wnid == candidate.wnid)
    asked = select(candidate.id).where(given.where(box.drawing_id.is_(None)).exists())
    return {row.id for row in some_rows(connection, asked, candidate.id, candidates)}


def sizes(connection: Connection, candidates: Iterable[int]) -> dict[int, Subject]:
    """Candidates whose image was read, by id, whether it can be seen or not."""
    candidate, read = t.candidate.c, t.fingerprint.c
    joined = t.candidate.join(t.fingerprint, read.image_id == candidate.image_id)
    asked = select(candidate.id, candidate.wnid, read.sha256, read.width, read.height).select_from(joined)
    return {row[0]: Subject(*row) for row in some_rows(connection, asked, candidate.id, candidates)}
