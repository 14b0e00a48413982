"""Groups of near-duplicates among all images that were read: a new batch is compared with an index of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import Catalog, near_duplicates
from holotype.catalog.near_duplicates import Grouped, Hashes
from holotype.engine import Progress, map_batches, no_progress
from holotype.errors import ProjectError
from holotype.images.near import (
    MAX_DISTANCE,
    first_copies,
    groups_within,
    interleaved,
    near_duplicate_groups,
    told_of,
)
from holotype.images.near_forest import smallest_connected
from holotype.images.near_join import Found, Rows, Sought, join_between, join_within, parts_between, parts_within
from holotype.images.near_pairs import Numbers, Pairs
from holotype.project.near_index import Index

INDEX: Final = "near"
"""The folder of a project that has the index. It can be deleted: it is made anew of the catalog."""
KEPT_FROM: Final = 100_000
"""Images from which on an index is kept; fewer are compared all anew, in seconds."""


def group_near_duplicates(
    catalog: Catalog, folder: Path, kept_from: int = KEPT_FROM, progress: Progress = no_progress
) -> None:
    """Find the groups of near-duplicates among all images that were read, wherever they lie, and record them.

    The same groups are found whether images are compared all at once or batch by batch: two are near-duplicates or not
    whatever else there is. Where there are `kept_from` images or more, their hashes are kept in an index in `folder`,
    and those that were read since are compared with it and each other. Where images are gone since, or the index does
    not hold what the catalog says it does, it is made anew. Stopped at any moment and run again, nothing is lost.
    `progress` is told how many parts of the comparison with the index are done.

    Raises `ProjectError` where the index cannot be written.
    """
    while True:
        with catalog.read() as connection:
            count = near_duplicates.count_read(connection)
            if _up_to_date(connection, count):
                return
        if count < kept_from or catalog.hindrance:
            _group_all(catalog)
            continue
        index = Index(folder)
        try:
            with index.alone():
                _group_kept(catalog, index, progress)
        except OSError as error:
            raise ProjectError(f"the index of images' hashes in {folder} cannot be used: {error}") from error


def _up_to_date(connection: Connection, count: int) -> bool:
    said = near_duplicates.grouped(connection)
    return said is not None and said.among == count and not near_duplicates.count_new(connection)


def _group_all(catalog: Catalog) -> None:
    """Compare all images, without an index."""
    with catalog.read() as connection:
        among = near_duplicates.count_read(connection)
        ids, straight, mirrored = near_duplicates.hashes(connection)
    groups = _groups_of(ids, near_duplicate_groups(straight, mirrored))
    _replace(catalog, groups, Grouped(among), ())


def _groups_of(ids: Numbers, smallest: Numbers) -> dict[int, int]:
    shared = np.bincount(smallest, minlength=len(ids))[smallest] > 1
    return dict(zip(ids[shared].tolist(), ids[smallest[shared]].tolist(), strict=True))


def _replace(catalog: Catalog, groups: dict[int, int], among: Grouped, crowds: Iterable[tuple[int, int]]) -> None:
    """Record the groups of all images; nothing where others were read meanwhile."""

    def work(connection: Connection) -> None:
        if near_duplicates.count_read(connection) == among.among:
            near_duplicates.put(connection, groups, among)
            near_duplicates.no_crowd(connection)
            for size, image in crowds:
                near_duplicates.say_crowd(connection, size, image)

    catalog.transact(work)


def _group_kept(catalog: Catalog, index: Index, progress: Progress) -> None:
    """Compare the images that were read since with the index, or all anew where it cannot be told which those are."""
    with catalog.read() as connection:
        among = near_duplicates.count_read(connection)
        if _up_to_date(connection, among):
            return
        said = near_duplicates.grouped(connection)
        new, batch = near_duplicates.new_hashes(connection)
        known = said is not None and said.digest != "" and said.among + len(new) == among
        if said is None or not (known and _held(connection, index, said)):
            count = index.append(0, _told_apart(near_duplicates.hash_batches(connection)))
            said = None
    if said is None:
        _group_anew(catalog, index, Grouped(among, count, index.digest(count)), progress)
    else:
        _group_batch(catalog, index, said, (new, batch), progress)


def _held(connection: Connection, index: Index, said: Grouped) -> bool:
    """Whether the index holds the images that were compared, now if not before."""
    if not index.holds(said.compared, said.digest):
        index.append(0, _told_apart(near_duplicates.hash_batches(connection, but_new=True)))
    return index.holds(said.compared, said.digest)


def _told_apart(batches: Iterable[Hashes]) -> Iterator[Hashes]:
    """Images without those of whose hash nothing can be said."""
    for ids, straight, mirrored in batches:
        some = straight.any(axis=1)
        yield ids[some], straight[some], mirrored[some]


def _group_anew(catalog: Catalog, index: Index, among: Grouped, progress: Progress) -> None:
    found = groups_within(index.rows(among.compared), progress=progress)
    ids = index.ids(np.arange(among.compared))
    crowds = [(size, int(ids[place])) for size, place in found.crowds]
    _replace(catalog, _groups_of(ids, found.smallest), among, crowds)


def _group_batch(
    catalog: Catalog, index: Index, said: Grouped, read: tuple[list[int], Hashes], progress: Progress
) -> None:
    new, batch = read
    (told,) = _told_apart([batch])
    count = index.append(said.compared, [told])
    left, right, crowds = _connected(index, said.compared, told, progress)
    among = Grouped(said.among + len(new), count, index.digest(count, said.compared, said.digest))

    def work(connection: Connection) -> None:
        if near_duplicates.grouped(connection) == said:
            changed = _merged(connection, left, right)
            near_duplicates.add(connection, new, changed.joined, changed.merged, among)
            for size, image in crowds:
                near_duplicates.say_crowd(connection, size, image)

    catalog.transact(work)


def _connected(
    index: Index, compared: int, batch: Hashes, progress: Progress
) -> tuple[Numbers, Numbers, list[tuple[int, int]]]:
    """The ids of images that are connected by pairs of which one is of the batch, and the crowds that were met."""
    ids, straight, mirrored = batch
    first = first_copies(straight, mirrored)
    distinct = np.flatnonzero(first == np.arange(len(first)))
    rows = interleaved(straight[distinct], mirrored[distinct])
    mine = Rows(rows, len(rows), twins=True)
    others = index.rows(compared)
    among, between = parts_within(mine.count), parts_between(mine.count, others.count)
    first_found = map_batches(partial(join_within, mine, MAX_DISTANCE), among)
    sought = Sought(mine, others.count)
    then_found = map_batches(partial(join_between, sought, others, MAX_DISTANCE), between)
    found = [*told_of(chain(first_found, then_found), progress, len(among) + len(between))]
    left, right = _ids(index, ids[distinct], found)
    crowds = [(size, _id(index, ids[distinct], place)) for one in found for size, place in one.crowds]
    return np.concatenate([left, ids]), np.concatenate([right, ids[first]]), crowds


def _ids(index: Index, mine: Numbers, found: Iterable[Found]) -> Pairs:
    left, right = (
        np.concatenate([np.empty(0, np.int64), *(getattr(one, side) for one in found)]) for side in ("left", "right")
    )
    places, where = np.unique(np.concatenate([left, right]), return_inverse=True)
    old = places >= len(mine)
    ids = np.empty(len(places), np.int64)
    ids[~old] = mine[places[~old]]
    ids[old] = index.ids(places[old] - len(mine))
    return ids[where[: len(left)]], ids[where[len(left) :]]


def _id(index: Index, mine: Numbers, place: int) -> int:
    return int(mine[place] if place < len(mine) else index.ids(np.array([place - len(mine)]))[0])


@dataclass(frozen=True, slots=True)
class _Changes:
    """Groups of images that were in none, and what groups are parts of others now."""

    joined: dict[int, int]
    merged: dict[int, int]


def _merged(connection: Connection, left: Numbers, right: Numbers) -> _Changes:
    """What pairs of images change about their groups; a group is called by its smallest image."""
    apart = left != right
    left, right = left[apart], right[apart]
    of = near_duplicates.groups_of(connection, np.union1d(left, right).tolist())
    images, groups = np.array(list(of), np.int64), np.array(list(of.values()), np.int64)
    nodes, smallest = smallest_connected(np.concatenate([left, images]), np.concatenate([right, groups]))
    before = set(of.values())
    now = dict(zip(nodes.tolist(), smallest.tolist(), strict=True))
    return _Changes(
        joined={image: group for image, group in now.items() if image not in of and image not in before},
        merged={group: now[group] for group in before if now[group] != group},
    )
