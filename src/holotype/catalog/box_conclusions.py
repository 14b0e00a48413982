"""What is concluded of boxes: those of accepted drawings, and how far candidates are covered.

Concluded again of the same facts, the rows stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from holotype.catalog import schema as t
from holotype.catalog.statements import add_rows, chunks

PEOPLE: Final = "people"
"""The path of the file, which lies nowhere, that says what boxes people drew."""
DRAWINGS, DETECTIONS = "drawings", "detections"
"""The kinds of such files: of people, and of a machine."""


class ConcludedBox(NamedTuple):
    """An instance's box: the drawing by which it is known, and who says so, by the file's id; flags are 1 or 0, None
    where nobody said."""

    drawing: int
    file: int
    x_min: int
    y_min: int
    x_max: int
    y_max: int
    support: float
    truncated: int | None
    occluded: int | None
    group_of: int | None


class Covered(NamedTuple):
    """What is concluded of a candidate: the place of its state in `COVERAGES`, and its boxes."""

    state: int
    boxes: Sequence[ConcludedBox]


class KnownBox(NamedTuple):
    """A box of an image with the kind and the path of the file that says so, and the drawing, None for an archive's."""

    wnid: str
    x_min: int
    y_min: int
    x_max: int
    y_max: int
    support: float | None
    truncated: int | None
    occluded: int | None
    group_of: int | None
    difficult: int | None
    kind: str
    path: str
    drawing: int | None


_CORNERS: Final = ("x_min", "y_min", "x_max", "y_max")
_FLAGS: Final = ("truncated", "occluded", "group_of")
_SAID: Final = ("file_id", *_CORNERS, "support", *_FLAGS)


def by_file(connection: Connection, kind: str, path: str, at: float) -> int:
    """The id of the file, which lies nowhere, of people or of a machine; it is made if it is new."""
    file = t.file.c
    held = select(file.id).where(file.dataset_id == t.OWN, file.path == path, file.kind == kind)
    if (number := connection.execute(held).scalar()) is None:
        values = {"dataset_id": t.OWN, "kind": kind, "path": path, "size": 0, "mtime_ns": 0, "at": at}
        connection.execute(insert(t.file).values(**values))
        number = connection.execute(held).scalar_one()
    return int(number)


def concluded(connection: Connection, candidates: Iterable[int]) -> dict[int, list[ConcludedBox]]:
    """The boxes that are concluded of some candidates, by their ids."""
    found: dict[int, list[ConcludedBox]] = {}
    for some in chunks(candidates):
        about = _images(connection, some)
        candidate = {pair: number for number, pair in about.items()}
        for _, image, wnid, *told in _concluded(connection, [image for image, _ in about.values()]):
            if (image, wnid) in candidate:
                found.setdefault(candidate[image, wnid], []).append(ConcludedBox(*told))
    return found


def _concluded(connection: Connection, images: Sequence[int]) -> Iterable[Any]:
    """The concluded boxes of images: the id, the image, the synset, the drawing, and what is said of it."""
    table = t.box.c
    columns = table.id, table.image_id, table.wnid, table.drawing_id, *(table[name] for name in _SAID)
    return connection.execute(select(*columns).where(table.drawing_id.is_not(None), table.image_id.in_(images)))


def drop(connection: Connection, candidates: Iterable[int]) -> None:
    """Conclude nothing of candidates: their boxes go, but for those of archives."""
    numbers = list(candidates)
    for some in chunks(numbers):
        about = _images(connection, some)
        _put_boxes(connection, dict.fromkeys(about, ()), about)
        connection.execute(delete(t.coverage).where(t.coverage.c.candidate_id.in_(some)))


def put(connection: Connection, found: Mapping[int, Covered], policy: int, at: float) -> int:
    """Write what is concluded of candidates, by their ids; of how many it is something else than before."""
    changed = 0
    for some in chunks(found, 2_000):
        about = _images(connection, some)
        moved = _put_boxes(connection, {number: found[number].boxes for number in some if number in about}, about)
        told = {number: found[number] for number in some if number in about}
        changed += len(moved | _put_states(connection, told, policy, at))
    return changed


def _images(connection: Connection, candidates: Collection[int]) -> dict[int, tuple[int, str]]:
    """The image and the synset of each candidate that is there."""
    table = t.candidate.c
    asked = select(table.id, table.image_id, table.wnid).where(table.id.in_(candidates))
    return {number: (image, wnid) for number, image, wnid in connection.execute(asked)}


def _put_boxes(
    connection: Connection, boxes: Mapping[int, Sequence[ConcludedBox]], about: Mapping[int, tuple[int, str]]
) -> set[int]:
    """Write the boxes of candidates; those of which something is new."""
    candidate = {pair: number for number, pair in about.items()}
    table, images = t.box, [image for image, _ in about.values()]
    there = {
        (candidate[image, wnid], drawing): (id, tuple(said))
        for id, image, wnid, drawing, *said in _concluded(connection, images)
        if (image, wnid) in candidate
    }
    wanted = {(number, one.drawing): tuple(one[1:]) for number, held in boxes.items() for one in held}
    gone = {key for key, (_, said) in there.items() if wanted.get(key) != said}
    new = {key for key, said in wanted.items() if key not in there or key in gone}
    for ids in chunks([there[key][0] for key in gone]):
        connection.execute(delete(table).where(table.c.id.in_(ids)))
    rows = [_row(about[number], drawing, wanted[number, drawing]) for number, drawing in sorted(new)]
    add_rows(connection, table, rows)
    touched = {number for number, _ in gone | new}
    recount(connection, {about[number][0] for number in touched})
    return touched


def _row(about: tuple[int, str], drawing: int, said: Sequence[Any]) -> dict[str, Any]:
    image, wnid = about
    return {"image_id": image, "wnid": wnid, "drawing_id": drawing} | dict(zip(_SAID, said, strict=True))


def recount(connection: Connection, images: Iterable[int]) -> None:
    """Say anew how many boxes images have."""
    for some in chunks(images):
        for table, key in ((t.image, t.image.c.id), (t.candidate, t.candidate.c.image_id)):
            left = select(func.count()).select_from(t.box).where(t.box.c.image_id == key).scalar_subquery()
            connection.execute(update(table).where(key.in_(some)).values(boxes=left))


def _put_states(connection: Connection, found: Mapping[int, Covered], policy: int, at: float) -> set[int]:
    """Write the states of candidates; those of which it is another one."""
    table = t.coverage
    columns = table.c.candidate_id, table.c.state, table.c.boxes, table.c.policy_id
    rows = connection.execute(select(*columns).where(table.c.candidate_id.in_(found)))
    there = {number: tuple(said) for number, *said in rows}
    wanted = {number: (one.state, len(one.boxes), policy) for number, one in found.items()}
    changed = {number: said for number, said in wanted.items() if number in there and there[number] != said}
    new = {number: said for number, said in wanted.items() if number not in there}
    names = "state", "boxes", "policy_id"
    values = [dict(zip(names, said, strict=True)) | {"number": n, "at": at} for n, said in changed.items()]
    if values:
        mine = update(table).where(table.c.candidate_id == bindparam("number"))
        connection.execute(mine.values(**{name: bindparam(name) for name in (*names, "at")}), values)
    add_rows(
        connection, table, [dict(zip(names, s, strict=True)) | {"candidate_id": n, "at": at} for n, s in new.items()]
    )
    return changed.keys() | new.keys()


def states(connection: Connection, candidates: Iterable[int] | None = None) -> dict[int, tuple[str, int]]:
    """The state and the number of boxes of all candidates of which it is known, or of some."""
    table = t.coverage.c
    asked = select(table.candidate_id, table.state, table.boxes)
    parts = (
        [asked] if candidates is None else [asked.where(table.candidate_id.in_(some)) for some in chunks(candidates)]
    )
    rows = (row for part in parts for row in connection.execute(part))
    return {number: (t.COVERAGES[state], boxes) for number, state, boxes in rows}


def boxes_of(connection: Connection, images: Iterable[int]) -> list[KnownBox]:
    """All boxes of images, by their ids, and who says so: those of archives first, each in the order they came."""
    box, file = t.box.c, t.file.c
    names = ("wnid", *_CORNERS, "support", *_FLAGS, "difficult")
    asked = select(*(box[name] for name in names), file.kind, file.path, box.drawing_id, box.id)
    asked = asked.select_from(t.box.join(t.file, file.id == box.file_id))
    rows = [row for some in chunks(images) for row in connection.execute(asked.where(box.image_id.in_(some)))]
    return [KnownBox(*row[:-1]) for row in sorted(rows, key=lambda row: (row[-2] is not None, row[-1]))]


def said_of_digests(connection: Connection) -> dict[tuple[str, str], list[tuple[int, int, int, int]]]:
    """The boxes that archives and annotators say there are, by the sha256 of their image and the wnid."""
    box, read = t.box.c, t.fingerprint.c
    asked = select(read.sha256, box.wnid, *(box[name] for name in _CORNERS))
    asked = asked.join(t.fingerprint, read.image_id == box.image_id).where(box.drawing_id.is_(None))
    found: dict[tuple[str, str], list[tuple[int, int, int, int]]] = {}
    for sha256, wnid, x_min, y_min, x_max, y_max in connection.execute(asked.order_by(box.id)):
        found.setdefault((sha256, wnid), []).append((x_min, y_min, x_max, y_max))
    return found


def wanting_a_person(connection: Connection) -> list[tuple[str, str, str]]:
    """The images labelled yes where people do not get on, each with its name, its sha256 and the synset, in ontology
    order."""
    candidate, image, read = t.candidate.c, t.image.c, t.fingerprint.c
    joined = t.coverage.join(t.candidate).join(t.image, image.id == candidate.image_id)
    joined = joined.join(t.fingerprint, read.image_id == candidate.image_id)
    asked = select(image.name, read.sha256, candidate.wnid).select_from(joined)
    asked = asked.where(t.coverage.c.state == t.COVERAGES.index("person"), candidate.state == t.STATES.index("yes"))
    rows = connection.execute(asked.order_by(candidate.rank, candidate.id))
    return [(name, sha256, wnid) for name, sha256, wnid in rows]


def last_policy(connection: Connection) -> str | None:
    """What the rules are called by which boxes were concluded last; None where none ever were."""
    asked = select(t.policy.c.name).select_from(t.coverage.join(t.policy))
    newest = t.coverage.c.at.desc(), t.coverage.c.candidate_id.desc()
    return connection.execute(asked.order_by(*newest).limit(1)).scalar()
