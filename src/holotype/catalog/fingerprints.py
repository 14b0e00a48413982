"""Questions about what was read of images' bytes, and what was not read yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, delete, func, select

from holotype.catalog import candidates, near_duplicates, withdrawals
from holotype.catalog import schema as t
from holotype.catalog.images import is_sound, read_images
from holotype.catalog.locations import location_columns
from holotype.catalog.statements import add_rows, chunks, held
from holotype.store.location import Location


def unread(connection: Connection, after: int, limit: int) -> list[tuple[int, Location]]:
    """The first images that were not read beyond id `after`, by id, and where their bytes lie."""
    rows = connection.execute(_unread().where(t.image.c.id > after).order_by(t.image.c.id).limit(limit))
    return [(number, Location(*location)) for number, *location in rows]


def unread_of(connection: Connection, ids: Iterable[int]) -> list[tuple[int, Location]]:
    """Those of some images that were not read, and where their bytes lie."""
    asked = (_unread().where(t.image.c.id.in_(chunk)) for chunk in chunks(ids))
    return [(number, Location(*location)) for one in asked for number, *location in connection.execute(one)]


def _unread() -> Select[Any]:
    return (
        select(t.image.c.id, *location_columns()).select_from(read_images()).where(t.fingerprint.c.image_id.is_(None))
    )


def read_counts(connection: Connection) -> tuple[int, int]:
    """Number of images, and of those that were read."""
    images, done = (
        connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (t.image, t.fingerprint)
    )
    return images, done


def unsound(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Those of these images that cannot be shown, with the reason; ``unreadable`` ones were not read."""
    image, read = t.image.c, t.fingerprint.c
    reason = func.coalesce(read.reason, "unreadable")
    asked = select(image.id, reason).select_from(read_images()).where(~is_sound() | read.width.is_(None))
    rows = (row for chunk in chunks(ids) for row in connection.execute(asked.where(image.id.in_(chunk))))
    return dict(map(tuple, rows))


_TURNED: Final = "orientation "


def turned(orientation: int) -> str:
    """The detail that is kept of a sound image with another EXIF orientation than 1."""
    return f"{_TURNED}{orientation}"


def orientation(detail: str) -> int:
    """The EXIF orientation, 1 to 8, that the detail of a sound image tells."""
    return int(detail.removeprefix(_TURNED)) if detail.startswith(_TURNED) else 1


def is_turned() -> ColumnElement[bool]:
    """Whether an image that was read is a sound one with another EXIF orientation than 1."""
    read = t.fingerprint.c
    return (read.reason == "") & read.detail.startswith(_TURNED)


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append fingerprints; those another process was first to add are skipped."""
    known = held(connection, t.fingerprint.c.image_id, [row["image_id"] for row in rows])
    add_rows(connection, t.fingerprint, new := [row for row in rows if row["image_id"] not in known])
    candidates.changed(connection, images := [row["image_id"] for row in new])
    near_duplicates.wait(connection, images)
    candidates.rest(connection, withdrawals.release(connection, images))  # those whose bytes are others now
    withdrawals.hold(connection)


def seen(connection: Connection, images: Iterable[int]) -> dict[int, str]:
    """The sha256 that images had before, by id, of those that are to be read again."""
    asked = (select(t.seen).where(t.seen.c.image_id.in_(chunk)) for chunk in chunks(images, 2_000))
    return {number: sha256 for one in asked for number, sha256 in connection.execute(one)}


def digests(connection: Connection, images: Iterable[int]) -> dict[int, str]:
    """The sha256 of images that were read, now or before, by id."""
    numbers, read = list(images), t.fingerprint.c
    asked = (select(read.image_id, read.sha256).where(read.image_id.in_(chunk)) for chunk in chunks(numbers, 2_000))
    found = {number: sha256 for one in asked for number, sha256 in connection.execute(one)}
    return found | seen(connection, numbers)


def forget(connection: Connection, images: Sequence[int], overwritten: bool = False) -> None:
    """Forget what was read of images, by their ids, but the sha256: they are to have the same bytes again.

    Images that were `overwritten` may have any bytes, but for those that people have spoken of.
    """
    if images:
        near_duplicates.forget(connection)
        candidates.changed(connection, images)
    for chunk in chunks(images, 2_000):
        _keep_seen(connection, chunk, overwritten)
        for table in (t.fingerprint, t.near_duplicate, t.ungrouped):
            connection.execute(delete(table).where(table.c.image_id.in_(chunk)))


def _keep_seen(connection: Connection, images: Sequence[int], overwritten: bool) -> None:
    kept = set(images)
    if overwritten:
        kept = _spoken_of(connection, images)
        free = kept.symmetric_difference(images)
        connection.execute(delete(t.seen).where(t.seen.c.image_id.in_(free)))
    new = kept - seen(connection, images).keys()
    read = t.fingerprint.c
    rows = connection.execute(select(read.image_id, read.sha256).where(read.image_id.in_(new)))
    add_rows(connection, t.seen, [row._asdict() for row in rows])


def _spoken_of(connection: Connection, images: Sequence[int]) -> set[int]:
    candidate = t.candidate.c
    return {
        number
        for table in (t.vote, t.gold, t.overruling, t.audit_answer)
        for number in connection.execute(
            select(candidate.image_id)
            .join(table, table.c.candidate_id == candidate.id)
            .where(candidate.image_id.in_(images))
        ).scalars()
    }
