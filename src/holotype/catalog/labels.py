"""Questions about labels: what is concluded of candidates, and by which policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select, update

from holotype.catalog import schema as t
from holotype.catalog.candidates import imported, policy_id
from holotype.catalog.schema import STATES
from holotype.catalog.statements import meta, meta_or_set

_POLICY: Final = "policy"
_ALARMS: Final = "alarms"


def put(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Draw conclusions: labels with ``candidate_id, state, posterior, policy, guard``, replacing those that differ.

    Returns how many candidates had another state before.
    """
    table = t.candidate.c
    columns = table.id, table.state, table.posterior, table.policy_id, table.guard
    held = {number: said for number, *said in connection.execute(select(*columns).where(table.asked == 1))}
    policies = {name: policy_id(connection, name) for name in {row["policy"] for row in rows}}
    new = {
        row["candidate_id"]: [STATES.index(row["state"]), row["posterior"], policies[row["policy"]], row["guard"]]
        for row in rows
    }
    changed = [
        dict(zip(("number", "new_state", "new_posterior", "new_policy", "new_guard"), (number, *said), strict=True))
        for number, said in new.items()
        if held[number] != said
    ]
    if changed:
        values: dict[str, Any] = {
            "state": bindparam("new_state"),
            "posterior": bindparam("new_posterior"),
            "policy_id": bindparam("new_policy"),
            "guard": bindparam("new_guard"),
        }
        connection.execute(update(t.candidate).where(table.id == bindparam("number")).values(values), changed)
    return sum(held[number][0] != said[0] for number, said in new.items())


def counts(connection: Connection) -> dict[tuple[int, str, str], int]:
    """Number of candidates by ``(rank, wnid, state)``; the wnid is given only where the ontology lacks the synset."""
    table = t.candidate.c
    known = select(table.rank, table.state, func.count()).where(table.rank >= 0).group_by(table.rank, table.state)
    other = select(table.wnid, table.state, func.count()).where(table.rank < 0).group_by(table.wnid, table.state)
    found = {(rank, "", STATES[state]): count for rank, state, count in connection.execute(known)}
    return found | {(-1, wnid, STATES[state]): count for wnid, state, count in connection.execute(other)}


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
    """By dataset, the number of its labels, and of those that were put up again by the state they have now."""
    found = {dataset: {"labels": labelled} for dataset, labelled, _ in _imported(connection)}
    table = t.candidate.c
    asked = (
        select(t.dataset.c.name, table.state, func.count())
        .select_from(t.candidate)
        .join(t.file, t.file.c.id == table.labelled_by)
        .join(t.dataset, t.dataset.c.id == t.file.c.dataset_id)
        .where(table.asked == 1)
        .group_by(t.dataset.c.name, table.state)
    )
    for dataset, state, count in connection.execute(asked):
        found[dataset][STATES[state]] = count
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
