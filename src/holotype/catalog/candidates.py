"""Questions about candidates: images that may show a synset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Connection, Select, false, func, literal, or_, select, union_all

from holotype.catalog import images, withdrawals
from holotype.catalog import schema as t
from holotype.catalog.corrections import standing
from holotype.catalog.images import digest
from holotype.catalog.schema import STATES
from holotype.catalog.statements import Column, add_rows, chunks, meta, read_all, read_parts, read_some, set_meta

Ranges = Sequence[tuple[int, int]]
_NOBODY: Final = np.zeros(0, np.int64)


FEW: Final = 20_000
"""Candidates up to which images are looked up, and not all read."""

RANKS: Final = 500
"""Ranks whose candidates are read at once."""

LACKING: Final = -1
"""The rank of candidates of a synset that the ontology does not have. Those below are of questions that were made by
hand (`holotype.catalog.label_questions`): people are asked about them, and they are labels of nothing."""


def add(connection: Connection, fresh: Sequence[tuple[str, int, int]]) -> None:
    """Append open candidates, as (wnid, image id, rank); no other process adds boxes to their images meanwhile."""
    boxes = {
        image: count
        for chunk in chunks({image for _, image, _ in fresh})
        for image, count in connection.execute(
            select(t.image.c.id, t.image.c.boxes).where(t.image.c.id.in_(chunk)).with_for_update()
        )
    }
    rows = [
        {"wnid": wnid, "rank": rank, "image_id": image, "asked": 1, "boxes": boxes[image], "state": 0}
        for wnid, image, rank in fresh
    ]
    add_rows(connection, t.candidate, rows)
    images.assign(connection, {image for _, image, rank in fresh if rank >= LACKING})
    withdrawals.hold(connection)


def ask(connection: Connection, candidates: Iterable[int]) -> int:
    """Put candidates up for the crowd, or for whoever decides; how many were not before."""
    table, asked = t.candidate, 0
    for chunk in chunks(candidates):
        new = table.update().where(table.c.id.in_(chunk), table.c.asked == 0).values(asked=1)
        asked += connection.execute(new).rowcount
    return asked


def not_asked(connection: Connection, candidates: Iterable[int]) -> list[int]:
    """Those of these candidates that are not up for anybody: a dataset alone speaks of them."""
    table = t.candidate.c
    found = (select(table.id).where(table.id.in_(chunk), table.asked == 0) for chunk in chunks(candidates))
    return [number for one in found for number in connection.execute(one).scalars()]


def changed(connection: Connection, images: Iterable[int]) -> None:
    """Note that images were read, or lie elsewhere, or have a label, if any of their candidates are asked about: what
    was concluded is to be concluded again."""
    table = t.candidate.c
    for chunk in chunks(images):
        asked = select(table.id).where(table.image_id.in_(chunk), table.asked == 1).limit(1)
        if connection.execute(asked).first() is not None:
            note_change(connection)
            return


def note_change(connection: Connection) -> None:
    """Note that what was concluded is to be concluded again."""
    set_meta(connection, _CHANGES, str(changes(connection) + 1))


def changes(connection: Connection) -> int:
    """How often `changed` was noted."""
    return int(meta(connection, _CHANGES) or 0)


_CHANGES: Final = "candidate_changes"


def rest(connection: Connection, candidates: Iterable[int]) -> None:
    """Take back what gold or a curator decided of those of these candidates of which neither says anything any more.

    What their dataset says stands again, and any other is open. Of what a dataset alone speaks of nobody is asked.
    """
    table = t.candidate
    free = [table.c.id.not_in(standing(statements)) for statements in (t.gold, t.overruling)]
    alone = [table.c.id.not_in(select(other.c.candidate_id)) for other in (t.sighting, t.vote)]
    labelled = table.outerjoin(t.file, t.file.c.id == table.c.labelled_by).outerjoin(t.dataset)
    question = select(table.c.id, t.dataset.c.name).select_from(labelled)
    for chunk in chunks(candidates):
        rows = connection.execute(question.where(table.c.id.in_(chunk), *free)).all()
        for dataset in {row.name for row in rows}:
            values: dict[str, Any] = {"state": 0, "posterior": None, "policy_id": None, "guard": None}
            if dataset is not None:
                policy = policy_id(connection, imported(dataset))
                values |= {"state": STATES.index("yes"), "posterior": 1.0, "policy_id": policy}
            numbers = [row.id for row in rows if row.name == dataset]
            connection.execute(table.update().where(table.c.id.in_(numbers)).values(**values))
        mine = table.c.id.in_([row.id for row in rows if row.name is not None])
        connection.execute(table.update().where(mine, *alone).values(asked=0))
    withdrawals.hold(connection)


def imported(dataset: str) -> str:
    """What a label was decided by that came with a dataset."""
    return f"imported:{dataset}"


def policy_id(connection: Connection, name: str) -> int:
    """The id of a policy, which is made if it is new."""
    held = select(t.policy.c.id).where(t.policy.c.name == name)
    if (number := connection.execute(held).scalar()) is None:
        connection.execute(t.policy.insert().values(name=name))
        number = connection.execute(held).scalar_one()
    return int(number)


def ids(connection: Connection, pairs: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Candidate ids by (wnid, image id), of those that there are."""
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


@dataclass(frozen=True, slots=True)
class Accepted:
    """A candidate labelled yes; `sha256` is its image's name where that was not read."""

    id: int
    sha256: str
    wnid: str
    rank: int


def accepted(connection: Connection, ranges: Ranges) -> list[Accepted]:
    """The candidates labelled yes in half-open ranges of ranks, by rank and sha256; images that are not sound are left
    out."""
    candidate, read = t.candidate, t.fingerprint
    unsound = select(read.c.image_id).where(read.c.image_id == candidate.c.image_id, ~images.is_sound()).exists()
    order = candidate.c.rank, digest(), candidate.c.id
    question = (
        select(candidate.c.id, digest(), candidate.c.wnid, candidate.c.rank)
        .join(t.image)
        .where(candidate.c.state == STATES.index("yes"), ~unsound)
        .order_by(*order)
    )
    found = (connection.execute(question.where(under(some))) for some in chunks(ranges, 200))
    return [Accepted(*row) for rows in found for row in rows]


def unread(connection: Connection, ranges: Ranges) -> list[int]:
    """The images that were not read yet of candidates labelled yes in half-open ranges of ranks, by their ids."""
    candidate, read = t.candidate.c, t.fingerprint
    new = ~select(read.c.image_id).where(read.c.image_id == candidate.image_id).exists()
    asked = select(candidate.image_id).distinct().where(candidate.state == STATES.index("yes"), new)
    return [image for some in chunks(ranges, 200) for image in connection.execute(asked.where(under(some))).scalars()]


def states(connection: Connection, candidates: Iterable[int]) -> dict[int, str]:
    """What is concluded of candidates, by their ids."""
    table = t.candidate.c
    return {
        number: STATES[state]
        for chunk in chunks(candidates)
        for number, state in connection.execute(select(table.id, table.state).where(table.id.in_(chunk)))
    }


@dataclass(frozen=True, slots=True)
class Origin:
    """The image of a candidate, its dataset and the name that it has there."""

    image_id: int
    dataset: str
    name: str


def origins(connection: Connection, candidates: Iterable[int]) -> dict[int, Origin]:
    """The images of candidates, by the candidates' ids."""
    asked = select(t.candidate.c.id, t.image.c.id, t.dataset.c.name, t.image.c.name)
    asked = asked.select_from(t.candidate.join(t.image).join(t.dataset))
    return {
        number: Origin(*row)
        for chunk in chunks(candidates)
        for number, *row in connection.execute(asked.where(t.candidate.c.id.in_(chunk)))
    }


def unasked(connection: Connection, digests: Iterable[str]) -> list[tuple[int, str, str]]:
    """The candidates that nobody is asked about of images with these bytes, as (candidate id, wnid, sha256)."""
    table, read = t.candidate.c, t.fingerprint.c
    question = select(table.id, table.wnid, read.sha256).join(t.fingerprint, read.image_id == table.image_id)
    asked = (question.where(read.sha256.in_(chunk), table.asked == 0) for chunk in chunks(digests))
    return [(number, wnid, sha256) for one in asked for number, wnid, sha256 in connection.execute(one)]


def wnids_of(connection: Connection, images: Iterable[int]) -> dict[int, list[str]]:
    """What images are candidates for, by the images' ids, of those that are for anything."""
    table = t.candidate.c
    found: dict[int, list[str]] = {}
    for chunk in chunks(images):
        for image, wnid in connection.execute(select(table.image_id, table.wnid).where(table.image_id.in_(chunk))):
            found.setdefault(image, []).append(wnid)
    return found


def claimed(connection: Connection, candidates: Iterable[int]) -> list[int]:
    """Those of these candidates that a dataset labels."""
    table = t.candidate.c
    asked = (select(table.id).where(table.id.in_(c), table.labelled_by.is_not(None)) for c in chunks(candidates))
    return [number for one in asked for number in connection.execute(one).scalars()]


def said_by_datasets(connection: Connection) -> set[tuple[str, str]]:
    """What datasets say of the images that are asked about, as (sha256, wnid)."""
    table, read = t.candidate, t.fingerprint.c
    asked = select(table.c.image_id).where(table.c.asked == 1)
    said = table.join(t.fingerprint, read.image_id == table.c.image_id)
    question = select(read.sha256, table.c.wnid).select_from(said)
    rows = connection.execute(question.where(table.c.image_id.in_(asked), table.c.labelled_by.is_not(None)))
    return {(sha256, wnid) for sha256, wnid in rows}


def under(ranges: Ranges) -> ColumnElement[bool]:
    """Whether a candidate's rank is in one of half-open ranges."""
    return or_(false(), *(t.candidate.c.rank.between(start, stop - 1) for start, stop in ranges))


def count(connection: Connection, ranges: Ranges) -> int:
    """Number of candidates in half-open ranges of ranks, but for those of images that are withdrawn."""
    used = select(func.count()).select_from(t.candidate).where(t.candidate.c.state != STATES.index("withdrawn"))
    asked = (used.where(under(some)) for some in chunks(ranges, 200))
    return sum(connection.execute(one).scalar_one() for one in asked)


@dataclass(frozen=True, slots=True)
class Tasks:
    """Questions as columns, by rank and sha256: candidate ids, ids of their images, and places among `wnids`, which are
    in the order they come first; ``(tasks,)`` each."""

    candidate: npt.NDArray[np.int64]
    image: npt.NDArray[np.int64]
    synset: npt.NDArray[np.int64]
    wnids: list[str]


def tasks(connection: Connection, numbers: Iterable[int] | None = None, ranges: Ranges | None = None) -> Tasks:
    """Every question that is asked, or those in half-open ranges of ranks, ascending and apart, or those of some
    candidates, by rank alone.

    Images that cannot be seen, because their bytes were not read yet or are no sound image, are left out, and so are
    withdrawn ones and synsets that the ontology does not have. Questions made by hand come first.
    """
    if numbers is None:
        parts = [[_NOBODY] * 3, *_in_ranges(connection, ranges)]
        number, of, rank = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    else:
        candidate = t.candidate.c
        kinds = np.int64, np.int64, np.int64
        found = read_some(connection, _asked_about(), candidate.id, numbers, *kinds)
        number, of, rank = (column[np.argsort(found[2], kind="stable")] for column in found)
    return _tasks_of(connection, number, of, rank)


def _tasks_of(connection: Connection, number: Column, of: Column, rank: Column) -> Tasks:
    _, first, synset = np.unique(rank, return_index=True, return_inverse=True)
    return Tasks(number, of, synset, _wnids(connection, number[first].tolist()))


def task_parts(connection: Connection, ranges: Ranges | None = None) -> Iterator[Tasks]:
    """As `tasks` of everything, or of ranges of ranks, in parts that follow each other, each of whole synsets, whose
    places are among its own."""
    return (_tasks_of(connection, *columns) for columns in _in_ranges(connection, ranges))


def _asked_about() -> Select[Any]:
    candidate, read = t.candidate.c, t.fingerprint.c
    joined = t.candidate.join(t.fingerprint, read.image_id == candidate.image_id)
    question = select(candidate.id, candidate.image_id, candidate.rank).select_from(joined)
    return question.where(candidate.asked == 1, candidate.rank != LACKING, images.is_sound())


def asked_by_rank(connection: Connection) -> list[tuple[int, int]]:
    """The ranks of what is asked about, ascending, and how many candidates each has; but for synsets that the ontology
    does not have."""
    table = t.candidate.c
    asked = select(table.rank, func.count()).where(table.asked == 1, table.rank != LACKING)
    return [(rank, count) for rank, count in connection.execute(asked.group_by(table.rank).order_by(table.rank))]


def _in_ranges(connection: Connection, ranges: Ranges | None) -> Iterator[list[Column]]:
    """What is asked about, in ranges of ranks, or all: ids, images and ranks, by rank and sha256."""
    kinds, candidate = (np.int64, np.int64, np.int64), t.candidate.c
    question = _asked_about().order_by(candidate.rank, t.fingerprint.c.sha256, candidate.id)
    for some in [None] if ranges is None else chunks(ranges, 200):
        wanted = question if some is None else question.where(under(some))
        yield from read_parts(connection, wanted, candidate.rank, *kinds, step=RANKS)


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
    """Candidate ids by (image, wnid), of those that there are; an image by its sha256, or the name in its dataset.

    Of several with the same bytes the first counts.
    """
    return {pair: min(found) for pair, found in alike(connection, pairs).items()}


def meeting(
    connection: Connection, conditions: Sequence[ColumnElement[bool]]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The candidates that meet conditions, and their ranks; by rank."""
    table = t.candidate.c
    asked = select(table.id, table.rank).where(table.rank >= 0, *conditions).order_by(table.rank, table.id)
    number, rank = read_all(connection, asked, table.rank, np.int64, np.int64, step=RANKS)
    return number, rank


def images_of(connection: Connection, candidates: Iterable[int]) -> list[int]:
    """The ids of the images of candidates, each once, ascending."""
    table = t.candidate.c
    found = (connection.execute(select(table.image_id).where(table.id.in_(chunk))) for chunk in chunks(candidates))
    return sorted({image for rows in found for image in rows.scalars()})


def alike(connection: Connection, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[int, bool]]:
    """All candidates that each (image, wnid) may speak of, by id: those with these bytes, which is True, else those of
    the name, which several datasets may have."""
    wanted = set(pairs)
    candidate, image, read = t.candidate, t.image, t.fingerprint
    found: dict[tuple[str, str], dict[int, bool]] = {}
    for chunk in chunks({key for key, _ in wanted}):
        named = select(image.c.name, image.c.id, literal(0)).where(images.is_named(connection, chunk))
        bytes_ = select(read.c.sha256, read.c.image_id, literal(1)).where(read.c.sha256.in_(chunk))
        known = union_all(named, bytes_).subquery()
        rows = connection.execute(
            select(known.c[0], candidate.c.wnid, candidate.c.id, known.c[2]).join(
                candidate, candidate.c.image_id == known.c[1]
            )
        )
        for key, wnid, number, same in rows:
            if (key, wnid) in wanted:
                held = found.setdefault((key, wnid), {})
                held[number] = held.get(number, False) or bool(same)
    return {
        pair: {number: same for number, same in held.items() if same == any(held.values())}
        for pair, held in found.items()
    }


def digests(connection: Connection, candidates: Sequence[int]) -> list[str]:
    """The sha256 of each candidate's image."""
    table = t.candidate.c
    question = select(table.id, digest()).select_from(t.candidate.join(t.image))
    if len(candidates) <= FEW:
        number, named = read_some(connection, question, table.id, candidates, np.int64, np.object_)
    else:
        asked = question.where(table.asked == 1)
        number, named = read_all(connection, asked, table.rank, np.int64, np.object_, step=RANKS)
        if not np.isin(candidates, number).all():  # some are not asked about any more
            number, named = read_some(connection, question, table.id, candidates, np.int64, np.object_)
    order = np.argsort(number)
    found: list[str] = named[order[np.searchsorted(number, candidates, sorter=order)]].tolist() if candidates else []
    return found


def pairs(connection: Connection, candidates: Iterable[int]) -> dict[int, tuple[str, str]]:
    """The sha256 of each candidate's image, and its wnid."""
    candidate = t.candidate.c
    asked = select(candidate.id, digest(), candidate.wnid).join(t.image)
    return {
        number: (sha256, wnid)
        for chunk in chunks(candidates)
        for number, sha256, wnid in connection.execute(asked.where(candidate.id.in_(chunk)))
    }
