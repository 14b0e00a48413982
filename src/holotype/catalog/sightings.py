"""Questions about sightings: where candidates were found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

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


@dataclass(frozen=True, slots=True)
class Added:
    """What sightings changed: `asked` candidates were not asked about before.

    `joined` are the origins that new candidates were seen at. `earlier` are pairs (origin, wnid): what was seen at the
    origin now had been found for another synset before, by the folder it lay in, and is a candidate for that still.
    """

    asked: int
    joined: frozenset[str] = frozenset()
    earlier: frozenset[tuple[str, str]] = frozenset()


_Place = tuple[str, str, str, str]
"""The wnid, origin, source and query of a sighting."""
_FOLDER: Final = "folder:"
"""How the source of what a folder's name says begins."""


def add(connection: Connection, sightings: Sequence[Sighting]) -> Added:
    """Append sightings, with a candidate for every new (synset, image); those already known are skipped.

    All of these candidates are to be asked about from now on.
    """
    pairs = {(row.wnid, row.image_id): row.rank for row in sightings}
    before = _seen(connection, {image for _, image in pairs})
    known = candidates.ids(connection, pairs)
    fresh = [(wnid, image, rank) for (wnid, image), rank in pairs.items() if (wnid, image) not in known]
    asked = candidates.ask(connection, known.values()) + len(fresh)
    joined = frozenset(row.origin for row in sightings if (row.wnid, row.image_id) not in known)
    if fresh:
        candidates.add(connection, fresh)
        known = candidates.ids(connection, pairs)
    new = _new(sightings, before)
    earlier = _earlier(sightings, new, before)
    rows = [
        {
            "candidate_id": known[row.wnid, row.image_id],
            **{name: getattr(row, name) for name in ("origin", "source", "query", "position", "licence")},
        }
        for row in new
    ]
    add_rows(connection, t.sighting, rows)
    return Added(asked, joined, earlier)


def _seen(connection: Connection, images: Iterable[int]) -> dict[int, set[_Place]]:
    """Where images were seen, by id."""
    one, about = t.candidate.c, t.sighting.c
    columns = one.image_id, one.wnid, about.origin, about.source, about.query
    asked = select(*columns).select_from(t.candidate.join(t.sighting, about.candidate_id == one.id))
    seen: dict[int, set[_Place]] = {}
    for chunk in chunks(images):
        for image, *place in connection.execute(asked.where(one.image_id.in_(chunk))):
            seen.setdefault(image, set()).add((place[0], place[1], place[2], place[3]))
    return seen


def _new(sightings: Iterable[Sighting], before: Mapping[int, set[_Place]]) -> list[Sighting]:
    """Those that were not seen before, each once."""
    rows = {(row.image_id, _place(row)): row for row in sightings}
    return [row for (image, place), row in rows.items() if place not in before.get(image, ())]


def _earlier(
    sightings: Iterable[Sighting],
    new: Iterable[Sighting],
    before: Mapping[int, set[_Place]],
) -> frozenset[tuple[str, str]]:
    """What files that folders name anew, or that lie elsewhere, were named before: see `Added`."""
    now: dict[tuple[int, str], set[str]] = {}
    for row in sightings:
        now.setdefault((row.image_id, row.origin), set()).add(row.wnid)
    held = {image: {place[0] for place in places if place[2].startswith(_FOLDER)} for image, places in before.items()}
    found: set[tuple[str, str]] = set()
    for row in new:
        if row.source.startswith(_FOLDER):
            others = held.setdefault(row.image_id, set())
            found.update((row.origin, wnid) for wnid in others - now[row.image_id, row.origin])
            others.add(row.wnid)
    return frozenset(found)


def _place(row: Sighting) -> _Place:
    return row.wnid, row.origin, row.source, row.query


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
