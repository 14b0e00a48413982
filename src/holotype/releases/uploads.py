"""A release that is made in a bucket: claimed first, filled file by file, and there when its list of checksums is.

Beside ``releases/NAME/`` lies ``releases/.NAME.work/``: the plan that all bytes follow from, a note of each shard, and
the list of checksums. Each of these is put there before what it speaks of, and never written over. So whoever makes the
same release at the same time, or goes on with one that was stopped, on whichever machine, writes the same bytes under
the same names; and whoever would write others is told so before anything is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from holotype.errors import BucketGone, ObjectExists, ReleaseError
from holotype.releases.layout import CHECKSUMS
from holotype.store.bucket import Bucket

_PLAN: Final = "plan"
_LARGEST_NOTE: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Uploads:
    """What is in the `bucket` of a release that is made: the sizes of its files by name (`there`), and the names of the
    notes (`noted`), as they were at the beginning."""

    bucket: Bucket
    work: Bucket
    there: Mapping[str, int] = field(default_factory=dict)
    noted: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def to(cls, bucket: Bucket) -> Uploads:
        """Nothing yet, for a release in a bucket. Raises `ReleaseError` where one is there."""
        name = bucket.url.rpartition("/")[2]
        uploads = cls(bucket, beside(bucket, f".{name}.work"))
        uploads.check_free()
        return uploads

    def check_free(self) -> None:
        """Raises `ReleaseError` where a release is there."""
        if self.bucket.state(CHECKSUMS) is not None:
            raise ReleaseError(f"{self.bucket.url} is there already: releases are never changed, choose another name")

    def begin(self, plan: str) -> Uploads:
        """Claim the place for a release that follows from a plan; with what is there of that. Raises `ReleaseError`
        where it is claimed for another one."""
        self._claim(_PLAN, plan.encode())
        there = {name: state.size for name, state in self.bucket.names()}
        return Uploads(self.bucket, self.work, there, {name: state.size for name, state in self.work.names()})

    def note(self, shard: str) -> bytes | None:
        """The note of a shard that was begun, if there is one."""
        size = self.noted.get(_noted(shard))
        if size is None or size > _LARGEST_NOTE:
            return None
        try:
            return self.work.read(_noted(shard), 0, size)
        except (BucketGone, EOFError):
            return None

    def put(self, path: Path, note: bytes) -> None:
        """Upload a shard, and take it away here. Raises `ReleaseError` where others have noted other bytes of it."""
        self._claim(_noted(path.name), note)
        if _noted(path.name) not in self.noted or self.there.get(path.name) != path.stat().st_size:
            self.bucket.upload(path.name, path)
        path.unlink()

    def finish(self, folder: Path, listing: bytes) -> None:
        """Upload all files of a folder, and last the list of their checksums, by which the release is there."""
        self._claim(CHECKSUMS, listing)
        for path in sorted(folder.iterdir()):
            if path.name != CHECKSUMS:
                self.bucket.upload(path.name, path)
        try:
            self.bucket.create(CHECKSUMS, listing)
        except ObjectExists as error:
            raise self._other(self.bucket) from error

    def _claim(self, key: str, data: bytes) -> None:
        try:
            self.work.create(key, data)
        except ObjectExists as error:
            raise self._other(self.work) from error

    def _other(self, where: Bucket) -> ReleaseError:
        return ReleaseError(
            f"{where.url} says that another release is made at {self.bucket.url}, of other labels, in another way or "
            "by another version: choose another name, or take both away where nobody is making it any more"
        )


def beside(bucket: Bucket, name: str) -> Bucket:
    """The place called `name` next to another in a bucket. Raises `ReleaseError` where that is the bucket itself."""
    parent = bucket.url.rpartition("/")[0]
    if parent.endswith(":/"):
        raise ReleaseError(f"{bucket.url} is a whole bucket: nothing lies next to it")
    return Bucket(f"{parent}/{name}")


def _noted(shard: str) -> str:
    return f"{shard}.note"
