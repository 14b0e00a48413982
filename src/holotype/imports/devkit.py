"""ILSVRC's development kits: the classes in the devkit's order, and the labels of the validation images."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.matlab import check_matlab
from holotype.ontology import is_wnid
from holotype.ontology.text import readable
from holotype.store.opening import small_file
from holotype.store.tar.members import read_members
from holotype.textlists import decoded

TRUTH: Final = "ILSVRC2012_validation_ground_truth.txt"
META: Final = "meta.mat"
IMAGES: Final = 50_000
"""The validation images of ILSVRC2012."""
CLASSES: Final = 1_000
"""The classes of ILSVRC2012: a devkit that has as many is taken for its own."""
_LARGEST = 16 << 20
_WHOLE = re.compile(r"[0-9]{1,5}")
_ID = re.compile(r"ILSVRC[0-9]{4}_ID")
# What scipy is known to raise on damaged files.
_SCIPY_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Meta:
    """The synsets of a ``meta.mat``: `wnids` are the classes in devkit order (the first has id 1); words and gloss by
    wnid are those of the classes and of all synsets above them."""

    wnids: tuple[str, ...]
    words: Mapping[str, str]
    glosses: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Devkit:
    """What a devkit says: its synsets, and the wnid of each validation image by the image's name."""

    meta: Meta
    truth: Mapping[str, str]


def read_devkit(path: Path) -> Devkit:
    """The devkit of ILSVRC2012: ``ILSVRC2012_devkit_t12.tar.gz`` or its folder. Source: its ``readme.txt``.

    Raises `ArchiveError` where ``data/meta.mat`` or the validation ground truth is missing or damaged, and where the
    latter has not a line for each of the 50,000 images. One of other classes than ILSVRC2012's 1,000 may have others.
    """
    found = dict(_files(path))
    for name in (META, TRUTH):
        if name not in found:
            raise ArchiveError(f"{printable(path)} is not a devkit: it has no data/{name}")
    meta = parse_meta(found[META], f"{printable(path)}/data/{META}")
    where = f"{printable(path)}/data/{TRUTH}"
    ids = parse_truth(found[TRUTH], where, len(meta.wnids))
    if len(ids) != IMAGES and len(meta.wnids) == CLASSES:
        raise ArchiveError(f"{where} has {len(ids):,} lines, not one for each of {IMAGES:,} images: download it again")
    return Devkit(meta, {f"ILSVRC2012_val_{n:08d}": meta.wnids[i - 1] for n, i in enumerate(ids, 1)})


def _files(path: Path) -> Iterable[tuple[str, bytes]]:
    if not path.is_dir():
        members = read_members(path, (f"data/{META}", f"data/{TRUTH}"), _LARGEST)
        return [(name.rpartition("/")[2], data) for name, data in members]
    return [
        (name, small_file(path / "data" / name, _LARGEST)) for name in (META, TRUTH) if (path / "data" / name).exists()
    ]


def parse_truth(data: bytes, where: str, classes: int) -> tuple[int, ...]:
    """The devkit ids, 1 to `classes`, of the validation images in the order of their names, one on each line.

    >>> parse_truth(b"490\\n361\\n171\\n", "truth.txt", 1000)
    (490, 361, 171)
    """
    lines = [line.strip() for line in decoded(data, where, ArchiveError).rstrip().splitlines()]
    for number, line in enumerate(lines, 1):
        if not (_WHOLE.fullmatch(line) and 1 <= int(line) <= classes):
            raise ArchiveError(f"{where}, line {number}: {line[:20]!r} is not an id of a class, 1 to {classes:,}")
    return tuple(map(int, lines))


def parse_meta(data: bytes, where: str) -> Meta:
    """The synsets of a ``meta.mat`` (those of 2010 and 2014 too). Classes are the synsets without children.

    Raises `ArchiveError` if it is not such a file, or its classes' ids are not 1, 2, 3 ...
    """
    from scipy.io import loadmat

    try:
        check_matlab(data, where)
        rows = np.atleast_1d(loadmat(io.BytesIO(data), variable_names=["synsets"], squeeze_me=True)["synsets"])
        (id_field,) = filter(_ID.fullmatch, rows.dtype.names or ())
        synsets = [(int(row[id_field]), str(row["WNID"]), int(row["num_children"]), row) for row in rows]
        words, glosses = _texts(synsets, "words"), _texts(synsets, "gloss")
    except _SCIPY_ERRORS as error:
        raise ArchiveError(f"{where} is not the meta.mat of a devkit, or is damaged: {_line(error)}") from error
    leaves = sorted((number, wnid) for number, wnid, children, _ in synsets if children == 0)
    if not leaves or [number for number, _ in leaves] != list(range(1, len(leaves) + 1)):
        raise ArchiveError(f"{where}: the ids of the classes are not 1, 2, 3 ... without a gap")
    if strange := [wnid for _, wnid, _, _ in synsets if not is_wnid(wnid)]:
        raise ArchiveError(f"{where}: {strange[0][:40]!r} is not a wnid")
    return Meta(tuple(wnid for _, wnid in leaves), words, glosses)


def _texts(synsets: Iterable[tuple[int, str, int, Any]], field: str) -> dict[str, str]:
    return {wnid: readable(str(row[field])) for _, wnid, _, row in synsets}


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__} {error}".split())[:100]
