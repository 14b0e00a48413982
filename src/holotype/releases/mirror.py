"""A copy of what a release in a bucket says: all of its files but shards, in the user's cache.

It lies in a folder of its own for each URL and each ``SHA256SUMS``, and every file is held against that when the
release is opened: what was damaged here is got again, what was changed there is never shown. It counts as what else is
in the cache does, and goes when it was used longest ago; but never while a process lives that opened it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from holotype.engine import map_batches
from holotype.errors import BucketError, BucketGone, ReleaseError
from holotype.files import sha256_file, write_atomically
from holotype.releases.layout import CHECKSUMS, NAMES, SHARD
from holotype.releases.release import Release, read_checksums
from holotype.store.bucket import Bucket, is_url
from holotype.store.cache import SHELF, default_cache
from holotype.store.held import hold
from holotype.store.reach import Folders

_LARGEST_LIST: Final = 64 << 20
"""Bytes of a list of checksums: half a million shards."""
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Mirror:
    """The release that lies in a `bucket`, whose ``SHA256SUMS`` is `listing`, and the folder of its copy."""

    bucket: Bucket
    listing: bytes
    folder: Path

    @property
    def checksum(self) -> str:
        """The sha256 of the list of checksums."""
        return hashlib.sha256(self.listing).hexdigest()

    def listed(self) -> dict[str, str]:
        """The sha256 of each file by its name. Raises `ReleaseError` where there are other files than a release has."""
        found = read_checksums(self.listing, f"{self.bucket.url}/{CHECKSUMS}")
        if lost := [name for name in found if name not in NAMES and not SHARD.fullmatch(name)]:
            raise ReleaseError(f"{self.bucket.url}/{CHECKSUMS} lists {lost[0]}, which is no part of a release")
        return found

    def fill(self) -> list[str]:
        """Get what is missing here; the names of files that are gone there, or do not have their checksums any more.
        Where another process is at it, it is waited for.

        Raises `ReleaseError` where the disk has no room for them twice: who made the release may have put anything
        there.
        """
        if not self._missing() and _is_sound(self.folder / CHECKSUMS, self.checksum):
            return []
        with _alone(self.folder) as work:
            missing = self._missing()
            self._check_room(missing)
            there = map_batches(partial(self._got, work), missing.items(), workers=_AT_ONCE, kind="threads")
            wrong = [name for name, sound in zip(missing, there, strict=True) if not sound]
            write_atomically(work / CHECKSUMS, self.listing)
            (work / CHECKSUMS).replace(self.folder / CHECKSUMS)
        default_cache().sweep()
        return wrong

    def release(self, archives: Folders = ()) -> Release:
        """The release. Raises `ReleaseError` where anything but its shards is not as it was made."""
        wrong = self.fill()
        if wrong:
            raise ReleaseError(f"{self.bucket.url}/{sorted(wrong)[0]} is gone or does not have its checksum any more")
        return Release(self.folder, archives=archives, shards=self.bucket)

    def _missing(self) -> dict[str, str]:
        """The files that are to be got, and their checksums."""
        wanted = {name: digest for name, digest in self.listed().items() if not SHARD.fullmatch(name)}
        return {name: digest for name, digest in wanted.items() if not _is_sound(self.folder / name, digest)}

    def _got(self, work: Path, file: tuple[str, str]) -> bool:
        """Get a file, which has its name here once it is known to be sound."""
        name, digest = file
        try:
            self.bucket.fetch(name, work / name)
        except BucketGone:
            return False
        if sha256_file(work / name) != digest:
            return False
        (work / name).replace(self.folder / name)
        return True

    def _check_room(self, names: Collection[str]) -> None:
        states = map_batches(self.bucket.state, names, workers=_AT_ONCE, kind="threads")
        needed, free = sum(state.size for state in states if state is not None), shutil.disk_usage(self.folder).free
        if 2 * needed > free:
            raise ReleaseError(
                f"what {self.bucket.url} says is {needed / 1e9:.1f} GB beside its shards, but there are only "
                f"{free / 1e9:.1f} GB for it, and for others, in {self.folder}"
            )


def find_mirror(bucket: Bucket, cache: Path | None = None) -> Mirror:
    """The release in a bucket, as it is there now. Raises `ReleaseError` where there is none: one that is being made
    is none yet."""
    state = bucket.state(CHECKSUMS)
    if state is None:
        next(bucket.names(), None)  # says whether there is such a bucket
        raise ReleaseError(f"there is no release at {bucket.url}")
    if state.size > _LARGEST_LIST:
        raise ReleaseError(f"{bucket.url}/{CHECKSUMS} has {state.size:,} bytes, which none of a release has")
    try:
        listing = bucket.read_whole(CHECKSUMS, _LARGEST_LIST)
    except EOFError as error:
        raise BucketError(f"{bucket.url}/{CHECKSUMS}", "it is another object than it was") from error
    return Mirror(bucket, listing, _folder(bucket, hashlib.sha256(listing).hexdigest(), cache))


def known_mirror(bucket: Bucket, checksum: str, cache: Path | None = None) -> Mirror:
    """The release in a bucket whose ``SHA256SUMS`` had this sha256 when it was made; nothing is asked there where all
    of it but its shards is here. Raises `ReleaseError` where there is none, or another one."""
    folder = _folder(bucket, checksum, cache)
    if _is_sound(folder / CHECKSUMS, checksum):
        return Mirror(bucket, (folder / CHECKSUMS).read_bytes(), folder)
    found = find_mirror(bucket, cache)
    if found.checksum != checksum:
        raise ReleaseError(f"{bucket.url} is not the release that was made: its {CHECKSUMS} is another")
    return found


def open_release(where: str | os.PathLike[str], archives: Folders = ()) -> Release:
    """The release in a folder, or at a URL like ``s3://bucket/birds/releases/v1``.

    Its tables and documents are copied into the user's cache and checked; images are read from the bucket when they are
    asked for. `archives` are folders from below which it may read images that it left where they lay.

    Raises `ReleaseError` where there is none, or what it says was changed, and `BucketError`.
    """
    if is_url(where):
        return find_mirror(Bucket(str(where))).release(archives)
    return Release(Path(where), archives=archives)


def _folder(bucket: Bucket, checksum: str, cache: Path | None) -> Path:
    """The folder of a copy, which this process holds from now on."""
    place = hashlib.sha256(bucket.url.encode()).hexdigest()[:16]
    folder = (cache or user_cache_path("holotype")) / SHELF / f"{place}-{checksum[:32]}"
    hold(folder)
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """Wait until no other process gets files of a folder, and make it; with an empty one in it for what is on its way,
    which goes in the end. One that a killed process left goes first."""
    work = folder / ".work"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".work.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _is_sound(path: Path, digest: str) -> bool:
    """Whether a plain file is there and has this sha256; it is read again when anything about it has changed."""
    try:
        found = path.stat(follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            return False
        return _digest(path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns) == digest
    except OSError:
        return False


@lru_cache(maxsize=1024)
def _digest(path: Path, *_: int) -> str:
    return sha256_file(path)
