"""Questions about credits: what was said beside images of their licence, author and address on the web."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select

from holotype.catalog import schema as t
from holotype.catalog.statements import add_rows, chunks


@dataclass(frozen=True, slots=True)
class Credit:
    """What was said beside an input of its image; "" where nothing was."""

    image_id: int
    origin: str
    licence: str
    author: str
    url: str


def add(connection: Connection, credits: Sequence[Credit], at: float) -> int:
    """Append credits that say something else than what was said last beside the same input; how many."""
    held = {(one.image_id, one.origin): one for one in said(connection, {one.image_id for one in credits})}
    new = {(one.image_id, one.origin): one for one in credits if held.get((one.image_id, one.origin)) != one}
    add_rows(connection, t.credit, [asdict(one) | {"at": at} for one in new.values()])
    return len(new)


def newest(connection: Connection, images: Iterable[int]) -> dict[int, Credit]:
    """The credit that counts of each image that has any."""
    return {one.image_id: one for one in said(connection, images)}


def said(connection: Connection, images: Iterable[int]) -> list[Credit]:
    """All that was said beside images, oldest first."""
    table = t.credit.c
    asked = select(table.image_id, table.origin, table.licence, table.author, table.url).order_by(table.id)
    rows = (connection.execute(asked.where(table.image_id.in_(chunk))) for chunk in chunks(images))
    return [Credit(*row) for some in rows for row in some]
