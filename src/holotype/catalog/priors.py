"""Questions about priors: the chance of a yes from before any vote."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import (
    Connection,
    select,
)

from holotype.catalog import schema as t
from holotype.catalog.statements import add_rows


def read(connection: Connection) -> dict[int, float]:
    """Candidate id to the chance of yes that was given last."""
    table = t.prior
    rows = connection.execute(select(table.c.candidate_id, table.c.chance).order_by(table.c.id))
    return {row.candidate_id: row.chance for row in rows}


def add(connection: Connection, chances: Mapping[int, float], source: str, at: float) -> int:
    """Append chances of yes by candidate id; how many are not what was given last."""
    held = read(connection)
    rows = [
        {"candidate_id": number, "chance": chance, "source": source, "at": at}
        for number, chance in chances.items()
        if held.get(number) != chance
    ]
    add_rows(connection, t.prior, rows)
    return len(rows)
