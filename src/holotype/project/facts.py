"""Facts that several rooms read and append: questions, votes, gold, rulings, and all that labels follow from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, Table

from holotype.catalog import (
    Catalog,
    candidates,
    corrections,
    examples,
    labels,
    priors,
    schema,
    sightings,
    votes,
    workers,
)
from holotype.consensus.ballot import Floats, Ints
from holotype.consensus.votes import Answer, Ruling, Statement, Task, Vote
from holotype.crowd.alarms import Alarm
from holotype.crowd.cast import gathered
from holotype.crowd.columns import Chances, Known, Sightings, Tasks, Votes
from holotype.crowd.layers import Layer
from holotype.crowd.tally import Tally
from holotype.errors import CrowdError
from holotype.ontology import Ontology


class CatalogImages:
    """The images of tasks, as the catalog knows them."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def digests(self, numbers: Ints) -> list[str]:
        """The sha256 of each task's image, by the tasks' numbers."""
        with self._catalog.read() as connection:
            return candidates.digests(connection, numbers.tolist())


def read_tasks(connection: Connection) -> list[Task]:
    """Every question there is to ask, in ontology order."""
    held = candidates.tasks(connection)
    numbers = held.candidate.tolist()
    digests = candidates.digests(connection, numbers)
    synsets = map(held.wnids.__getitem__, held.synset.tolist())
    return [Task(*row) for row in zip(numbers, synsets, digests, strict=True)]


def read_votes(connection: Connection) -> list[Vote]:
    """Every vote cast, oldest first; those of blocked workers too."""
    held, sheets = votes.read(connection), votes.read_sheets(connection)
    columns = zip(
        held.candidate.tolist(),
        map(held.workers.__getitem__, held.worker.tolist()),
        map(tuple(Answer).__getitem__, held.answer.tolist()),
        map(sheets.pages.__getitem__, sheets.page.tolist()),
        sheets.seconds.tolist(),
        sheets.at.tolist(),
        held.round.tolist(),
        strict=True,
    )
    return [Vote(*row) for row in columns]


def read_gold(connection: Connection, numbers: Iterable[int] | None = None) -> dict[Task, bool]:
    """Every candidate whose answer is known for sure, or those of some, in ontology order, with whether it is yes."""
    return {
        Task(said.candidate, said.wnid, said.sha256): said.answer == Answer.YES
        for said in corrections.newest(connection, schema.gold, numbers)
        if said.answer is not None
    }


def read_rulings(connection: Connection, numbers: Iterable[int] | None = None) -> dict[int, Ruling]:
    """What curators say of labels, by candidate id; of all, or of some."""
    said = corrections.newest(connection, schema.overruling, numbers)
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


def read_tally(
    connection: Connection, catalog: Catalog, numbers: Sequence[int] | None = None, timed: bool = False
) -> Tally:
    """All that labels follow from, or what those of some candidates do.

    With `timed` the votes have their seconds and times, which labels do not follow from; of all candidates only.
    """
    return _tally(connection, catalog, candidates.tasks(connection, numbers), numbers, (), timed)


def read_layer(connection: Connection, catalog: Catalog, layer: Layer, timed: bool = False) -> Tally:
    """All that the labels of a layer follow from; with `timed` all votes on what it hears of, with their times."""
    tasks = _gathered(connection, layer)
    few = layer.ranges is not None and len(tasks.candidate) <= candidates.FEW and not timed
    return _tally(
        connection, catalog, tasks, tasks.candidate.tolist() if few else None, () if timed else layer.taken, timed
    )


def _gathered(connection: Connection, layer: Layer) -> candidates.Tasks:
    """What a layer hears of, of which memory holds a part where it is much."""
    wnids: list[str] = []

    def columns(part: candidates.Tasks) -> tuple[Ints, ...]:
        before = len(wnids)
        wnids.extend(part.wnids)
        return part.candidate, part.image, part.synset + before

    found = map(columns, candidates.task_parts(connection, layer.ranges))
    number, image, synset = gathered(found, 3)
    return candidates.Tasks(number, image, synset, wnids)


def read_part(connection: Connection, catalog: Catalog, tasks: candidates.Tasks) -> Tally:
    """All that the labels of some tasks follow from, without anything of others."""
    return _tally(connection, catalog, tasks, tasks.candidate.tolist(), (), False)


def _tally(
    connection: Connection,
    catalog: Catalog,
    tasks: candidates.Tasks,
    numbers: Sequence[int] | None,
    until: votes.Until,
    timed: bool,
) -> Tally:
    chances, found = priors.read(connection, numbers), sightings.sources(connection, numbers)
    known = Known(
        read_gold(connection, numbers),
        workers.blocked(connection).keys(),
        Chances(chances.candidate, chances.chance),
        read_rulings(connection, numbers),
        Sightings(found.candidate, found.source, found.names),
        frozenset(examples.unaskable(connection)),
    )
    asked = Tasks(tasks.candidate, tasks.synset, tasks.image, tasks.wnids)
    return Tally(asked, _cast(connection, numbers, until, timed), known, CatalogImages(catalog))


def _cast(
    connection: Connection, numbers: Sequence[int] | None, until: votes.Until, timed: bool
) -> Votes | Iterator[Votes]:
    """Votes on all candidates, part by part, or on some; with their times all at once."""
    if numbers is None and not timed:
        return (_columns(part) for part in votes.read_parts(connection, until))
    held = votes.read(connection, candidates=numbers, until=until)
    return _columns(held, *votes.read_times(connection)) if timed else _columns(held)


def _columns(held: votes.Votes, seconds: Floats | None = None, at: Floats | None = None) -> Votes:
    return Votes(held.candidate, held.worker, held.answer, held.round, held.workers, seconds, at)


def read_alarms(connection: Connection) -> tuple[Alarm, ...]:
    """What the votes cannot tell, as it was found when labels were drawn last."""
    told = json.loads(labels.alarms(connection) or "[]")
    return tuple(dict.fromkeys(Alarm(alarm["code"], alarm["message"], alarm["remedy"]) for alarm in told))


def as_answer(yes: bool | None) -> int | None:
    """An answer as it is kept."""
    return None if yes is None else int(Answer.YES if yes else Answer.NO)


def record_votes(catalog: Catalog, cast: Sequence[Vote]) -> int:
    """Append votes, in one transaction: they are durable when this returns how many were new."""
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
    return catalog.transact(lambda connection: votes.add(connection, rows))


def lend(connection: Connection, ontology: Ontology, found: Sequence[tuple[str, Task]], source: str) -> None:
    """Make the images of tasks candidates of other synsets, by wnid, with the provenance they have."""
    lent = sorted({task.number for _, task in found})
    seen, images = sightings.of(connection, lent), candidates.origins(connection, lent)
    made = []
    for wnid, task in found:
        image, first = images[task.number], seen.get(task.number, [None])[0]
        origin, licence = (f"{image.dataset}/{image.name}", "") if first is None else (first.origin, first.licence)
        about = ontology.rank(wnid), image.image_id, origin, source, task.wnid, 0, licence
        made.append(sightings.Sighting(wnid, *about))
    sightings.add(connection, made)


def check_reason(reason: str) -> None:
    """Raises `CrowdError` for a correction without a reason."""
    if not reason.strip():
        raise CrowdError("a correction needs a reason")


def person(name: str, what: str) -> str:
    """A person's name as it is kept. Raises `CrowdError` for one that is empty or cannot be printed."""
    kept = name.strip()
    if not kept or not kept.isprintable():
        raise CrowdError(f"{what} needs a name that can be printed, not {name!r}")
    return kept
