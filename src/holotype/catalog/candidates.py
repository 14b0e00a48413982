"""Questions about candidates: images that may show a synset, and where they were found for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    func,
    or_,
    select,
    true,
)

from holotype.catalog import schema as t
from holotype.catalog.statements import add_rows, chunks

Ranges = Sequence[tuple[int, int]]


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


def tasks(connection: Connection) -> Sequence[Any]:
    """Every question there is, ``(candidate id, wnid, sha256)``, by rank and sha256."""
    candidate, image = t.candidate, t.image
    return connection.execute(
        select(candidate.c.id, candidate.c.wnid, image.c.sha256)
        .select_from(candidate.join(image))
        .order_by(candidate.c.rank, image.c.sha256)
    ).all()


def candidate_origins(connection: Connection) -> Sequence[Any]:
    """``(candidate id, wnid, sha256, origin, source)`` of every sighting."""
    candidate, image, sighting = t.candidate, t.image, t.sighting
    return connection.execute(
        select(candidate.c.id, candidate.c.wnid, image.c.sha256, sighting.c.origin, sighting.c.source)
        .select_from(sighting.join(candidate).join(image))
        .order_by(sighting.c.id)
    ).all()


def sources(connection: Connection) -> list[tuple[int, str]]:
    """``(candidate id, source)`` of every sighting, each pair once."""
    table = t.sighting
    columns = table.c.candidate_id, table.c.source
    rows = connection.execute(select(*columns).distinct().order_by(*columns))
    return [(candidate, source) for candidate, source in rows]


def sightings(connection: Connection) -> dict[int, list[Any]]:
    """Provenance of every candidate, in order of sighting, by candidate id."""
    table = t.sighting
    found: dict[int, list[Any]] = {}
    for row in connection.execute(select(table).order_by(table.c.id)):
        found.setdefault(row.candidate_id, []).append(row)
    return found


def digests(connection: Connection, candidates: Iterable[int]) -> dict[int, str]:
    """The sha256 of each candidate's image."""
    candidate, image = t.candidate, t.image
    return {
        number: sha256
        for chunk in chunks(candidates)
        for number, sha256 in connection.execute(
            select(candidate.c.id, image.c.sha256).select_from(candidate.join(image)).where(candidate.c.id.in_(chunk))
        )
    }
