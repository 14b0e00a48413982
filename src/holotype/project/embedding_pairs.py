"""Pairs of images whose embeddings are nearly the same: near-duplicates beyond hashes, and leaks between splits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection

from holotype.catalog import near_duplicates
from holotype.catalog.embeddings import Embedded, Vectors
from holotype.engine import Progress
from holotype.errors import RecognitionError
from holotype.project.embedding_facts import read_embedded
from holotype.project.lemmas import Lemmas
from holotype.project.near_duplicates import INDEX, group_near_duplicates
from holotype.project.parts import Parts
from holotype.project.release_shelf import open_release
from holotype.queries.live import first_rows
from holotype.queries.results import Result
from holotype.recognition.neighbours import MOST_PAIRS, Pairs, close_pairs, close_pairs_in_cells
from holotype.releases.keys import one_of_each
from holotype.releases.leaks import Check, Looks, looks_within
from holotype.releases.split import SPLITS


@dataclass(frozen=True, slots=True)
class Closeness:
    """How near embeddings must be: a cosine of at least `least`, by those called `model`, "" where there are only
    these. `approximate` compares what is near by k-means alone: see `close_pairs_in_cells`."""

    least: float
    model: str = ""
    approximate: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.least <= 1:
            raise RecognitionError(f"a cosine of near images is above 0 and at most 1, not {self.least}")


@dataclass(frozen=True, slots=True)
class Alike:
    """Two images whose embeddings have this cosine; `known` where hashes say, too, that they are near-duplicates."""

    one: Result
    other: Result
    cosine: float
    known: bool


@dataclass(frozen=True, slots=True)
class CloseImages:
    """Pairs of images, the most alike first: how many were `found` among so many `images`, how many of them are `known`
    by hashes as well, and the first of those that were asked for."""

    model: str
    images: int
    found: int
    known: int
    pairs: tuple[Alike, ...] = field(repr=False)


def close_images(parts: Parts, asked: Closeness, limit: int, all_pairs: bool, progress: Progress) -> CloseImages:
    """The pairs of images with near embeddings; those that hashes know, too, only with `all_pairs`."""
    group_near_duplicates(parts.catalog, parts.folder / INDEX)
    with parts.catalog.read() as connection:
        model, held = read_embedded(connection, asked.model)
        groups = near_duplicates.groups(connection)
    pairs = _near(held.rows, asked, progress)
    group = np.array([groups.get(image, -image - 1) for image in held.image.tolist()], np.int64)
    known = group[pairs.left] == group[pairs.right] if len(pairs) else np.zeros(0, np.bool_)
    wanted = np.arange(len(pairs)) if all_pairs else np.flatnonzero(~known)
    shown = wanted[:limit]
    with parts.catalog.read() as connection:
        listed = _alike(parts, connection, held, pairs.take(shown), known[shown])
    return CloseImages(model.name, len(held), len(pairs), int(known.sum()), listed)


def _near(rows: Vectors, asked: Closeness, progress: Progress) -> Pairs:
    find = close_pairs_in_cells if asked.approximate else close_pairs
    return find(rows, asked.least, MOST_PAIRS, progress)


def _alike(parts: Parts, connection: Connection, held: Embedded, pairs: Pairs, known: np.ndarray) -> tuple[Alike, ...]:
    places = np.unique(np.concatenate([pairs.left, pairs.right])).tolist()
    found = first_rows(connection, held.image[places].tolist())
    result = {place: Result(row, parts.store) for place, row in zip(places, found, strict=True)}
    columns = pairs.left.tolist(), pairs.right.tolist(), pairs.cosine.tolist(), known.tolist()
    return tuple(Alike(result[a], result[b], cosine, by) for a, b, cosine, by in zip(*columns, strict=True))


def leaks_of(parts: Parts, lemmas: Lemmas, name: str, asked: Closeness, progress: Progress) -> tuple[Check, ...]:
    """The pairs of images of two splits of a release whose embeddings are near: a check for each two splits."""
    release = open_release(parts, lemmas, name)
    table = release.manifest.select(["id", "sha256", "split"])
    table = table.take(pa.array(one_of_each(table["id"]))).combine_chunks()
    with parts.catalog.read() as connection:
        _, held = read_embedded(connection, asked.model)
    place = held.places(table["sha256"].to_pylist())
    rows = np.flatnonzero(place >= 0)
    pairs = _near(held.rows[place[rows]], asked, progress)
    looks = Looks(table["id"], place >= 0, rows[pairs.left], rows[pairs.right], asked.least)
    number = {split: place for place, split in enumerate(SPLITS)}
    split = np.array([number.get(one, -1) for one in table["split"].to_pylist()], np.int8)
    return looks_within(release.name, looks, split)
