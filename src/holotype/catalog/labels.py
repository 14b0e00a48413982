"""Questions about labels: what is concluded of candidates, and by which policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    Connection,
    bindparam,
    func,
    insert,
    select,
    update,
)

from holotype.catalog import schema as t
from holotype.catalog.statements import ROWS, Names, meta, read_all, read_some, set_meta

_POLICY: Final = "policy"
_ALARMS: Final = "alarms"
_OPEN: Final = "open"

FEW: Final = 20_000
"""Labels up to which those held are looked up, and not all read."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels as columns, ``(labels,)`` each: candidate ids; posteriors; and places of the state, of what it was drawn
    by and of the guard that held it back, or None, among `states`, `policies` and `guards`."""

    candidate: npt.NDArray[np.int64]
    posterior: npt.NDArray[np.float64]
    state: npt.NDArray[np.integer]
    policy: npt.NDArray[np.integer]
    guard: npt.NDArray[np.integer]
    states: Sequence[str]
    policies: Sequence[str]
    guards: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.candidate)

    def take(self, chosen: npt.NDArray[Any]) -> Labels:
        """The chosen labels (a mask or indices)."""
        columns = {name: getattr(self, name)[chosen] for name in ("candidate", "posterior", "state", "policy", "guard")}
        return replace(self, **columns)

    def rows(self) -> Iterator[list[dict[str, Any]]]:
        """The rows of the table, `ROWS` at a time."""
        for start in range(0, len(self), ROWS):
            part = self.take(np.arange(start, min(start + ROWS, len(self))))
            columns = (
                part.candidate.tolist(),
                map(self.states.__getitem__, part.state.tolist()),
                part.posterior.tolist(),
                map(self.policies.__getitem__, part.policy.tolist()),
                map(self.guards.__getitem__, part.guard.tolist()),
            )
            yield [dict(zip(_NAMES, row, strict=True)) for row in zip(*columns, strict=True)]


_NAMES: Final = ("candidate_id", "state", "posterior", "policy", "guard")


def read(connection: Connection, candidates: Iterable[int] | None = None) -> Labels:
    """The labels of all candidates that have one, or of some; by candidate id."""
    table, states, policies, guards = t.label.c, Names(), Names(), Names()
    columns = table.candidate_id, table.posterior, table.state, table.policy, table.guard
    kinds = np.int64, np.float64, states, policies, guards
    if candidates is None:
        found = read_all(connection, select(*columns), table.candidate_id, *kinds)
    else:
        found = read_some(connection, select(*columns), table.candidate_id, candidates, *kinds)
    order = np.argsort(found[0], kind="stable")
    candidate, posterior, state, policy, guard = (column[order] for column in found)
    names = list(map(str, states)), list(map(str, policies)), list(guards)
    return Labels(candidate, posterior, state, policy, guard, *names)


def put(connection: Connection, labels: Labels) -> int:
    """Draw conclusions: labels, replacing those that differ.

    Returns how many candidates had another state before, where none is open.
    """
    held = read(connection, labels.candidate.tolist() if len(labels) <= FEW else None)
    at = np.minimum(np.searchsorted(held.candidate, labels.candidate), max(len(held) - 1, 0))
    known = held.candidate[at] == labels.candidate if len(held) else np.zeros(len(labels), bool)
    before = held.take(at[known])
    same = _places(before.state, held.states, labels.states) == labels.state[known]
    differs = ~same | (before.posterior != labels.posterior[known])
    for mine, theirs, of, among in (
        (labels.policy, before.policy, held.policies, labels.policies),
        (labels.guard, before.guard, held.guards, labels.guards),
    ):
        differs |= _places(theirs, of, among) != mine[known]
    for rows in labels.take(~known).rows():
        connection.execute(insert(t.label), rows)
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _NAMES[1:]}
    change = update(t.label).where(t.label.c.candidate_id == bindparam("of")).values(values)
    for rows in labels.take(np.flatnonzero(known)[differs]).rows():
        told = [{"of": row["candidate_id"], **{f"new_{name}": row[name] for name in _NAMES[1:]}} for row in rows]
        connection.execute(change, told)
    decided = np.array([state != _OPEN for state in labels.states], bool)
    return int((~same).sum() + decided[labels.state[~known]].sum())


def _places(
    column: npt.NDArray[np.integer], names: Sequence[str | None], among: Sequence[str | None]
) -> npt.NDArray[Any]:
    """The places of names among others; -1 for those that are not there."""
    place = {name: number for number, name in enumerate(among)}
    return np.array([place.get(name, -1) for name in names], np.int64)[column] if len(names) else np.zeros(0, np.int64)


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
        set_meta(connection, key, value)


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
