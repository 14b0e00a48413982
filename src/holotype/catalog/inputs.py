"""Questions about inputs: what became of the files that came in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import Column, ColumnElement, Connection, and_, func, select, true
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from holotype.catalog import schema as t

OUTCOMES: Final = ("kept", "duplicate", "rejected")
Columns: TypeAlias = ReadOnlyColumnCollection[str, Column[Any]]
UNASSIGNED: Final = "unassigned"
"""What inputs are that were kept, and whose images are candidates for nothing."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An input that came in, and what became of it.

    `file` is its path below the folder that was taken in, `origin` the one from the root of the disk on, or a URL.
    `sha256` is "" for what was rejected; `duplicate_of` is the file that brought a duplicate's bytes first, "" for
    any other input. `at` is Unix time.
    """

    outcome: str
    file: str
    origin: str
    reason: str
    detail: str
    sha256: str
    duplicate_of: str
    at: float


def taken(connection: Connection, what: str = "") -> Iterator[Taken]:
    """Inputs in the order they came in: of an outcome, the unassigned ones, or all."""
    one, image, first = t.intake.c, t.image.c, t.intake.alias("first").c
    brought = (
        select(path_of(first))
        .where(first.image_id == one.image_id)
        .order_by(first.outcome != "kept", first.id)
        .limit(1)
    )
    same = brought.scalar_subquery()
    columns = one.outcome, path_of(one), one.origin, one.reason, one.detail, func.coalesce(image.name, ""), one.at
    asked = select(*columns, func.coalesce(same, "")).select_from(t.intake.outerjoin(t.image, image.id == one.image_id))
    wanted = {UNASSIGNED: and_(one.outcome == "kept", image.assigned == 0), "": true()}.get(what, one.outcome == what)
    rows = connection.execute(asked.where(wanted).order_by(one.id), execution_options={"yield_per": 10_000})
    for outcome, file, origin, reason, detail, sha256, at, held in rows:
        about = sha256, held if outcome == "duplicate" else "", at
        yield Taken(outcome, file, origin, reason, detail, *about)


def path_of(intake: Columns) -> ColumnElement[str]:
    """The path of an input below the folder that was taken in."""
    return func.trim(intake["folder"].concat("/").concat(intake["name"]), "/")
