"""Questions about labels: what is concluded of candidates, and by which policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, bindparam, case, func, literal, select, update

from holotype.catalog import schema as t
from holotype.catalog import withdrawals
from holotype.catalog.candidates import LACKING, RANKS, imported, policy_id
from holotype.catalog.images import is_sound
from holotype.catalog.schema import STATES, WITHDRAWN
from holotype.catalog.statements import ROWS, Names, meta, read_all, read_some, set_meta

_POLICY: Final = "policy"
_ALARMS: Final = "alarms"

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


def read(connection: Connection, candidates: Iterable[int] | None = None) -> Labels:
    """What was concluded of all candidates that are asked about, or of some; by candidate id. Of withdrawn images
    nothing is."""
    held = _held(connection, candidates)
    drawn = (held.policy > 0) & (held.state != WITHDRAWN)
    used, policy = np.unique(held.policy[drawn], return_inverse=True)
    names = dict(map(tuple, connection.execute(select(t.policy.c.id, t.policy.c.name))))
    policies = [names[number] for number in used.tolist()]
    candidate, posterior, state, guard = (
        getattr(held, name)[drawn] for name in ("candidate", "posterior", "state", "guard")
    )
    return Labels(candidate, posterior, state, policy, guard, STATES[:WITHDRAWN], policies, held.guards)


def drawn(connection: Connection) -> int:
    """How many labels `read` has of all candidates."""
    table = t.candidate.c
    question = select(func.count()).where(table.asked == 1, table.policy_id > 0, table.state != WITHDRAWN)
    return int(connection.execute(question).scalar_one())


@dataclass(frozen=True, slots=True)
class _Held:
    """Labels as they are kept, by candidate id: states by their numbers, policies by their ids, 0 where none drew."""

    candidate: npt.NDArray[np.int64]
    posterior: npt.NDArray[np.float64]
    state: npt.NDArray[np.int64]
    policy: npt.NDArray[np.int64]
    guard: npt.NDArray[np.integer]
    guards: Sequence[str | None]


def _held(connection: Connection, candidates: Iterable[int] | None) -> _Held:
    table, guards = t.candidate.c, Names()
    posterior, policy = func.coalesce(table.posterior, -1.0), func.coalesce(table.policy_id, 0)
    question = select(table.id, posterior, table.state, policy, table.guard).where(table.asked == 1)
    kinds = np.int64, np.float64, np.int64, np.int64, guards
    if candidates is None:
        found = read_all(connection, question, table.rank, *kinds, step=RANKS)  # there is an index of asked ones
    else:
        found = read_some(connection, question, table.id, candidates, *kinds)
    order = np.argsort(found[0], kind="stable")
    candidate, drawn, state, by, guard = (column[order] for column in found)
    return _Held(candidate, drawn, state, by, guard, list(guards))


def put(connection: Connection, labels: Labels) -> int:
    """Draw conclusions of candidates that are asked about, where they differ from what was concluded before.

    Returns how many candidates had another state before.
    """
    held = _held(connection, labels.candidate.tolist() if len(labels) <= FEW else None)
    at = np.searchsorted(held.candidate, labels.candidate)
    ids = np.array([policy_id(connection, name) for name in labels.policies], np.int64)
    state = np.array([STATES.index(name) for name in labels.states], np.int64)[labels.state]
    policy = ids[labels.policy] if len(ids) else np.zeros(0, np.int64)
    same = held.state[at] == state
    differs = ~same | (held.posterior[at] != labels.posterior) | (held.policy[at] != policy)
    differs |= _places(held.guard[at], held.guards, labels.guards) != labels.guard
    changed = np.flatnonzero(differs)
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _COLUMNS}
    change = update(t.candidate).where(t.candidate.c.id == bindparam("of")).values(values)
    for start in range(0, len(changed), ROWS):
        some = changed[start : start + ROWS]
        guards = map(labels.guards.__getitem__, labels.guard[some].tolist())
        columns = (column[some].tolist() for column in (labels.candidate, state, labels.posterior, policy))
        names = ("of", *(f"new_{name}" for name in _COLUMNS))
        connection.execute(change, [dict(zip(names, row, strict=True)) for row in zip(*columns, guards, strict=True)])
    withdrawals.hold(connection)
    return int((~same).sum())


_COLUMNS: Final = ("state", "posterior", "policy_id", "guard")


def _places(
    column: npt.NDArray[np.integer], names: Sequence[str | None], among: Sequence[str | None]
) -> npt.NDArray[Any]:
    """The places of names among others; -1 for those that are not there."""
    place = {name: number for number, name in enumerate(among)}
    return np.array([place.get(name, -1) for name in names], np.int64)[column] if len(names) else np.zeros(0, np.int64)


def counts(connection: Connection) -> dict[tuple[int, str, str], int]:
    """Number of candidates by ``(rank, wnid, state)``; the wnid is given only where the ontology lacks the synset."""
    table = t.candidate.c
    known = select(table.rank, table.state, func.count()).where(table.rank >= 0).group_by(table.rank, table.state)
    other = select(table.wnid, table.state, func.count()).where(table.rank == LACKING).group_by(table.wnid, table.state)
    found = {(rank, "", STATES[state]): count for rank, state, count in connection.execute(known)}
    return found | {(-1, wnid, STATES[state]): count for wnid, state, count in connection.execute(other)}


def asked_counts(connection: Connection) -> dict[tuple[int, str], int]:
    """Number of candidates that are asked about, and whose images can be seen, by ``(rank, state)``."""
    table, read = t.candidate.c, t.fingerprint.c
    state = (table.state + 0).label("state")  # grouped by columns of an index, SQLite would look at all candidates
    seen = t.candidate.join(t.fingerprint, read.image_id == table.image_id)
    question = select(table.rank, state, func.count()).select_from(seen)
    rows = connection.execute(question.where(table.asked == 1, table.rank >= 0, is_sound()).group_by(table.rank, state))
    return {(rank, STATES[state]): count for rank, state, count in rows}


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
    table, number = t.candidate.c, func.count().label("labels")
    rows = connection.execute(
        select(table.guard, number)
        .where(table.asked == 1, table.guard.is_not(None))
        .group_by(table.guard)
        .order_by(number.desc(), table.guard)
    )
    return {row.guard: row.labels for row in rows}


def by_policy(connection: Connection) -> dict[str, int]:
    """Number of labels that are not open by what they were drawn by, the most first."""
    table, policy = t.candidate.c, t.policy.c
    asked = (
        select(policy.name, func.count())
        .join(t.candidate, table.policy_id == policy.id)
        .where(table.asked == 1, table.state != STATES.index("open"))
        .group_by(policy.name)
    )
    found: dict[str, int] = dict(map(tuple, connection.execute(asked)))
    for dataset, labelled, questioned in _imported(connection):
        if labelled > questioned:
            found[imported(dataset)] = found.get(imported(dataset), 0) + labelled - questioned
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def by_state(connection: Connection, prefix: str) -> dict[tuple[str, str], int]:
    """Number of labels by policy and state, of the policies that begin with `prefix`."""
    table, policy = t.candidate.c, t.policy.c
    rows = connection.execute(
        select(policy.name, table.state, func.count())
        .join(t.candidate, table.policy_id == policy.id)
        .where(policy.name.startswith(prefix, autoescape=True), table.asked == 1)
        .group_by(policy.name, table.state)
    )
    return {(name, STATES[state]): count for name, state, count in rows}


def agreement(connection: Connection) -> dict[str, dict[str, int]]:
    """By dataset, the number of its labels, and of those that were put up again by the state they have now.

    One is open there for as long as nothing but the dataset has decided it.
    """
    found = {dataset: {"labels": labelled} for dataset, labelled, _ in _imported(connection)}
    table, policy = t.candidate.c, t.policy.c
    own = policy.name == literal("imported:").concat(t.dataset.c.name)
    state = case((own, STATES.index("open")), else_=table.state).label("now")
    asked = (
        select(t.dataset.c.name, state, func.count())
        .select_from(t.candidate)
        .outerjoin(t.policy, policy.id == table.policy_id)
        .join(t.file, t.file.c.id == table.labelled_by)
        .join(t.dataset, t.dataset.c.id == t.file.c.dataset_id)
        .where(table.asked == 1)
        .group_by(t.dataset.c.name, "now")
    )
    for dataset, number, count in connection.execute(asked):
        found[dataset][STATES[number]] = count
    return found


def _imported(connection: Connection) -> list[tuple[str, int, int]]:
    """Datasets with the number of labels that came with them, and of those that are asked about."""
    image, table = t.image.c, t.candidate.c
    labelled = (
        select(image.dataset_id, func.count())
        .where(image.dataset_id != t.OWN, image.assigned == t.LABELLED)
        .group_by(image.dataset_id)
    )
    questioned = (
        select(t.file.c.dataset_id, func.count())
        .join(t.candidate, table.labelled_by == t.file.c.id)
        .where(table.asked == 1)
        .group_by(t.file.c.dataset_id)
    )
    names = {row.id: row.name for row in connection.execute(select(t.dataset))}
    asked: dict[int, int] = dict(map(tuple, connection.execute(questioned)))
    return [(names[number], int(count), asked.get(number, 0)) for number, count in connection.execute(labelled)]
