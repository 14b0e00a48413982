"""WebDataset shards: flat tars in which ``<key>.jpg``, ``<key>.cls`` and ``<key>.json`` are one sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.annotations import BOX
from holotype.imports.boxes import Annotation, Box
from holotype.imports.opened import opened
from holotype.imports.samples import Sample, read_sample
from holotype.imports.scan import Part, rows
from holotype.leftovers import leftover
from holotype.store.allowance import Allowance
from holotype.store.objects import ObjectPath
from holotype.store.tar.ahead import AT_ONCE
from holotype.store.tar.scan import Read, read_headers

TWICE: Final = "labels of a sample that has one already, which were not taken"
LONG: Final = "files .cls over 64 bytes, .json or .xml over 16 MiB, which were not read"
OTHERS: Final = "files of samples that are neither images nor labels"
ALONE: Final = "files of samples without an image"
_IMAGES: Final = frozenset({"jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif"})
_LONGEST: Final = {"cls": 64, "json": 16 << 20, "xml": 16 << 20}
_LONGEST_KEY: Final = 1024
_TOGETHER: Final = 100_000
_ABOUT: Final = pa.struct(
    [
        ("wnids", pa.list_(pa.string())),
        ("boxes", pa.list_(BOX)),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("url", pa.string()),
        ("licence", pa.string()),
    ]
)


@dataclass(slots=True)
class _Samples:
    """The samples of a shard by key: where each image lies, by extension, and what stands beside it."""

    where: str
    images: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    beside: dict[str, dict[str, bytes]] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)

    def add(self, fetch: Read, name: str, offset: int, length: int) -> None:
        """Take one member in. Raises `ArchiveError` for too long a key, and for an image that is there twice."""
        key, extension = _split(name)
        if len(key.encode()) > _LONGEST_KEY:
            raise ArchiveError(f"{self.where} has a key of more than {_LONGEST_KEY:,} bytes: {printable(key[:40])!r}")
        if extension.rpartition(".")[2] in _IMAGES:
            if self.images.setdefault(key, {}).setdefault(extension, (offset, length)) != (offset, length):
                raise ArchiveError(f"{self.where} holds two images for the key {printable(key)!r}")
        elif extension not in _LONGEST:
            self.left[OTHERS] += 1
        elif length > _LONGEST[extension]:
            self.left[LONG] += 1
        elif extension in self.beside.setdefault(key, {}):
            self.left[TWICE] += 1
        else:
            self.beside[key][extension] = fetch(offset, length)


def scan_shard(path: Path, split: str, classes: Sequence[str], allowance: Allowance | None = None) -> Iterator[Part]:
    """The images of one shard, as one part: each named by its key, several of a sample by key and extension.

    The part's table has a column more, what is said of the image beside its first label. `allowance` is what may be
    asked of an object store. Raises `ArchiveError`, `OverAllowance`.
    """
    samples = _Samples(str(path))
    with opened(path, allowance, AT_ONCE) as (file, size, fetch):
        position: int | None = 0
        passed_over = 0
        limit = 1 if isinstance(path, ObjectPath) else _TOGETHER  # what lies beside a header was fetched with it
        while position is not None:
            headers = read_headers(file, printable(path), position, size, limit, begin=0)
            position = headers.next
            passed_over += headers.passed_over
            for name, offset, length in zip(headers.names, headers.offsets, headers.lengths, strict=True):
                if leftover(name):
                    passed_over += 1
                else:
                    samples.add(fetch, name, offset, length)
    if not samples.images:
        raise ArchiveError(f"{path} holds no images named <key>.jpg")
    samples.left[ALONE] += sum(len(found) for key, found in samples.beside.items() if key not in samples.images)
    yield _part(samples, split, classes, passed_over)


def _part(samples: _Samples, split: str, classes: Sequence[str], passed_over: int) -> Part:
    names: list[str] = []
    places: list[tuple[int, int]] = []
    said: list[Sample] = []
    for key, images in samples.images.items():
        sample = read_sample(samples.beside.get(key, {}), classes)
        samples.left.update(sample.remarks)
        names += [key] if len(images) == 1 else [f"{key}.{extension}" for extension in images]
        places += images.values()
        said += [sample] * len(images)
    offsets, lengths = zip(*places, strict=True)
    first = [one.wnids[0] if one.wnids else "" for one in said]
    table = rows(names, [split] * len(names), first, offsets, lengths)
    table = table.append_column("about", pa.array(map(_about, said), _ABOUT))
    return Part(table, None, passed_over, dict(+samples.left))


def _about(sample: Sample) -> dict[str, Any] | None:
    """What is said of an image beside its first label; None where that is nothing."""
    if not (sample.wnids[1:] or sample.boxes or sample.url or sample.licence or sample.width):
        return None
    boxes = [{name: getattr(box, name) for name in BOX.names} for box in sample.boxes]
    about = {name: getattr(sample, name) for name in ("width", "height", "url", "licence")}
    return {"wnids": sample.wnids[1:], "boxes": boxes, **about}


def annotation_of(row: Mapping[str, Any]) -> Annotation | None:
    """What a row of a shard's table says of its image beside where it lies and its first label."""
    if (about := row.get("about")) is None:
        return None
    boxes = tuple(Box(**box) for box in about["boxes"])
    told = {"labels": tuple(about["wnids"]), "url": about["url"], "licence": about["licence"]}
    return Annotation(row["name"], about["width"], about["height"], boxes, **told)


def _split(name: str) -> tuple[str, str]:
    """The key of a member, and its extension: all behind the first dot of the file's name."""
    folder, slash, file = name.rpartition("/")
    key, _, extension = file.partition(".")
    return folder + slash + key, extension.lower()
