"""Facts that several rooms read and append: questions, votes, gold, rulings, and all that labels follow from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Table

from holotype.catalog import Catalog, candidates, corrections, labels, priors, schema, votes, workers
from holotype.consensus.votes import Answer, Ruling, Statement, Task, Vote
from holotype.crowd.alarms import Alarm
from holotype.crowd.campaign import Tally
from holotype.errors import CrowdError
from holotype.ontology import Ontology


def read_tasks(connection: Connection) -> list[Task]:
    """Every question there is to ask, in ontology order."""
    return [Task(row.id, row.wnid, row.sha256) for row in candidates.tasks(connection)]


def read_votes(connection: Connection) -> list[Vote]:
    """Every vote cast, oldest first; those of blocked workers too."""
    held = votes.read(connection)
    columns = zip(
        held.candidate.tolist(),
        held.worker,
        map(tuple(Answer).__getitem__, held.answer.tolist()),
        held.page,
        held.seconds.tolist(),
        held.at.tolist(),
        held.round.tolist(),
        strict=True,
    )
    return [Vote(*row) for row in columns]


def read_gold(connection: Connection) -> dict[Task, bool]:
    """Every candidate whose answer is known for sure, in ontology order, with whether it is yes."""
    return {
        Task(said.candidate, said.wnid, said.sha256): said.answer == Answer.YES
        for said in corrections.newest(connection, schema.gold)
        if said.answer is not None
    }


def read_rulings(connection: Connection) -> dict[int, Ruling]:
    """What curators say of labels, by candidate id."""
    said = corrections.newest(connection, schema.overruling)
    return {one.candidate: Ruling(one.answer == Answer.YES, one.by) for one in said if one.answer is not None}


def read_statements(connection: Connection, table: Table) -> list[Statement]:
    """All that was ever said in a table of statements, by candidate in ontology order, oldest first."""
    return [
        Statement(
            said.sha256,
            said.wnid,
            None if said.answer is None else Answer(said.answer),
            said.by,
            said.reason,
            said.at,
        )
        for said in corrections.history(connection, table)
    ]


def candidate_numbers(
    connection: Connection, pairs: Iterable[tuple[str, str]], what: str
) -> dict[tuple[str, str], int]:
    """Candidate ids by (image, wnid), an image by its sha256 or its name in its dataset.

    Raises `CrowdError` where one of `pairs` is no candidate.
    """
    number = candidates.numbers(connection, pairs := list(pairs))
    if missing := [pair for pair in pairs if pair not in number]:
        first = " for ".join(missing[0])
        raise CrowdError(f"{len(missing):,} {what} are of no candidate, the first is {first}")
    return number


def read_tally(connection: Connection) -> Tally:
    """All that labels follow from."""
    gold = {task.number: yes for task, yes in read_gold(connection).items()}
    blocked, chances = workers.blocked(connection), priors.read(connection)
    found = candidates.sources(connection)
    return Tally(
        read_tasks(connection), read_votes(connection), gold, blocked, chances, read_rulings(connection), found
    )


def read_alarms(connection: Connection) -> tuple[Alarm, ...]:
    """What the votes cannot tell, as it was found when labels were drawn last."""
    return tuple(Alarm(**alarm) for alarm in json.loads(labels.alarms(connection) or "[]"))


def as_answer(yes: bool | None) -> int | None:
    """An answer as it is kept."""
    return None if yes is None else int(Answer.YES if yes else Answer.NO)


def record_votes(catalog: Catalog, cast: Sequence[Vote]) -> None:
    """Append votes, in one transaction: they are durable when this returns."""
    rows = [
        {
            "candidate_id": vote.task,
            "worker": vote.worker,
            "answer": int(vote.answer),
            "page": vote.page,
            "seconds": vote.seconds,
            "at": vote.at,
            "round": vote.round,
        }
        for vote in cast
    ]
    catalog.transact(lambda connection: votes.add(connection, rows))


def lend(connection: Connection, ontology: Ontology, found: Sequence[tuple[str, Task]], source: str) -> None:
    """Make the images of tasks candidates of other synsets, by wnid, with the provenance they have."""
    lent = [task.number for _, task in found]
    seen, images = candidates.sightings(connection, lent), candidates.origins(connection, lent)
    sightings = []
    for wnid, task in found:
        image, first = images[task.number], seen.get(task.number, [None])[0]
        origin, licence = (f"{image.dataset}/{image.name}", "") if first is None else (first.origin, first.licence)
        about = ontology.rank(wnid), image.image_id, origin, source, task.wnid, 0, licence
        sightings.append(candidates.Sighting(wnid, *about))
    candidates.add_sightings(connection, sightings)


def check_reason(reason: str) -> None:
    """Raises `CrowdError` for a correction without a reason."""
    if not reason.strip():
        raise CrowdError("a correction needs a reason")
