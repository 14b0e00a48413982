"""Withdrawing images: they are used nowhere any more, until they are restored; releases that were made stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from holotype.catalog import candidates, near_duplicates, schema, withdrawals
from holotype.catalog.images import Named, with_ids
from holotype.catalog.statements import chunks
from holotype.crowd.conclusion import Policy
from holotype.errors import CrowdError
from holotype.project.conclusions import redraw
from holotype.project.facts import check_reason, person
from holotype.project.fingerprints import fingerprint_images
from holotype.project.image_names import images_called
from holotype.project.parts import Parts


def withdraw(
    parts: Parts, names: Iterable[str], withdrawn: bool, curator: str, reason: str, policy: Policy | None = None
) -> int:
    """Withdraw images, or restore them, with all that have the same bytes; how many different ones that changed.

    See `holotype.project.images.Images.withdraw`.
    """
    name = person(curator, "a curator")
    check_reason(reason)
    digests = _digests(parts, list(dict.fromkeys(names)))

    def work(connection: Connection) -> int:
        new = withdrawals.say(connection, digests, withdrawn, name, reason, parts.clock())
        images = _with_bytes(connection, new)
        if not withdrawn:
            candidates.rest(connection, withdrawals.release(connection, images))
        withdrawals.hold(connection)
        if new:
            near_duplicates.forget(connection)
            candidates.changed(connection, images)
        return len(new)

    if withdrawn and policy is None:  # others stay as they are: who takes one image away asks nobody about the rest
        return parts.catalog.transact(work)
    return redraw(parts, work, policy)[0]


def _digests(parts: Parts, names: Sequence[str]) -> list[str]:
    """The sha256 of images by any name; those that were not read yet are. Raises `CrowdError` where one cannot be."""
    with parts.catalog.read() as connection:
        found = images_called(connection, names)
    if unread := [image.id for image in found.values() if not image.sha256]:
        fingerprint_images(parts.catalog, parts.store, unread)
        with parts.catalog.read() as connection:
            again = with_ids(connection, unread)
        found = {name: again.get(image.id, image) for name, image in found.items()}
    if lost := [image for image in found.values() if not image.sha256]:
        raise CrowdError(_unreadable(lost))
    return sorted({image.sha256 for image in found.values()})


def _unreadable(lost: Sequence[Named]) -> str:
    return f"{len(lost):,} of these images cannot be read now, the first is {lost[0].origin}: bring its archive back"


def _with_bytes(connection: Connection, digests: Iterable[str]) -> list[int]:
    """The ids of all images with these bytes."""
    read = schema.fingerprint.c
    asked = (select(read.image_id).where(read.sha256.in_(chunk)) for chunk in chunks(digests))
    return [number for one in asked for number in connection.execute(one).scalars()]
