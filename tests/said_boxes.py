"""Boxes of people, of a machine and of an archive, said of the images of a project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from holotype.catalog import schema as t
from holotype.project import Project

FILES = {
    "archive": ("boxes", "/data/ILSVRC2012_bbox_val.tgz"),
    "people": ("drawings", "people"),
    "machine": ("detections", "machine:detr/r50"),
}
"""The kind and the path of the file that says so."""


class Said(NamedTuple):
    """A box, by whom, its support, and its flags: truncated, occluded, of a group, difficult."""

    corners: tuple[int, int, int, int]
    by: str = "archive"
    support: float | None = None
    flags: tuple[int | None, int | None, int | None, int | None] = (None, None, None, None)


MANY = (
    Said((1, 2, 30, 40), "archive", None, (1, 0, None, 0)),
    Said((5, 5, 20, 20), "people", 2 / 3, (0, 1, None, None)),
    Said((0, 0, 79, 59), "machine", 1.0, (None, None, 1, None)),
    Said((40, 10, 50, 30), "archive", None, (None, None, None, 1)),
)


def say(db: Project, boxes: Sequence[tuple[int, str, Said]]) -> None:
    """Say boxes of images, by id and wnid."""

    def work(connection: Connection) -> None:
        for image, wnid, said in boxes:
            put(connection, image, wnid, said)

    db.catalog.transact(work)


def put(connection: Connection, image: int, wnid: str, said: Said) -> None:
    """Say a box."""
    corners: dict[str, Any] = dict(zip(("x_min", "y_min", "x_max", "y_max"), said.corners, strict=True))
    flags = dict(zip(("truncated", "occluded", "group_of", "difficult"), said.flags, strict=True))
    told = {"drawing_id": None if said.by == "archive" else 7, "support": said.support}
    file = _file(connection, *FILES[said.by])
    connection.execute(insert(t.box).values(image_id=image, wnid=wnid, file_id=file, **corners, **flags, **told))
    for table, key in ((t.image, t.image.c.id), (t.candidate, t.candidate.c.image_id)):
        connection.execute(update(table).where(key == image).values(boxes=table.c.boxes + 1))


def _file(connection: Connection, kind: str, path: str) -> int:
    held = connection.execute(select(t.file.c.id).where(t.file.c.path == path)).scalar()
    if held is None:
        number = connection.execute(select(func.coalesce(func.max(t.file.c.id), 0))).scalar_one() + 1
        about = {"id": number, "dataset_id": t.OWN, "kind": kind, "path": path, "size": 0, "mtime_ns": 0, "at": 0.0}
        held = connection.execute(insert(t.file).values(**about).returning(t.file.c.id)).scalar_one()
    return int(held)


def images(db: Project) -> list[tuple[int, str]]:
    """The id and the synset of each image that is labelled yes, by id."""
    candidate = t.candidate.c
    with db.catalog.read() as connection:
        asked = select(candidate.image_id, candidate.wnid).where(candidate.state == t.STATES.index("yes"))
        return [(int(image), str(wnid)) for image, wnid in connection.execute(asked.order_by(candidate.image_id))]
