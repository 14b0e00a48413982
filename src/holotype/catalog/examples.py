"""Questions about public examples: gold that is shown to workers, and asked of nobody."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from sqlalchemy import ColumnElement, Connection, and_, select

from holotype.catalog import schema as t
from holotype.catalog.corrections import standing
from holotype.catalog.statements import add_rows, chunks


def public(connection: Connection, wnids: Iterable[str] | None = None) -> list[int]:
    """The ids of the candidates that are shown as examples and are gold still; of all synsets, or of some."""
    table = t.example.c
    asked = select(table.candidate_id).where(_is_newest(), table.shown == 1, table.candidate_id.in_(standing(t.gold)))
    asked = asked.order_by(table.candidate_id)
    if wnids is None:
        return list(connection.execute(asked).scalars())
    joined = asked.join(t.candidate, t.candidate.c.id == table.candidate_id)
    parts = (connection.execute(joined.where(t.candidate.c.wnid.in_(chunk))) for chunk in chunks(wnids))
    return [number for part in parts for number in part.scalars()]


def unaskable(connection: Connection) -> set[int]:
    """The ids of all candidates of images that are shown as examples, be it for another synset."""
    if not (shown := public(connection)):
        return set()
    candidate, other = t.candidate.c, t.candidate.alias().c
    asked = select(other.id).join(t.candidate, candidate.image_id == other.image_id)
    parts = (connection.execute(asked.where(candidate.id.in_(chunk))) for chunk in chunks(shown))
    return {number for part in parts for number in part.scalars()}


def say(connection: Connection, candidates: Iterable[int], shown: bool, by: str, at: float) -> int:
    """Say that candidates are shown as examples from now on, or are not; of how many that is new.

    Two who say something of a candidate at once are an IntegrityError for one of them, who does it again.
    """
    table = t.example.c
    asked = list(dict.fromkeys(candidates))
    held = {
        row.candidate_id: row
        for chunk in chunks(asked)
        for row in connection.execute(select(t.example).where(_is_newest(), table.candidate_id.in_(chunk)))
    }
    rows = [
        {"candidate_id": one, "number": held[one].number + 1 if one in held else 1, "shown": int(shown)}
        for one in asked
        if (one in held and bool(held[one].shown)) != shown
    ]
    add_rows(connection, t.example, [row | {"by": by, "at": at} for row in rows])
    return len(rows)


@cache
def _is_newest() -> ColumnElement[bool]:
    other = t.example.alias()
    later = and_(other.c.candidate_id == t.example.c.candidate_id, other.c.number > t.example.c.number)
    return ~select(other.c.number).where(later).exists()
