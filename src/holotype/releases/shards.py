"""Shards: which image goes into which is planned first, then each is written by a worker, once and for all.

A finished shard has a note of its addresses in the work folder, written when all of its bytes are on the disk, or in
the bucket that it goes to: a writer that was stopped goes on with the shards that have none.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.engine import Progress
from holotype.errors import ReleaseError
from holotype.images.decode import EXTENSIONS, Rejected
from holotype.images.discreet import discreet
from holotype.images.variants import Stored, Variant
from holotype.releases.contents import Contents
from holotype.releases.draft import Draft
from holotype.releases.faces import NO_FACES, Faces
from holotype.releases.split import SPLITS
from holotype.store.location import Location
from holotype.store.places import Places
from holotype.store.tar.writing import tar_end, tar_member

Numbers = npt.NDArray[np.int64]
BLURRED: Final = Variant(quality=95)
"""What pictures become of which nothing is wanted but that faces are blurred."""
_READ: Final = (
    *("id", "wnid", "sha256", "format", "origin", "source", "licence", "mode", "width", "height", "orientation"),
    *("file", "offset", "length", "path"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """One shard: the places of its `images` among the release's, and the `rows` of their first labels in the draft,
    both ``(images,)`` and in the order of the manifest."""

    name: str
    images: Numbers
    rows: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """The pictures that are stored otherwise than they were, ``(pictures,)`` each: the places of their images,
    ascending; Pillow's names of format and mode, upright size in pixels, EXIF orientation and sha256."""

    image: Numbers
    format: npt.NDArray[np.str_]
    mode: npt.NDArray[np.str_]
    width: npt.NDArray[np.int32]
    height: npt.NDArray[np.int32]
    orientation: npt.NDArray[np.int8]
    sha256: npt.NDArray[np.bytes_]

    @classmethod
    def of(cls, stored: Sequence[Stored | None]) -> Pictures:
        """What is known of some pictures; None of those that are as they were."""
        made = [one for one in stored if one is not None]
        image = np.flatnonzero([one is not None for one in stored])
        return cls(image, *(np.array([getattr(one, name) for one in made], kind) for name, kind in PICTURES.items()))

    def __len__(self) -> int:
        return len(self.image)

    def find(self, image: npt.NDArray[Any]) -> tuple[npt.NDArray[np.bool_], Numbers]:
        """Which of some images are here, and the row of each that is."""
        row = np.minimum(np.searchsorted(self.image, image), len(self) - 1)
        return np.asarray(self.image[row] == image), row


PICTURES: Final[dict[str, Any]] = {
    **dict.fromkeys(("format", "mode"), "U16"),
    **dict.fromkeys(("width", "height"), np.int32),
    "orientation": np.int8,
    "sha256": "S64",
}


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """What became of a shard, ``(images,)`` each: where its images begin, how long they are, and as what they are
    stored, by their places in it; and the `sha256` and the `size` of the file."""

    offset: Numbers
    length: Numbers
    sha256: str
    size: int
    pictures: Pictures


def plan_shards(contents: Contents) -> list[Shard]:
    """The shards of a release, train's first; a new one begins where one is full."""
    kept = contents.kept
    order = np.argsort(kept.first)  # images in the order of the manifest
    found = []
    for place, name in enumerate(SPLITS):
        images = order[contents.shared.split[order] == place]
        length = kept.per_image.length[images]
        number = _filled(length, contents.recipe.shard_bytes)
        edges = np.flatnonzero(np.diff(number, prepend=-1))
        for count, some in enumerate(np.split(images, edges[1:]) if len(images) else []):
            found.append(Shard(f"{name}-{count:06d}.tar", some, kept.rows[kept.first[some]]))
    return found


def _filled(length: Numbers, most: int) -> Numbers:
    """The number of the shard of each image: one is full when it has `most` bytes."""
    ends = np.cumsum(length)
    number = np.zeros(len(length), np.int64)
    start, count = 0, 0
    while start < len(length):
        full = ends[start] - length[start] + most
        stop = int(np.searchsorted(ends, full)) + 1
        number[start:stop] = count
        start, count = stop, count + 1
    return number


@dataclass(frozen=True, slots=True, eq=False)
class ShardWriter:
    """Writes shards into `folder`, and gives each to `keep` when it is finished; `read` gives the bytes at a location.

    `wnids` are those of each image with several, in order of rank, by its place; `index` is the number of each class.
    Pictures are stored as `variant` has them; without one, those with `faces` are stored upright with these blurred,
    and all others as they are, or what is left of them when their files say nothing of people, places and devices.
    """

    folder: Path
    keep: Callable[[Path, Written], None]
    draft: Draft
    files: Sequence[Location]
    numbers: Numbers
    wnids: dict[int, list[str]]
    index: dict[str, int]
    read: Callable[[Location], bytes]
    count: Callable[[], None]
    variant: Variant | None = None
    faces: Faces = NO_FACES

    def __call__(self, shard: Shard) -> Written:
        """Write a shard. Raises `ReleaseError` where an image does not have the bytes it had."""
        path = self.folder / shard.name
        with path.open("wb") as file:
            tar, stored = _Tar(file), list[Stored | None]()
            places = [tar.add(key, members) for key, members in self._samples(shard, stored)]
            tar.end()
            os.fsync(file.fileno())
        offset, length = np.array(places, np.int64).reshape(-1, 2).T
        written = Written(offset, length, tar.digest.hexdigest(), tar.size, Pictures.of(stored))
        self.keep(path, written)
        return written

    def _samples(self, shard: Shard, stored: list[Stored | None]) -> Iterator[tuple[str, dict[str, bytes]]]:
        number = iter(shard.images.tolist())
        for table in self.draft.rows(shard.rows, *_READ):
            places = Places(
                tuple(self.files),
                np.searchsorted(self.numbers, table["file"].to_numpy()).astype(np.int32),
                table["offset"].to_numpy(),
                table["length"].to_numpy(),
                table["path"].combine_chunks(),
            )
            for at, row in enumerate(table.select([*_READ[:11]]).to_pylist()):
                image = next(number)
                wnids, picture = self.wnids.get(image, [row["wnid"]]), self._original(row, places[at])
                made = self._made(picture, self.faces.of(image))
                stored.append(None if made is picture else replace(made, data=b""))
                yield row["id"], {made.extension: made.data, **self._about(row, wnids)}
                self.count()

    def _original(self, row: dict[str, Any], location: Location) -> Stored:
        data = self.read(location)
        if hashlib.sha256(data).hexdigest() != row["sha256"]:
            raise ReleaseError(
                f"{location.file} at byte {location.offset} no longer holds image {row['sha256']}: the disk changed "
                "it, or somebody did; bring it back from a backup"
            )
        told = (row[name] for name in ("format", "mode", "width", "height", "orientation", "sha256"))
        return Stored(data, EXTENSIONS[row["format"]], *told)

    def _made(self, picture: Stored, faces: list[list[float]]) -> Stored:
        """A picture as it is to be stored; the same where that is as it is."""
        try:
            if self.variant is None and not faces:
                return discreet(picture)
            return (self.variant or BLURRED)(picture.data, faces)
        except Rejected as error:
            raise ReleaseError(f"image {picture.sha256} cannot be stored in another form: {error}") from error

    def _about(self, row: dict[str, Any], wnids: list[str]) -> dict[str, bytes]:
        about = {"wnids": wnids, **{key: row[key] for key in ("origin", "source", "licence")}}
        return {
            "cls": str(self.index[wnids[0]]).encode(),
            "json": json.dumps(about, sort_keys=True, ensure_ascii=False).encode(),
        }


class _Tar:
    """A tar that is written, and its sha256."""

    def __init__(self, file: io.BufferedWriter) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def add(self, key: str, members: dict[str, bytes]) -> tuple[int, int]:
        """Write a sample; the offset and the length of its first member, the image."""
        start = self.size
        parts = [tar_member(f"{key}.{extension}", data) for extension, data in members.items()]
        for part in parts:
            self._write(b"".join(part))
        header, image, _ = parts[0]
        return start + len(header), len(image)

    def end(self) -> None:
        self._write(tar_end(self.size))
        self._file.flush()

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self.digest.update(data)
        self.size += len(data)


def note_of(written: Written) -> bytes:
    """What became of a shard, as bytes."""
    buffer = io.BytesIO()
    about = json.dumps({"sha256": written.sha256, "size": written.size})
    pictures = {name: getattr(written.pictures, name) for name in ("image", *PICTURES)}
    np.savez(buffer, offset=written.offset, length=written.length, about=np.array(about), **pictures)
    return buffer.getvalue()


def read_note(note: bytes, shard: Shard, size: int | None) -> Written | None:
    """What became of a shard, of which there is a file of `size` bytes; None where that is not what was noted."""
    try:
        with np.load(io.BytesIO(note), allow_pickle=False) as held:
            about = json.loads(str(held["about"]))
            pictures = Pictures(held["image"], *(held[name] for name in PICTURES))
            written = Written(held["offset"], held["length"], about["sha256"], about["size"], pictures)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return written if written.size == size and len(written.offset) == len(shard.images) else None


class Counter:
    """Counts what many workers have done, and tells."""

    def __init__(self, done: int, total: int, progress: Progress) -> None:
        self._done, self._total, self._progress = done, total, progress
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self._done += 1
            self._progress(self._done, self._total)
