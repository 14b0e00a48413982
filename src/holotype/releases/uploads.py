"""A release that is made in a bucket: claimed first, filled file by file, and there when its list of checksums is.

Beside ``releases/NAME/`` lies ``releases/.NAME.work/``: who makes it, the plan that all bytes follow from, and for each
plan a note of each shard, and the list of checksums. Each of these is put there before what it speaks of, and never
written over. So whoever makes the same release at the same time, or goes on with one that was stopped, on whichever
machine, writes the same bytes under the same names; and whoever would write others is told so before anything is.

A plan is given up for another only where all who ever followed it made it beside one folder of one running system,
where a lock tells that no other process does now. For that, whoever makes the release says so before it reads the
plan, and whoever gives a plan up looks once more who does when the new one is there: one of two who do both at the same
time stops, whatever the order.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from holotype.errors import BucketGone, ObjectExists, OtherMaking, ReleaseError
from holotype.releases.layout import CHECKSUMS, NAMES, SHARD
from holotype.store.bucket import Bucket

_PLAN: Final = "plan"
_MAKERS: Final = "makers"
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_LARGEST_NOTE: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Uploads:
    """What is in the `bucket` of a release that is made by a `maker`: the sizes of its files by name (`there`), and the
    names of the notes (`noted`), as they were at the beginning. `notes` are those of its `plan`."""

    bucket: Bucket
    work: Bucket
    maker: str
    plan: str = ""
    there: Mapping[str, int] = field(default_factory=dict)
    noted: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def to(cls, bucket: Bucket, maker: str = "") -> Uploads:
        """Nothing yet, for a release in a bucket, made by a maker as `maker_beside` tells it. Raises `ReleaseError`
        where one is there."""
        uploads = cls(bucket, _work_of(bucket), maker)
        uploads.check_free()
        return uploads

    @property
    def notes(self) -> Bucket:
        """Where the notes of the plan are."""
        return self.work.under(hashlib.sha256(self.plan.encode()).hexdigest()[:16])

    def check_free(self) -> None:
        """Raises `ReleaseError` where a release is there."""
        if self.bucket.state(CHECKSUMS) is not None:
            raise ReleaseError(f"{self.bucket.url} is there already: releases are never changed, choose another name")

    def begin(self, plan: str) -> Uploads:
        """Claim the place for a release that follows from a plan; with what is there of that. Raises `OtherMaking`
        where it is claimed for another one that somebody may be making."""
        mark = f"{_MAKERS}/{self.maker or secrets.token_hex(8)}"
        was_here = self.work.state(mark) is not None
        self.work.create(mark, b"")
        try:
            self.work.create(_PLAN, plan.encode())
        except ObjectExists:
            try:
                self._take_over(plan)
            except OtherMaking:
                if not was_here:
                    self.work.remove(mark)
                raise
        begun = replace(self, plan=plan, there={name: state.size for name, state in self.bucket.names()})
        return replace(begun, noted={name: state.size for name, state in begun.notes.names()})

    def _take_over(self, plan: str) -> None:
        before = self._read_plan()
        if not self._is_mine():
            raise OtherMaking(self.bucket.url)
        self.work.remove(_PLAN)
        self._claim(self.work, _PLAN, plan.encode())
        if not self._is_mine():
            self.work.remove(_PLAN)
            self._claim(self.work, _PLAN, before)
            raise OtherMaking(self.bucket.url)

    def _is_mine(self) -> bool:
        """Whether nobody but this maker has ever begun here."""
        return bool(self.maker) and [name for name, _ in self.work.names(f"{_MAKERS}/")] == [f"{_MAKERS}/{self.maker}"]

    def _read_plan(self) -> bytes:
        try:
            return self.work.read_whole(_PLAN, _LARGEST_NOTE)
        except (BucketGone, EOFError):
            return b""

    def note(self, shard: str) -> bytes | None:
        """The note of a shard that was begun, if there is one."""
        size = self.noted.get(_noted(shard))
        if size is None or size > _LARGEST_NOTE:
            return None
        try:
            return self.notes.read(_noted(shard), 0, size)
        except (BucketGone, EOFError):
            return None

    def put(self, path: Path, note: bytes) -> None:
        """Upload a shard, and take it away here. Raises `ReleaseError` where others have noted other bytes of it, or
        the plan was given up."""
        self._check_plan()
        self._claim(self.notes, _noted(path.name), note)
        if _noted(path.name) not in self.noted or self.there.get(path.name) != path.stat().st_size:
            self.bucket.upload(path.name, path)
        path.unlink()

    def finish(self, folder: Path, listing: bytes) -> None:
        """Upload all files of a folder, take away what a plan that was given up left, and last upload the list of their
        checksums, by which the release is there."""
        self._check_plan()
        self._claim(self.notes, CHECKSUMS, listing)
        for path in sorted(folder.iterdir()):
            if path.name != CHECKSUMS:
                self.bucket.upload(path.name, path)
        listed = {line[66:] for line in listing.decode().splitlines()}
        for name in [name for name, _ in self.bucket.names() if _is_of_a_release(name) and name not in listed]:
            self.bucket.remove(name)
        self._check_plan()
        self._claim(self.bucket, CHECKSUMS, listing)

    def _check_plan(self) -> None:
        if self._read_plan() != self.plan.encode():
            raise OtherMaking(self.bucket.url)

    def _claim(self, where: Bucket, key: str, data: bytes) -> None:
        try:
            where.create(key, data)
        except ObjectExists as error:
            raise OtherMaking(self.bucket.url) from error


def maker_beside(folder: Path) -> str:
    """Who makes a release beside a folder: one name for all processes that the lock there keeps apart; "" where none
    tells which system is running."""
    try:
        boot, at = _BOOT.read_text(), folder.parent.stat()
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {at.st_dev} {at.st_ino} {folder.name}".encode()).hexdigest()[:16]


def abandon(bucket: Bucket) -> int:
    """Take away what is there of a release that is not finished, and that nobody is making any more; how many objects:
    none where nobody ever began one, whatever lies there.

    The plan goes first: who is making it after all stops at the next shard; and what tells that one was begun goes
    last. Raises `ReleaseError` where the release is there, or was finished meanwhile.
    """
    uploads = Uploads.to(bucket)
    if next(uploads.work.names(), None) is None:
        return 0
    uploads.work.remove(_PLAN)
    uploads.check_free()
    left = [(bucket, name) for name, _ in bucket.names() if _is_of_a_release(name) and name != CHECKSUMS]
    left += [(uploads.work, name) for name, _ in uploads.work.names()]
    for where, name in left:
        where.remove(name)
    return len(left)


def _is_of_a_release(name: str) -> bool:
    return name in NAMES or SHARD.fullmatch(name) is not None


def _work_of(bucket: Bucket) -> Bucket:
    return beside(bucket, f".{bucket.url.rpartition('/')[2]}.work")


def beside(bucket: Bucket, name: str) -> Bucket:
    """The place called `name` next to another in a bucket. Raises `ReleaseError` where that is the bucket itself."""
    parent = bucket.url.rpartition("/")[0]
    if parent.endswith(":/"):
        raise ReleaseError(f"{bucket.url} is a whole bucket: nothing lies next to it")
    return Bucket(f"{parent}/{name}")


def _noted(shard: str) -> str:
    return f"{shard}.note"
