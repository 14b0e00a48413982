"""Questions about candidates: images that may show a synset, and where they were found for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    ColumnElement,
    Connection,
    func,
    or_,
    select,
    true,
)

from holotype.catalog import schema as t
from holotype.catalog.statements import Names, add_rows, chunks, read_all, read_some

Ranges = Sequence[tuple[int, int]]

FEW: Final = 20_000
"""Candidates up to which images are looked up, and not all read."""

RANKS: Final = 500
"""Ranks whose candidates are read at once."""


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


def add_sightings(connection: Connection, sightings: Sequence[Sighting]) -> None:
    """Append sightings, with a candidate for every new (synset, image); those already known are skipped."""
    pairs = {(row.wnid, row.image_id): row.rank for row in sightings}
    known = _candidate_ids(connection, pairs)
    new = [
        {"wnid": wnid, "image_id": image_id, "rank": rank}
        for (wnid, image_id), rank in pairs.items()
        if (wnid, image_id) not in known
    ]
    add_rows(connection, t.candidate, new)
    if new:
        known = _candidate_ids(connection, pairs)
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


def _candidate_ids(connection: Connection, pairs: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    wanted = set(pairs)
    table = t.candidate
    return {
        (wnid, image_id): number
        for chunk in chunks({image_id for _, image_id in wanted})
        for wnid, image_id, number in connection.execute(
            select(table.c.wnid, table.c.image_id, table.c.id).where(table.c.image_id.in_(chunk))
        )
        if (wnid, image_id) in wanted
    }


def _under(ranges: Ranges | None) -> ColumnElement[bool]:
    if ranges is None:
        return true()
    return or_(*(t.candidate.c.rank.between(start, stop - 1) for start, stop in ranges))


def find(connection: Connection, ranges: Ranges | None, states: Sequence[str] | None) -> Sequence[Any]:
    """Candidates with their image and label, by rank and sha256.

    `ranges` are half-open ranges of ranks (`Ontology.ranges`), `states` the label states wanted; None for all.
    """
    image, candidate, label, near = t.image, t.candidate, t.label, t.near_duplicate
    question = (
        select(
            *(column for column in image.c if column.name not in ("hash", "mirrored", "id")),
            image.c.id.label("image_id"),
            candidate.c.id.label("candidate_id"),
            candidate.c.wnid,
            candidate.c.rank,
            label.c.state,
            label.c.posterior,
            label.c.policy,
            func.coalesce(near.c.group_id, image.c.id).label("group_id"),
        )
        .select_from(candidate.join(image))
        .outerjoin(label, label.c.candidate_id == candidate.c.id)
        .outerjoin(near, near.c.image_id == image.c.id)
        .where(_under(ranges))
        .order_by(candidate.c.rank, image.c.sha256)
    )
    if states is not None:
        question = question.where(func.coalesce(label.c.state, "open").in_(states))
    return connection.execute(question).all()


@dataclass(frozen=True, slots=True)
class Tasks:
    """Questions as columns, by rank and sha256: candidate ids, ids of their images, and places among `wnids`, which are
    in the order they come first; ``(tasks,)`` each."""

    candidate: npt.NDArray[np.int64]
    image: npt.NDArray[np.int64]
    synset: npt.NDArray[np.int64]
    wnids: list[str]


def tasks(connection: Connection, numbers: Iterable[int] | None = None) -> Tasks:
    """Every question there is, or those of some candidates, by rank alone."""
    candidate, image = t.candidate.c, t.image.c
    question = select(candidate.id, candidate.image_id, candidate.rank).select_from(t.candidate.join(t.image))
    if numbers is None:
        ordered = question.order_by(candidate.rank, image.sha256)
        number, of, rank = read_all(connection, ordered, candidate.rank, np.int64, np.int64, np.int64, step=RANKS)
    else:
        found = read_some(connection, question, candidate.id, numbers, np.int64, np.int64, np.int64)
        number, of, rank = (column[np.argsort(found[2], kind="stable")] for column in found)
    _, first, synset = np.unique(rank, return_index=True, return_inverse=True)
    return Tasks(number, of, synset, _wnids(connection, number[first].tolist()))


def _wnids(connection: Connection, numbers: Sequence[int]) -> list[str]:
    """The wnids of candidates."""
    table = t.candidate.c
    found = {
        number: wnid
        for chunk in chunks(numbers)
        for number, wnid in connection.execute(select(table.id, table.wnid).where(table.id.in_(chunk)))
    }
    return [found[number] for number in numbers]


def numbers(connection: Connection, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Candidate ids by (sha256, wnid), of those of `pairs` that are candidates."""
    wanted = set(pairs)
    candidate, image = t.candidate, t.image
    return {
        (sha256, wnid): number
        for chunk in chunks({sha256 for sha256, _ in wanted})
        for sha256, wnid, number in connection.execute(
            select(image.c.sha256, candidate.c.wnid, candidate.c.id)
            .select_from(candidate.join(image))
            .where(image.c.sha256.in_(chunk))
        )
        if (sha256, wnid) in wanted
    }


@dataclass(frozen=True, slots=True)
class Origin:
    """A candidate and where it was seen."""

    candidate_id: int
    wnid: str
    sha256: str
    origin: str
    source: str


def candidate_origins(connection: Connection) -> list[Origin]:
    """Every sighting, in order."""
    candidate, image, sighting = t.candidate, t.image, t.sighting
    rows = connection.execute(
        select(candidate.c.id, candidate.c.wnid, image.c.sha256, sighting.c.origin, sighting.c.source)
        .select_from(sighting.join(candidate).join(image))
        .order_by(sighting.c.id)
    )
    return [Origin(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where candidates were found, each pair once, by candidate: candidate ids and places among `names`."""

    candidate: npt.NDArray[np.int64]
    source: npt.NDArray[np.int64]
    names: list[str]


def sources(connection: Connection, numbers: Iterable[int] | None = None) -> Sources:
    """The sources of every candidate, or of some."""
    table, names = t.sighting.c, Names()
    question = select(table.candidate_id, table.source).order_by(table.candidate_id)
    if numbers is None:
        candidate, source = read_all(connection, question, table.candidate_id, np.int64, names)
    else:
        candidate, source = read_some(connection, question, table.candidate_id, numbers, np.int64, names)
    candidate, source = np.divmod(np.unique(candidate * max(len(names), 1) + source), max(len(names), 1))
    return Sources(candidate, source, [str(name) for name in names])


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a sighting says of a candidate: see `Sighting`."""

    candidate_id: int
    origin: str
    source: str
    query: str
    position: int
    licence: str


def sightings(connection: Connection, numbers: Iterable[int]) -> dict[int, list[Provenance]]:
    """Provenance of candidates, in order of sighting, by candidate id."""
    table = t.sighting.c
    columns = table.candidate_id, table.origin, table.source, table.query, table.position, table.licence
    found: dict[int, list[Provenance]] = {}
    for chunk in chunks(numbers):
        rows = connection.execute(select(*columns).where(table.candidate_id.in_(chunk)).order_by(table.id))
        for row in rows:
            found.setdefault(row.candidate_id, []).append(Provenance(*row))
    return found


def digests(connection: Connection, candidates: Sequence[int]) -> list[str]:
    """The sha256 of each candidate's image."""
    candidate, image = t.candidate.c, t.image.c
    question = select(candidate.id, image.sha256).select_from(t.candidate.join(t.image))
    if len(candidates) <= FEW:
        number, digest = read_some(connection, question, candidate.id, candidates, np.int64, np.object_)
    else:
        number, digest = read_all(connection, question, candidate.id, np.int64, np.object_)
    order = np.argsort(number)
    found: list[str] = digest[order[np.searchsorted(number, candidates, sorter=order)]].tolist() if candidates else []
    return found
