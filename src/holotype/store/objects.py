"""Places in an object store as paths: named, joined and listed as folders and files are, and read by ranges."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PosixPath
from typing import Final

from holotype.store.bucket import Bucket, ObjectState, is_url

_SCHEMES: Final = ("s3:/", "gs:/", "az:/")


@cache
def bucket_of(root: str) -> Bucket:
    """The one bucket of a name, ``s3://NAME``, in this process: its counts are those of all that is read there."""
    return Bucket(root)


def place(path: str | os.PathLike[str]) -> Path:
    """A path as it is meant: one in an object store where it is a URL, else one on a disk.

    Raises `BucketError` for a URL that names no bucket, or that holds more than a place: it may be secret.
    """
    text = os.fspath(path)
    return at_url(text) if is_url(text) else Path(text)


def at_url(url: str) -> ObjectPath:
    """The place that a URL names. Raises `BucketError` for one that names none."""
    return ObjectPath(Bucket(url).url)


class ObjectPath(PosixPath):
    """An object, or a prefix that objects lie below, which is taken for a folder; there are no links.

    Each question is a request. Raises `BucketError` where the store does not answer.
    """

    __slots__ = ()

    def __str__(self) -> str:
        """The URL."""
        text = super().__str__()
        return f"{text[:4]}/{text[4:]}" if text.startswith(_SCHEMES) and text[4:5] != "/" else text

    def __fspath__(self) -> str:
        return str(self)

    @property
    def bucket(self) -> Bucket:
        """The bucket it lies in."""
        return bucket_of(f"{self.parts[0]}//{self.parts[1]}")

    @property
    def key(self) -> str:
        """The key in the bucket."""
        return "/".join(self.parts[2:])

    def absolute(self) -> ObjectPath:
        """Itself."""
        return self

    def resolve(self, *_: bool, **__: bool) -> ObjectPath:
        """Itself."""
        return self

    def stat(self, **_: bool) -> os.stat_result:
        """Size in bytes and time of change. Raises FileNotFoundError where there is neither object nor prefix."""
        state = self.bucket.state(self.key) if self.key else None
        if state is not None:
            return status_of(state)
        if self.is_dir():
            return os.stat_result((stat.S_IFDIR, *[0] * 9))
        raise FileNotFoundError(2, "there is no such object", str(self))

    def lstat(self) -> os.stat_result:
        """As `stat`."""
        return self.stat()

    def exists(self, **_: bool) -> bool:
        """Whether there is an object, or a prefix that objects lie below."""
        return self.is_file() or self.is_dir()

    def is_file(self, **_: bool) -> bool:
        """Whether there is an object."""
        return bool(self.key) and self.bucket.state(self.key) is not None

    def is_dir(self, **_: bool) -> bool:
        """Whether objects lie below it."""
        return next(self.bucket.names(f"{self.key}/" if self.key else ""), None) is not None

    def is_symlink(self) -> bool:
        """False."""
        return False

    def iterdir(self) -> Generator[ObjectPath, None, None]:
        """What lies right below it, in order."""
        return (self / one.name for one in entries_of(self))

    def glob(self, pattern: str) -> Generator[ObjectPath, None, None]:
        """What lies right below it and is called so: patterns of one name."""
        return (one for one in self.iterdir() if one.match(pattern))


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """An object, or a prefix, below another prefix: its `name` there, and what is known of it from the listing."""

    name: str
    path: str
    state: ObjectState | None

    def is_dir(self, **_: bool) -> bool:
        """Whether it is a prefix."""
        return self.state is None

    def is_file(self, **_: bool) -> bool:
        """Whether it is an object."""
        return self.state is not None

    def is_symlink(self) -> bool:
        """False."""
        return False

    def stat(self, **_: bool) -> os.stat_result:
        """Size and time of change of an object."""
        return os.stat_result((stat.S_IFDIR, *[0] * 9)) if self.state is None else status_of(self.state)


def entries_of(folder: ObjectPath) -> Iterator[ObjectEntry]:
    """What lies right below a prefix, in order of keys: a thousand objects a request, and a prefix at once whatever
    lies below it. Objects whose keys are no paths, as those with an empty part, are left out."""
    front, last = f"{folder.key}/" if folder.key else "", ""
    for key, state in folder.bucket.names(front):
        inner = key[len(front) :]
        if "/" in inner:
            yield from _after(folder, front, last)
            return
        if inner:
            last = key
            yield ObjectEntry(inner, f"{folder}/{inner}", state)


def _after(folder: ObjectPath, front: str, last: str) -> Iterator[ObjectEntry]:
    """What lies right below a prefix that has others below it, behind the `last` object that was named."""
    folders, objects = folder.bucket.beneath(front)
    found = [(f"{key}/", None) for key in folders] + [(key, state) for key, state in objects if key > last]
    for key, state in sorted(found, key=lambda one: one[0]):
        if name := key[len(front) :].strip("/"):
            yield ObjectEntry(name, f"{folder}/{name}", state)


def statuses_below(folder: ObjectPath) -> Iterator[tuple[str, os.stat_result]]:
    """Every object below a prefix: its path from there, and its size and time of change."""
    front = f"{folder.key}/" if folder.key else ""
    return ((key[len(front) :], status_of(state)) for key, state in folder.bucket.names(front))


def status_of(state: ObjectState) -> os.stat_result:
    """The state of an object as that of a plain file."""
    seconds = state.mtime_ns / 1e9
    told = {"st_mtime_ns": state.mtime_ns, "st_ctime_ns": state.mtime_ns}
    return os.stat_result((stat.S_IFREG, 0, 0, 0, 0, 0, state.size, seconds, seconds, seconds), told)
