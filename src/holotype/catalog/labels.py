"""Questions about labels: what is concluded of candidates, and by which policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    Connection,
    func,
    select,
    update,
)

from holotype.catalog import schema as t
from holotype.catalog.statements import add_rows, meta, meta_or_set

_POLICY: Final = "policy"


_ALARMS: Final = "alarms"


def put(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Draw conclusions: labels with ``candidate_id, state, posterior, policy, guard``, replacing those that differ.

    Returns how many candidates had another state before, where none is open.
    """
    table = t.label
    held = {row.candidate_id: row._mapping for row in connection.execute(select(table))}
    add_rows(connection, table, [row for row in rows if row["candidate_id"] not in held])
    for row in rows:
        if row["candidate_id"] in held and dict(held[row["candidate_id"]]) != row:
            connection.execute(update(table).where(table.c.candidate_id == row["candidate_id"]).values(**row))
    states = {number: str(row["state"]) for number, row in held.items()}
    return sum(states.get(row["candidate_id"], "open") != row["state"] for row in rows)


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """Number of candidates by ``(wnid, label state)``; ``open`` where nothing is concluded."""
    state = func.coalesce(t.label.c.state, "open")
    return {
        (wnid, found): count
        for wnid, found, count in connection.execute(
            select(t.candidate.c.wnid, state, func.count())
            .select_from(t.candidate)
            .outerjoin(t.label)
            .group_by(t.candidate.c.wnid, state)
        )
    }


def last_policy(connection: Connection) -> str | None:
    """The policy that labels were last drawn by; None before any was."""
    return meta(connection, _POLICY)


def alarms(connection: Connection) -> str | None:
    """What was said last of what the votes cannot tell; None before any labels were drawn."""
    return meta(connection, _ALARMS)


def set_last_policy(connection: Connection, policy: str, alarms: str) -> None:
    """Remember the policy that labels are drawn by: none of them need say so, where all are gold or overruled; and
    what the votes cannot tell."""
    for key, value in ((_POLICY, policy), (_ALARMS, alarms)):
        if meta_or_set(connection, key, value) != value:
            connection.execute(update(t.meta).where(t.meta.c.key == key).values(value=value))


def by_guard(connection: Connection) -> dict[str, int]:
    """Number of labels that each guard held back, the most first."""
    guard, number = t.label.c.guard, func.count().label("labels")
    rows = connection.execute(
        select(guard, number).where(guard.is_not(None)).group_by(guard).order_by(number.desc(), guard)
    )
    return {row.guard: row.labels for row in rows}


def by_policy(connection: Connection) -> dict[str, int]:
    """Number of labels that are not open by what they were drawn by, the most first."""
    policy, number = t.label.c.policy, func.count().label("labels")
    rows = connection.execute(
        select(policy, number).where(t.label.c.state != "open").group_by(policy).order_by(number.desc(), policy)
    )
    return {row.policy: row.labels for row in rows}
