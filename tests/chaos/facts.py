"""What must be the same of a project, however often it was interrupted on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

import holotype
from holotype.catalog import schema as t

COMINGS = frozenset({"lease", "evaluation_start", "campaign_event", "learned", "meta", "page", "posting"})
"""Tables whose numbers of rows tell how often something was begun."""


def facts_of(project: Path, but: Collection[str] = COMINGS) -> dict[str, Any]:
    """Rows of each table, and digests of what was taken in, asked, answered, concluded and released."""
    with holotype.open(project) as db, db.catalog.read() as connection:
        counts = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in t.metadata.sorted_tables
            if table.name not in but
        }
        return {
            "rows": counts,
            "intake": _digest(connection, t.intake.c.origin, t.intake.c.outcome, t.intake.c.reason),
            "images": _digest(connection, t.image.c.name, t.image.c.boxes, t.image.c.assigned, t.image.c.length),
            "candidates": _candidates(connection),
            "votes": _votes(connection),
            "releases": db.releases.checksums(),
        }


def checked(project: Path) -> dict[str, Any]:
    """What `catalog check` finds, with what is left over."""
    with holotype.open(project) as db:
        report = db.check()
    return {
        "problems": [f"{one.check}: {one.said}" for one in report.problems],
        "left": [one.check for one in report.leftovers],
    }


def _candidates(connection: Connection) -> str:
    joined = t.candidate.join(t.image).outerjoin(t.policy)
    columns = t.image.c.name, t.candidate.c.wnid, t.candidate.c.state, t.candidate.c.asked, t.policy.c.name
    return _told(connection.execute(select(*columns).select_from(joined)))


def _votes(connection: Connection) -> str:
    joined = t.vote.join(t.worker).join(t.candidate).join(t.image)
    columns = t.image.c.name, t.candidate.c.wnid, t.worker.c.name, t.vote.c.answer
    return _told(connection.execute(select(*columns).select_from(joined)))


def _digest(connection: Connection, *columns: Any) -> str:
    return _told(connection.execute(select(*columns)))


def _told(rows: Any) -> str:
    lines = sorted(repr(tuple(row)) for row in rows)
    return f"{len(lines)} {hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:16]}"
