"""Questions about releases: what they may be made of, in columns, a stretch of ranks at a time; and which were made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, FromClause, Select, func, insert, or_, select

from holotype.catalog import schema as t
from holotype.catalog.annotations import UNSAID, BoxRow, Flags
from holotype.catalog.candidates import FEW, LACKING
from holotype.catalog.images import digest, is_sound, read_images
from holotype.catalog.schema import STATES
from holotype.catalog.statements import Column, Kind, Names, chunks, read_all, read_arrow, read_some

AT_ONCE: Final = 200_000
"""Labels that are read at once, or those of one synset."""


_LABEL: Final = t.candidate.alias("label")
"""A candidate that may be released: conditions of a query speak of the table by its own name."""
_YES: Final = STATES.index("yes")


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """Which labels yes are asked for: `ranks` tells of each rank whether it is, ``(synsets,)``, and `conditions` are
    true of each candidate that is, of images of these `datasets`, by id, or of all; with `unread` those too whose image
    was not read."""

    ranks: npt.NDArray[np.bool_]
    conditions: Sequence[ColumnElement[bool]] = ()
    datasets: Sequence[int] = ()
    unread: bool = False

    def question(self, *columns: ColumnElement[Any], joined: FromClause | None = None) -> Select[Any]:
        """Columns of the labels that meet the conditions, of any rank."""
        read = _LABEL.join(t.image, t.image.c.id == _LABEL.c.image_id).outerjoin(
            t.fingerprint, t.fingerprint.c.image_id == t.image.c.id
        )
        met = [select(t.candidate.c.id).where(t.candidate.c.id == _LABEL.c.id, *self.conditions).exists()]
        of = [t.image.c.dataset_id.in_(list(self.datasets))] if self.datasets else []
        source = read if joined is None else joined
        return (
            select(*columns).select_from(source).where(_LABEL.c.state == _YES, *of, *(met if self.conditions else ()))
        )

    def usable(self) -> ColumnElement[bool]:
        """Whether the image of a candidate may be released: it is sound, or nobody knows yet."""
        return or_(is_sound(), t.fingerprint.c.image_id.is_(None)) if self.unread else is_sound()


LABELS: Final = pa.schema(
    [
        *(("candidate", pa.int64()), ("image", pa.int64()), ("rank", pa.int32()), ("score", pa.float64())),
        *(("policy", pa.int64()), ("boxes", pa.int32()), ("dataset", pa.int64()), ("name", pa.string())),
        *(("split", pa.string()), ("file", pa.int64()), ("path", pa.string())),
        *(("offset", pa.int64()), ("length", pa.int64()), ("sha256", pa.string()), ("format", pa.string())),
        *(("mode", pa.string()), ("width", pa.int32()), ("height", pa.int32()), ("detail", pa.string())),
        *(("near", pa.int64()), ("said_width", pa.int32()), ("said_height", pa.int32()), ("found_at", pa.string())),
        *(("origin", pa.string()), ("source", pa.string()), ("query", pa.string()), ("position", pa.int32())),
        *(("licence", pa.string()), ("own_licence", pa.string()), ("author", pa.string()), ("url", pa.string())),
    ]
)
"""What is read of each label: the ids of its candidate, image, policy, dataset, file and group of near-duplicates; what
was read of the image, NULL if nothing was; the size that a dataset says it has, and the address that one says it was
found at; its first sighting; and the licence, author and address that were said beside it last."""


def windows(connection: Connection, wanted: Wanted) -> list[tuple[int, int]]:
    """Half-open ranges of ranks, ascending and apart, of `AT_ONCE` labels yes at most or one rank, in which all wanted
    labels are."""
    table = _LABEL.c
    asked = select(table.rank, func.count()).where(table.rank >= 0, table.state == _YES)
    found: list[tuple[int, int]] = []
    held = 0
    for rank, count in connection.execute(asked.group_by(table.rank).order_by(table.rank)):
        if not wanted.ranks[rank]:
            continue
        if found and held + count <= AT_ONCE:
            found[-1] = found[-1][0], rank + 1
            held += count
        else:
            found.append((rank, rank + 1))
            held = count
    return found


def read_labels(connection: Connection, wanted: Wanted, window: tuple[int, int]) -> pa.Table:
    """The labels of a window of ranks that may be released, with the columns of `LABELS`, in no order."""
    table = read_arrow(connection, _labels(wanted).where(_LABEL.c.rank.between(window[0], window[1] - 1)), LABELS)
    inside = wanted.ranks[table["rank"].to_numpy()]
    return table if inside.all() else table.filter(pa.array(inside))


def _labels(wanted: Wanted) -> Select[Any]:
    candidate, image, read, said = _LABEL.c, t.image.c, t.fingerprint.c, t.annotation.c
    seen, credit, near = t.sighting.c, t.credit.c, t.near_duplicate.c
    earlier, later = t.sighting.alias("earlier").c, t.credit.alias("later").c
    first = select(func.min(earlier.id)).where(earlier.candidate_id == candidate.id).scalar_subquery()
    newest = select(func.max(later.id)).where(later.image_id == image.id).scalar_subquery()
    columns = (
        *(candidate.id, image.id, candidate.rank, candidate.posterior, candidate.policy_id, candidate.boxes),
        *(image.dataset_id, image.name, image.split, image.file_id, image.path, image.offset, image.length),
        *(read.sha256, read.format, read.mode, read.width, read.height, read.detail),
        *(func.coalesce(near.group_id, image.id), said.width, said.height, t.url.c.url),
        *(seen.origin, seen.source, seen.query, seen.position, seen.licence),
        *(credit.licence, credit.author, credit.url),
    )
    joined = (
        _LABEL.join(t.image, image.id == candidate.image_id)
        .outerjoin(t.fingerprint, read.image_id == image.id)
        .outerjoin(t.near_duplicate, near.image_id == image.id)
        .outerjoin(t.annotation, said.image_id == image.id)
        .outerjoin(t.url, t.url.c.image_id == image.id)
        .outerjoin(t.sighting, seen.id == first)
        .outerjoin(t.credit, credit.id == newest)
    )
    return wanted.question(*columns, joined=joined).where(wanted.usable(), candidate.policy_id.is_not(None))


def unread(connection: Connection, wanted: Wanted) -> list[int]:
    """The images of wanted labels that were not read yet, by id."""
    found: list[int] = _images(connection, wanted, t.fingerprint.c.image_id.is_(None)).tolist()
    return found


def count_unsound(connection: Connection, wanted: Wanted) -> int:
    """How many images of wanted labels were read and are not sound."""
    return len(_images(connection, wanted, t.fingerprint.c.image_id.is_not(None), ~is_sound()))


def _images(connection: Connection, wanted: Wanted, *conditions: ColumnElement[bool]) -> Column:
    question = wanted.question(_LABEL.c.rank, _LABEL.c.image_id).where(_LABEL.c.rank >= 0, *conditions)
    rank, image = read_all(connection, question, _LABEL.c.rank, np.int64, np.int64)
    return np.unique(image[wanted.ranks[rank]])


def count(connection: Connection, wanted: Wanted) -> int:
    """How many labels are wanted, whether they may be released or not."""
    rank = _LABEL.c.rank
    found = connection.execute(wanted.question(rank, func.count()).where(rank >= 0).group_by(rank))
    return sum(number for place, number in found if wanted.ranks[place])


def count_unknown(connection: Connection, wanted: Wanted) -> int:
    """How many labels meet the conditions, but are of synsets that the ontology does not have."""
    asked = wanted.question(func.count()).where(_LABEL.c.rank == LACKING)
    return int(connection.execute(asked).scalar_one())


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Boxes as they were said, oldest first, ``(boxes,)`` each: ids of images, places among the `wnids`, inclusive
    corners ``(boxes, 4)`` as x_min, y_min, x_max, y_max, places among the `paths` of the files that say so and the
    `kinds` of these; support, and flags ``(boxes, 4)`` in the order of `holotype.catalog.annotations.Flags`, -1 where
    nobody said."""

    image: npt.NDArray[np.int64]
    wnid: npt.NDArray[np.int32]
    corners: npt.NDArray[np.int32]
    file: npt.NDArray[np.int64]
    wnids: list[str]
    paths: list[str]
    kinds: list[str]
    support: npt.NDArray[np.float64]
    flags: npt.NDArray[np.int8]


def boxes(connection: Connection, images: npt.NDArray[np.int64]) -> Boxes:
    """The boxes of images."""
    box, names = t.box.c, Names()
    told = [func.coalesce(box[name], UNSAID) for name in ("support", *Flags._fields)]
    question = select(box.id, box.image_id, box.wnid, *(box[name] for name in BoxRow._fields[1:]), box.file_id, *told)
    corner, flag = [np.int32] * 4, [np.int8] * len(Flags._fields)
    kinds: list[Kind] = [np.int64, np.int64, names, *corner, np.int64, np.float64, *flag]
    if len(images) <= FEW:
        found = read_some(connection, question, box.image_id, np.unique(images).tolist(), *kinds)
    else:
        found = read_all(connection, question, box.id, *kinds)
        inside = np.isin(found[1], images)
        found = [column[inside] for column in found]
    order = np.argsort(found[0])
    _, image, wnid, *others = (column[order] for column in found)
    corners, (file, support), flags = others[:4], others[4:6], others[6:]
    ids, place = np.unique(file, return_inverse=True)
    said = {row.id: row for row in connection.execute(select(t.file.c.id, t.file.c.path, t.file.c.kind))}
    files = [said[number] for number in ids.tolist()]
    return Boxes(
        *(image, wnid, np.stack(corners, axis=1), place, [str(name) for name in names]),
        *([one.path for one in files], [one.kind for one in files], support, np.stack(flags, axis=1)),
    )


@dataclass(frozen=True, slots=True)
class Accepted:
    """A candidate labelled yes."""

    candidate_id: int
    sha256: str
    wnid: str
    rank: int
    policy: str


def accepted(connection: Connection, ids: Iterable[int]) -> list[Accepted]:
    """Those of these candidates that are labelled yes and whose image was read and is sound, by rank and sha256.

    Of several candidates with the same bytes and synset there is the first.
    """
    candidate, image, read = t.candidate.c, t.image.c, t.fingerprint.c
    columns = candidate.id, read.sha256, candidate.wnid, candidate.rank, t.policy.c.name
    joined = t.candidate.join(read_images(), candidate.image_id == image.id).join(
        t.policy, t.policy.c.id == candidate.policy_id
    )
    asked = select(*columns).select_from(joined).where(candidate.state == STATES.index("yes"), is_sound())
    asked = asked.where(candidate.rank >= LACKING)
    found: dict[tuple[str, str], Accepted] = {}
    for chunk in chunks(ids):
        for one in (Accepted(*row) for row in connection.execute(asked.where(candidate.id.in_(chunk)))):
            held = found.get((one.sha256, one.wnid), one)
            found[one.sha256, one.wnid] = min(held, one, key=lambda one: one.candidate_id)
    return sorted(found.values(), key=lambda one: (one.rank, one.sha256))


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """Candidates in columns, by id, ``(candidates,)`` each: ids, the sha256 of their images, or the names of those that
    were not read, and wnids."""

    candidate: npt.NDArray[np.int64]
    sha256: pa.Array
    wnid: pa.DictionaryArray


_SPOKEN: Final = pa.schema([("candidate", pa.int64()), ("sha256", pa.string()), ("wnid", pa.string())])


def spoken_of(connection: Connection, candidates: npt.NDArray[np.int64]) -> Spoken:
    """The images and synsets of candidates, by ascending id."""
    table = t.candidate.c
    question = select(table.id, digest(), table.wnid).select_from(t.candidate.join(t.image))
    if len(candidates) <= FEW:
        parts = [
            read_arrow(connection, question.where(table.id.in_(some)), _SPOKEN) for some in chunks(candidates.tolist())
        ]
    else:
        parts = list(_spoken_in(connection, question, candidates))
    found = pa.concat_tables([_SPOKEN.empty_table(), *parts]).sort_by("candidate").combine_chunks()
    wnid = found["wnid"].combine_chunks().dictionary_encode()
    return Spoken(found["candidate"].to_numpy(), found["sha256"].combine_chunks(), wnid)


def _spoken_in(connection: Connection, question: Select[Any], candidates: npt.NDArray[np.int64]) -> Iterator[pa.Table]:
    """Those of the ascending `candidates`, read in ranges of ids."""
    for some in np.array_split(candidates, -(-len(candidates) // AT_ONCE)):
        table = read_arrow(connection, question.where(t.candidate.c.id.between(int(some[0]), int(some[-1]))), _SPOKEN)
        yield table.filter(pa.array(np.isin(table["candidate"].to_numpy(), some)))


_IMAGES: Final = pa.schema([(name, pa.string()) for name in ("name", "split", "sha256", "url", "author")])


def images_of(connection: Connection, dataset: int) -> pa.Table:
    """The images of a dataset: name there, split, sha256, or NULL where it was not read, address and author."""
    image, credit, later = t.image.c, t.credit.c, t.credit.alias("later").c
    newest = select(func.max(later.id)).where(later.image_id == image.id).scalar_subquery()
    url = func.coalesce(func.nullif(credit.url, ""), t.url.c.url)
    joined = (
        t.image.outerjoin(t.fingerprint, t.fingerprint.c.image_id == image.id)
        .outerjoin(t.url, t.url.c.image_id == image.id)
        .outerjoin(t.credit, credit.id == newest)
    )
    asked = select(image.name, image.split, t.fingerprint.c.sha256, url, credit.author).select_from(joined)
    return read_arrow(connection, asked.where(image.dataset_id == dataset).order_by(image.id), _IMAGES).combine_chunks()


def sound_digests(connection: Connection) -> pa.Array:
    """The sha256 of all sound images that were read, by the images' ids."""
    read = t.fingerprint.c
    asked = select(read.sha256).where(is_sound()).order_by(read.image_id)
    return (
        read_arrow(connection, asked, pa.schema([("sha256", pa.string())])).combine_chunks()["sha256"].combine_chunks()
    )


def names(connection: Connection) -> tuple[dict[int, str], dict[int, str]]:
    """The names of policies and of datasets, by their ids."""
    found = [dict(map(tuple, connection.execute(select(table.c.id, table.c.name)))) for table in (t.policy, t.dataset)]
    return found[0], found[1]


def dataset_names(connection: Connection) -> list[str]:
    """The names of all datasets, sorted."""
    return sorted(connection.execute(select(t.dataset.c.name).where(t.dataset.c.id != t.OWN)).scalars())


def dataset_ids(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The ids of datasets by name, of those that there are."""
    rows = connection.execute(select(t.dataset.c.name, t.dataset.c.id).where(t.dataset.c.name.in_(list(names))))
    return dict(map(tuple, rows))


@dataclass(frozen=True, slots=True)
class Holder:
    """A file or folder that images lie in, with its dataset's name."""

    id: int
    dataset: str
    kind: str
    path: str
    size: int
    mtime_ns: int


def holders(connection: Connection, ids: Iterable[int]) -> list[Holder]:
    """Files by their ids, ascending."""
    file = t.file.c
    asked = select(file.id, t.dataset.c.name, file.kind, file.path, file.size, file.mtime_ns).join(t.dataset)
    rows = (connection.execute(asked.where(file.id.in_(chunk))) for chunk in chunks(ids))
    return sorted((Holder(*row) for some in rows for row in some), key=lambda one: one.id)


def any_in(connection: Connection, candidates: Iterable[int], datasets: Sequence[int]) -> bool:
    """Whether any of some candidates is of an image of these datasets."""
    candidate, image = t.candidate.c, t.image.c
    asked = select(candidate.id).select_from(t.candidate.join(t.image)).where(image.dataset_id.in_(list(datasets)))
    return any(connection.execute(asked.where(candidate.id.in_(some)).limit(1)).first() for some in chunks(candidates))


def held_at(connection: Connection) -> set[tuple[str, int, int]]:
    """The path, size and time of change of every file and folder that images of datasets lie in."""
    file = t.file.c
    return set(map(tuple, connection.execute(select(file.path, file.size, file.mtime_ns))))


def policies(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """What those of some candidates that are labelled yes were drawn by."""
    candidate = t.candidate.c
    asked = select(candidate.id, t.policy.c.name).join(t.policy).where(candidate.state == STATES.index("yes"))
    found = (connection.execute(asked.where(candidate.id.in_(chunk))) for chunk in chunks(ids))
    return {number: name for rows in found for number, name in rows}


def add(connection: Connection, name: str, checksum: str, at: float) -> None:
    """Append a release, its name and the sha256 of its checksum file, unless just that is known."""
    if checksums(connection).get(name) == checksum:
        return
    connection.execute(insert(t.release).values(name=name, checksum=checksum, at=at))


def checksums(connection: Connection) -> dict[str, str]:
    """Name and checksum of every release, oldest first."""
    table = t.release
    rows = connection.execute(select(table.c.name, table.c.checksum).order_by(table.c.at))
    return {row.name: row.checksum for row in rows}
