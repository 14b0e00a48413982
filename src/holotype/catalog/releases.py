"""Questions about releases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from holotype.catalog import schema as t
from holotype.catalog.fingerprints import orientation
from holotype.catalog.images import is_sound, read_images
from holotype.catalog.locations import location_columns
from holotype.catalog.schema import STATES
from holotype.catalog.statements import chunks
from holotype.store.location import Location


@dataclass(frozen=True, slots=True)
class Accepted:
    """A candidate labelled yes, with its image as it goes into a release; `group_id` is of its near-duplicates."""

    candidate_id: int
    image_id: int
    wnid: str
    rank: int
    posterior: float
    policy: str
    boxes: int
    dataset: str
    name: str
    split: str
    sha256: str
    format: str
    mode: str
    width: int
    height: int
    group_id: int
    orientation: int
    location: Location


def accepted(connection: Connection, ids: Iterable[int]) -> list[Accepted]:
    """Those of these candidates that are labelled yes and whose image was read and is sound, by rank and sha256.

    Of several candidates with the same bytes and synset there is the first.
    """
    candidate, image, read, near = t.candidate.c, t.image.c, t.fingerprint.c, t.near_duplicate.c
    columns = (
        *(candidate.id, candidate.image_id, candidate.wnid, candidate.rank, candidate.posterior, t.policy.c.name),
        *(candidate.boxes, t.dataset.c.name, image.name, image.split),
        *(read.sha256, read.format, read.mode, read.width, read.height),
        *(func.coalesce(near.group_id, image.id), read.detail),
    )
    joined = (
        t.candidate.join(read_images(), candidate.image_id == image.id)
        .join(t.dataset, t.dataset.c.id == image.dataset_id)
        .join(t.policy, t.policy.c.id == candidate.policy_id)
        .outerjoin(t.near_duplicate, near.image_id == image.id)
    )
    wanted = candidate.state == STATES.index("yes"), is_sound()
    asked = select(*columns, *location_columns()).select_from(joined).where(*wanted)
    found: dict[tuple[str, str], Accepted] = {}
    for chunk in chunks(ids):
        for row in connection.execute(asked.where(candidate.id.in_(chunk)).order_by(candidate.id)):
            *values, detail = row[: len(columns)]
            one = Accepted(*(*values, orientation(detail), Location(*row[len(columns) :])))
            held = found.get((one.sha256, one.wnid), one)
            found[one.sha256, one.wnid] = min(held, one, key=lambda one: one.candidate_id)
    return sorted(found.values(), key=lambda one: (one.rank, one.sha256))


def boxes(connection: Connection, images: Iterable[int]) -> Iterator[tuple[int, str, int, int, int, int, str]]:
    """The boxes of images as they were said: image, wnid, inclusive corners, the path of the file that says so."""
    box = t.box.c
    asked = (
        select(box.image_id, box.wnid, box.x_min, box.y_min, box.x_max, box.y_max, t.file.c.path)
        .join(t.file, t.file.c.id == box.file_id)
        .order_by(box.id)
    )
    for chunk in chunks(images):
        for row in connection.execute(asked.where(box.image_id.in_(chunk))):
            yield tuple(row)


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
