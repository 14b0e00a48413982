"""Questions about sightings: where candidates were found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, literal, select

from holotype.catalog import candidates
from holotype.catalog import schema as t
from holotype.catalog.candidates import RANKS
from holotype.catalog.statements import Names, add_rows, chunks, read_all, read_some


@dataclass(frozen=True, slots=True)
class Sighting:
    """One place where an image was found for a synset; `position` counts search results from 1, 0 if not a search."""

    wnid: str
    rank: int
    image_id: int
    origin: str
    source: str
    query: str
    position: int
    licence: str


def add(connection: Connection, sightings: Sequence[Sighting]) -> int:
    """Append sightings, with a candidate for every new (synset, image); those already known are skipped.

    All of these candidates are to be asked about from now on. Returns how many were not before.
    """
    pairs = {(row.wnid, row.image_id): row.rank for row in sightings}
    known = candidates.ids(connection, pairs)
    fresh = [(wnid, image, rank) for (wnid, image), rank in pairs.items() if (wnid, image) not in known]
    asked = candidates.ask(connection, known.values()) + len(fresh)
    if fresh:
        candidates.add(connection, fresh)
        known = candidates.ids(connection, pairs)
    table = t.sighting
    seen = {
        tuple(row)
        for chunk in chunks(known.values())
        for row in connection.execute(
            select(table.c.candidate_id, table.c.origin, table.c.source, table.c.query).where(
                table.c.candidate_id.in_(chunk)
            )
        )
    }
    rows = {}
    for row in sightings:
        key = (known[row.wnid, row.image_id], row.origin, row.source, row.query)
        if key not in seen:
            rows[key] = dict(
                zip(("candidate_id", "origin", "source", "query"), key, strict=True),
                position=row.position,
                licence=row.licence,
            )
    add_rows(connection, table, list(rows.values()))
    return asked


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a sighting says of a candidate: see `Sighting`."""

    candidate_id: int
    origin: str
    source: str
    query: str
    position: int
    licence: str


def of(connection: Connection, numbers: Iterable[int]) -> dict[int, list[Provenance]]:
    """Provenance of candidates, in order of sighting, by candidate id."""
    table = t.sighting.c
    columns = table.candidate_id, table.origin, table.source, table.query, table.position, table.licence
    found: dict[int, list[Provenance]] = {}
    for chunk in chunks(numbers):
        rows = connection.execute(select(*columns).where(table.candidate_id.in_(chunk)).order_by(table.id))
        for row in rows:
            found.setdefault(row.candidate_id, []).append(Provenance(*row))
    return found


@dataclass(frozen=True, slots=True)
class Sources:
    """Where candidates were found, each pair once, by candidate: candidate ids and places among `names`."""

    candidate: npt.NDArray[np.int64]
    source: npt.NDArray[np.int64]
    names: list[str]


def sources(connection: Connection, numbers: Iterable[int] | None = None) -> Sources:
    """The sources of every candidate that is asked about, or of some; a dataset is the source of what it labels."""
    seen, candidate, names = t.sighting.c, t.candidate.c, Names()
    sighted = select(seen.candidate_id, seen.source).order_by(seen.candidate_id)
    labelled = (
        select(candidate.id, literal("imported:").concat(t.dataset.c.name))
        .join(t.file, t.file.c.id == candidate.labelled_by)
        .join(t.dataset, t.dataset.c.id == t.file.c.dataset_id)
        .where(candidate.asked == 1)
    )
    if numbers is None:
        parts = [read_all(connection, sighted, seen.candidate_id, np.int64, names)]
        parts.append(read_all(connection, labelled, candidate.rank, np.int64, names, step=RANKS))
    else:
        numbers, asked = list(numbers), [(sighted, seen.candidate_id), (labelled, candidate.id)]
        parts = [read_some(connection, question, key, numbers, np.int64, names) for question, key in asked]
    number, source = (np.concatenate(column) for column in zip(*parts, strict=True))
    words = sorted(str(name) for name in names)
    place = np.array([words.index(str(name)) for name in names], np.int64)
    each = max(len(words), 1)
    number, source = np.divmod(np.unique(number * each + (place[source] if words else source)), each)
    return Sources(number, source.astype(np.int32), words)
