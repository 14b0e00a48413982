"""Packs in an object store: one object for each commit, written once and never changed.

A pack is named by the sha256 of its bytes, so the same commit written again, after a kill or a lost answer, is the same
object, many machines may write at once, and nobody has to look what is there. It is a whole tar, whose thumbnails come
first: what a page of pictures needs lies together. Packs that no catalog names are orphans, and do no harm.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from holotype.errors import PackError
from holotype.store.bucket import Bucket
from holotype.store.location import Location
from holotype.store.packs import THUMBNAIL, Commit
from holotype.store.tar.headers import BLOCK, parse_header
from holotype.store.tar.writing import tar_end, tar_member

_OWN: Final = re.compile(r"pack-[0-9a-f]{32}\.tar")


class PackObjects:
    """Writes packs into a place in an object store, an object for each `write`."""

    commit_at: Final = Commit(960, 64 << 20)
    orphans: Final[Mapping[str, Location]] = MappingProxyType({})

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def __enter__(self) -> PackObjects:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, members: Sequence[tuple[str, bytes]]) -> list[Location]:
        """Write members, each ``(name, data)``, as one object, thumbnails first; where they lie, in their order.

        Raises `BucketError` where the store does not take it.
        """
        if not members:
            return []
        order = sorted(range(len(members)), key=lambda number: not members[number][0].endswith(f".{THUMBNAIL}"))
        parts, places, end = list[bytes](), dict[int, int](), 0
        for number in order:
            member = tar_member(*members[number])
            places[number] = end + BLOCK
            parts.extend(member)
            end += sum(map(len, member))
        data = b"".join([*parts, tar_end(end)])
        pack = f"pack-{hashlib.sha256(data).hexdigest()[:32]}.tar"
        self._bucket.create(pack, data)
        return [Location(pack, places[number], len(data)) for number, (_, data) in enumerate(members)]

    def take_back(self, written: Sequence[Location]) -> None:
        """Nothing: another machine may have written the same object, and have told its catalog of it."""


def is_named_by_content(pack: str) -> bool:
    """Whether a pack's name follows from its bytes, so that its members tell of themselves what they are."""
    return _OWN.fullmatch(pack) is not None


def member_data(member: bytes) -> bytes:
    """The data of a member of such a pack, given with its header.

    Raises `PackError` where the header is none, or of other data: an image is named by the sha256 of its own.
    """
    header, data = member[:BLOCK], member[BLOCK:]
    try:
        _, name, size = parse_header(header)
    except ValueError as error:
        raise PackError(f"other bytes came than were written: {error}") from error
    digest, _, extension = name.decode("ascii", "replace").partition(".")
    if size != len(data) or (extension != THUMBNAIL and hashlib.sha256(data).hexdigest() != digest):
        raise PackError("other bytes came than were written")
    return data
