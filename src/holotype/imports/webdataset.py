"""WebDataset shards: flat tars in which ``<key>.jpg``, ``<key>.cls`` and ``<key>.json`` are one sample."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.scan import Part, opened, rows
from holotype.imports.shapes import is_leftover
from holotype.ontology import is_wnid
from holotype.store.tar.scan import read_headers

_IMAGES: Final = frozenset({"jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif"})
_LONGEST: Final = {"cls": 64, "json": 1 << 16}
_LONGEST_KEY: Final = 1024


@dataclass(frozen=True, slots=True)
class Labels:
    """How a shard's labels are read: `classes` are the wnids that the numbers in ``.cls`` count, empty if unknown."""

    where: str
    classes: Sequence[str]

    def read(self, extension: str, data: bytes) -> str:
        """The wnid a member says; '' where it says none. ``.json`` says it as ``wnid`` or as the first of ``wnids``."""
        try:
            said = self._of_json(json.loads(data)) if extension == "json" else data.decode().strip()
            if said.isdecimal() and extension == "cls":
                return self.classes[int(said)] if self.classes else ""
        except (ValueError, RecursionError, IndexError) as error:
            raise ArchiveError(
                f"{self.where}: {data[:40]!r} is no label: neither a wnid nor, in .cls, the number of a class"
            ) from error
        return said if is_wnid(said) else ""

    @staticmethod
    def _of_json(value: object) -> str:
        if not isinstance(value, dict):
            return ""
        several = value.get("wnids")
        return str(value.get("wnid") or (several[0] if isinstance(several, list) and several else ""))


def scan_shard(path: Path, split: str, classes: Sequence[str]) -> Iterator[Part]:
    """The images of one shard, as one part, each named by its key. Raises `ArchiveError`."""
    with opened(path) as (file, size):
        images: dict[str, tuple[int, int]] = {}
        wnids: dict[str, str] = {}
        position: int | None = 0
        passed_over = 0
        while position is not None:
            headers = read_headers(file, printable(path), position, size, begin=0)
            position = headers.next
            passed_over += headers.passed_over
            for name, offset, length in zip(headers.names, headers.offsets, headers.lengths, strict=True):
                if is_leftover(name):
                    passed_over += 1
                    continue
                key, extension = _split(name)
                if len(key.encode()) > _LONGEST_KEY:
                    raise ArchiveError(f"{path} has a key of more than {_LONGEST_KEY:,} bytes: {printable(key[:40])!r}")
                if extension in _IMAGES:
                    if images.setdefault(key, (offset, length)) != (offset, length):
                        raise ArchiveError(f"{path} holds two images for the key {printable(key)!r}")
                elif length <= _LONGEST.get(extension, -1) and not wnids.get(key):
                    labels = Labels(f"{printable(path)} > {printable(name)}", classes)
                    wnids[key] = labels.read(extension, os.pread(file, length, offset))
    if not images:
        raise ArchiveError(f"{path} holds no images named <key>.jpg")
    keys = list(images)
    offsets, lengths = zip(*images.values(), strict=True)
    table = rows(keys, [split] * len(keys), [wnids.get(key, "") for key in keys], offsets, lengths)
    yield Part(table, None, passed_over)


def _split(name: str) -> tuple[str, str]:
    """The key of a member, and its extension: all behind the first dot of the file's name."""
    folder, slash, file = name.rpartition("/")
    key, _, extension = file.partition(".")
    return folder + slash + key, extension.lower()
